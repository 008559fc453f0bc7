"""Limits on the live stream: every reading that is stored goes through here, many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.alarms.limits import Crossings, LimitStates
from analytics.alarms.ringing_hours import Working, spans, weekdays, within
from analytics.alarms.rules import Gather, Limit, LimitKind, Rule, points_of, roots
from energy.names import Text
from energy.numbering import OwnNumbers
from energy.quantities import quantity
from energy.readings import Point, Quality, ReadingColumns, from_ms
from energy.sites import Meter, Site
from gateway.alerts.alarm import Member, Raised, Standing

Array = npt.NDArray[Any]
_DAYS = 3
# A meter that was read less often than three times its interval says nothing of the time between.
_GAP_READINGS, _GAP_ALLOWANCE_MS = 3, 10_000
_EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Slot:
    """A rule at a point."""

    rule: Limit
    point: Point
    meter: Meter
    root: str

    @property
    def cause(self) -> str:
        """Of a night flow in a tree the main: what leaks below it is one leak."""
        kind = self.rule.kind if self.rule.kind is LimitKind.NIGHT_FLOW else self.rule.head.id
        return f"{kind}/{self.root if self.rule.head.gather is Gather.TREE else self.point}"


class LimitWatch:
    """The limits of the rules over the points of the site."""

    def __init__(self, days: Working = weekdays) -> None:
        self._days = days
        self.slots: list[Slot] = []
        self._watch({})
        self._states = _states([])
        self._rules: list[Limit] = []
        self._rule_of = _EMPTY
        self._windows: _Windows | None = None

    def learn(self, rules: Sequence[Rule], site: Site, standing: Iterable[Standing] = ()) -> None:
        """Watch these rules from now on. What was told of already is not told again before it is over."""
        meters, above = {m.id: m for m in site.meters}, roots(site.meters)
        self._rules = [rule for rule in rules if isinstance(rule, Limit)]
        chosen = [
            (i, Slot(rule, point, meters[point.meter], above[point.meter]))
            for i, rule in enumerate(self._rules)
            for point in points_of(rule, site)
            if point.meter in meters
        ]
        before = {(s.rule, s.point): i for i, s in enumerate(self.slots)}
        old, self.slots = self._states, [slot for _, slot in chosen]
        self._rule_of = np.array([i for i, _ in chosen], np.int64)
        self._states = _states(self.slots)
        for i, slot in enumerate(self.slots):
            if (was := before.get((slot.rule, slot.point))) is not None:
                for name in ("since_ms", "raised", "last_ms"):
                    getattr(self._states, name)[i] = getattr(old, name)[was]
        by_point: dict[Point, list[int]] = defaultdict(list)
        for i, slot in enumerate(self.slots):
            by_point[slot.point].append(i)
        self._watch(by_point)
        self._windows = _Windows(self._rules, site, self._days)
        self._ringing(standing)

    def _ringing(self, standing: Iterable[Standing]) -> None:
        told = list(standing)
        ended = {(one.cause, one.member.name): one.member.until_ms for one in told if one.member.until_ms is not None}
        ringing = {(one.cause, one.member.name): one.member.since_ms for one in told if one.still}
        for i, slot in enumerate(self.slots):
            name = slot.cause, str(slot.point)
            if (since := ringing.get(name)) is not None:
                self._states.raised[i], self._states.since_ms[i] = True, since
            # What was read before it began says nothing of whether it is over; what was read before it was over says
            # nothing of whether it is back.
            known = since if since is not None else ended.get(name)
            if known is not None:
                self._states.last_ms[i] = max(int(self._states.last_ms[i]), known)

    def _watch(self, slots_of: Mapping[Point, Sequence[int]]) -> None:
        """Look for the slots of these points; all others are in one place, of which there are none."""
        nowhere = len(slots_of)
        self._slots = np.full((nowhere + 1, max(map(len, slots_of.values()), default=0)), -1, np.int64)
        for place, own in enumerate(slots_of.values()):
            self._slots[place, : len(own)] = own
        places = {point: place for place, point in enumerate(slots_of)}
        self.points = list(places)
        self._place = OwnNumbers(lambda points: [places.get(point, nowhere) for point in points])

    @property
    def longest_s(self) -> float:
        """How far back it must be looked to know what has lasted."""
        return max((rule.for_s for rule in self._rules), default=0.0)

    def take(self, columns: ReadingColumns) -> tuple[list[Raised], dict[str, dict[str, int]]]:
        """What the readings raise, and what is over by them: cause -> member -> instant."""
        slot, row = self._rows(columns)
        if not len(slot) or self._windows is None:
            return [], {}
        at_ms, value = columns.taken_at_ms[row], columns.value[row]
        counts = self._windows.count(self._rule_of[slot], at_ms)
        raised, over = self._states.take(slot, at_ms, value, counts)
        return self._raised(raised), self._over(over)

    def _rows(self, columns: ReadingColumns) -> tuple[Array, Array]:
        """(m,) slots that the readings are for, and (m,) which readings; bad ones are for none."""
        slots = self._slots[self._place.rows(columns)]
        slots[columns.quality >= Quality.BAD] = -1
        row, place = np.nonzero(slots >= 0)
        return slots[row, place], row

    def _raised(self, crossings: Crossings) -> list[Raised]:
        """One for each cause: of several points the topmost meter, where it is among them."""
        by_cause: dict[str, list[int]] = defaultdict(list)
        for i, number in enumerate(crossings.slot.tolist()):
            by_cause[self.slots[number].cause].append(i)
        return [self._one(rows, crossings) for rows in by_cause.values()]

    def _one(self, rows: list[int], crossings: Crossings) -> Raised:
        slots = [self.slots[int(crossings.slot[i])] for i in rows]
        chief = next((k for k, slot in enumerate(slots) if slot.meter.id == slot.root), 0)
        slot, at = slots[chief], rows[chief]
        members = tuple(Member(str(s.point), int(crossings.since_ms[i])) for s, i in zip(slots, rows, strict=True))
        head, name = slot.rule.head, slot.meter.name
        return Raised(
            slot.cause,
            str(slot.rule.kind),
            max((s.rule.head.level for s in slots), key=lambda level: level.rank),
            slot.meter.id,
            Text(f"{name.zh}：{head.name.zh}", f"{name.en}: {head.name.en}"),
            min(int(crossings.since_ms[i]) for i in rows),
            members,
            first=head.first,
            rule=head.id,
            point=str(slot.point),
            value=float(crossings.value[at]),
            beyond=slot.rule.beyond,
            unit=quantity(slot.point.quantity).unit,
        )

    def _over(self, crossings: Crossings) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for number, at_ms in zip(crossings.slot.tolist(), crossings.at_ms.tolist(), strict=True):
            slot = self.slots[number]
            found[slot.cause][str(slot.point)] = at_ms
        return dict(found)


def _states(slots: Sequence[Slot]) -> LimitStates:
    def column(of: Iterable[float], kind: type) -> Array:
        return np.array(list(of), kind)

    return LimitStates(
        column((s.rule.beyond for s in slots), np.float64),
        column((s.rule.back for s in slots), np.float64),
        column((not s.rule.above for s in slots), np.bool_),
        column((s.rule.for_s * 1000 for s in slots), np.int64),
        column((_GAP_READINGS * s.meter.interval_s * 1000 + _GAP_ALLOWANCE_MS for s in slots), np.int64),
    )


@dataclass
class _Windows:
    """The hours in which each rule rings, some days about the readings that come."""

    rules: Sequence[Limit]
    site: Site
    days: Working
    _from_ms: int = 0
    _to_ms: int = 0
    _edges: Mapping[int, Array] = field(default_factory=dict)

    def count(self, rule: Array, at_ms: Array) -> Array:
        """(m,) whether the rule of each reading rings at its instant."""
        counts = np.ones(len(rule), np.bool_)
        timed = [i for i, one in enumerate(self.rules) if one.hours is not None]
        if not timed:
            return counts
        low, high = int(at_ms.min()), int(at_ms.max())
        if low < self._from_ms or high >= self._to_ms:
            self._reckon(low, high)
        for i in timed:
            own = rule == i
            inside = within(self._edges[i], at_ms[own])
            counts[own] = inside if self.rules[i].kind is LimitKind.NIGHT_FLOW else ~inside
        return counts

    def _reckon(self, low: int, high: int) -> None:
        zone = self.site.zone_info
        start = from_ms(low).astimezone(zone).date() - timedelta(days=_DAYS)
        end = from_ms(high).astimezone(zone).date() + timedelta(days=_DAYS)
        edges = {}
        for i, rule in enumerate(self.rules):
            if rule.hours is not None:
                days = None if rule.kind is LimitKind.NIGHT_FLOW else self.days
                edges[i] = spans(rule.hours, start, end, zone, days)
        self._edges = edges
        self._from_ms, self._to_ms = low - 86_400_000, high + 86_400_000
