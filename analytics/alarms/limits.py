"""Limits with duration and hysteresis, over all points at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_NEVER = np.int64(-1)


@dataclass(frozen=True, slots=True)
class Crossings:
    """What a batch did to slots, each (n,): the slots, the instants of the readings, and their values.

    since_ms : when it went beyond; of those that are over, too.
    """

    slot: Whole
    at_ms: Whole
    value: Floats
    since_ms: Whole

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(slots=True)
class LimitStates:
    """The state of n slots, one for each rule and point.

    beyond, back : (n,) the limit, and where it is over [unit of the quantity]; where `below`, from the other side.
    for_ms : (n,) as long must it last. gap_ms : (n,) readings farther apart tell nothing of the time between.
    since_ms : (n,) since when it is beyond without a break, -1 where it is not. raised : (n,). last_ms : (n,).
    """

    beyond: Floats
    back: Floats
    below: Flags
    for_ms: Whole
    gap_ms: Whole
    since_ms: Whole = field(init=False)
    raised: Flags = field(init=False)
    last_ms: Whole = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.beyond)
        sign = np.where(self.below, -1.0, 1.0)
        # From here on the limit is always exceeded upwards.
        self.beyond, self.back = self.beyond * sign, self.back * sign
        self.since_ms = np.full(n, _NEVER)
        self.raised = np.zeros(n, np.bool_)
        self.last_ms = np.full(n, np.iinfo(np.int64).min)

    def take(self, slot: Whole, at_ms: Whole, value: Floats, counts: Flags) -> tuple[Crossings, Crossings]:
        """Readings in any order, several of one slot too; those older than what was taken say nothing.

        slot, at_ms, value : (m,). counts : (m,) whether the hour is one in which the rule rings.

        Returns
        -------
        what is raised by them, and what is over.
        """
        order = np.lexsort((at_ms, slot))
        slot, at_ms, value, counts = slot[order], at_ms[order], value[order], counts[order]
        # The first reading of every slot, then the second of those that have one, and so on.
        begins = np.flatnonzero(np.r_[True, slot[1:] != slot[:-1]]) if len(slot) else np.empty(0, np.int64)
        lengths = np.diff(np.r_[begins, len(slot)])
        raised, over = [], []
        for k in range(int(lengths.max(initial=0))):
            rows = begins[lengths > k] + k
            one, other = self._step(slot[rows], at_ms[rows], value[rows], counts[rows])
            raised.append(one)
            over.append(other)
        return _joined(raised), _joined(over)

    def _step(self, slot: Whole, at_ms: Whole, value: Floats, counts: Flags) -> tuple[Crossings, Crossings]:
        """One reading each of different slots."""
        fresh = (at_ms > self.last_ms[slot]) & np.isfinite(value)
        slot, at_ms, value, counts = slot[fresh], at_ms[fresh], value[fresh], counts[fresh]
        signed = np.where(self.below[slot], -value, value)
        beyond = counts & (signed > self.beyond[slot])
        over = ~counts | (signed <= self.back[slot])
        since, raised = self.since_ms[slot], self.raised[slot]
        apart = (self.last_ms[slot] >= 0) & (at_ms - self.last_ms[slot] > self.gap_ms[slot]) & ~raised
        since = np.where(beyond & ((since < 0) | apart), at_ms, since)
        rises = beyond & ~raised & (at_ms - since >= self.for_ms[slot])
        falls = raised & over
        self.last_ms[slot] = at_ms
        self.raised[slot] = (raised | rises) & ~falls
        self.since_ms[slot] = np.where(beyond | (raised & ~falls), since, _NEVER)
        return _chosen(rises, slot, at_ms, value, since), _chosen(falls, slot, at_ms, value, since)


def _chosen(rows: Flags, slot: Whole, at_ms: Whole, value: Floats, since_ms: Whole) -> Crossings:
    return Crossings(slot[rows], at_ms[rows], value[rows], since_ms[rows])


def _joined(parts: list[Crossings]) -> Crossings:
    if not parts:
        empty = np.empty(0, np.int64)
        return Crossings(empty, empty, np.empty(0), empty)
    columns = zip(*((p.slot, p.at_ms, p.value, p.since_ms) for p in parts), strict=True)
    return Crossings(*(np.concatenate(column) for column in columns))
