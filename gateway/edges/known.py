"""What is known of an edge: its last state, when it came and went, and how its clock stands to ours."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import msgspec

from adapters.wire import EdgeState
from gateway.api.words import EdgeStateWord

# So many comings and goings are kept.
TURNS = 50
# States come every ten seconds: two minutes of them.
_SAMPLES = 12


class Turn(msgspec.Struct):
    """An edge came, or went."""

    at: int
    state: EdgeStateWord


class Kept(msgspec.Struct):
    """What outlives a restart of the gateway: turns, oldest first, and the last that the edge said while there."""

    turns: list[Turn]
    last: EdgeState | None = None


@dataclass(slots=True)
class OffsetEstimate:
    """By how much the clock of an edge is ahead of ours [ms], from when it says to have said something against when
    that came.

    What comes is late by its way here, never early: the largest difference of a few is the nearest to the truth. One
    alone may have waited at the broker.
    """

    _of: tuple[str | None, int | None] = (None, None)
    _ahead: deque[int] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def take(self, state: EdgeState, arrived_ms: int) -> None:
        stepped = state.clock.stepped_at if state.clock is not None else None
        if (state.boot, stepped) != self._of:
            self._of = state.boot, stepped
            self._ahead.clear()
        if state.told_at is not None:
            self._ahead.append(state.told_at - arrived_ms)

    @property
    def ms(self) -> int | None:
        """None until two have come."""
        return max(self._ahead) if len(self._ahead) > 1 else None


@dataclass(slots=True)
class Known:
    """An edge. state : what was heard last. since_ms : since when it is there, or gone. last : what it said last while
    it was there. heard_at_ms : when that came, None where the broker kept it, or from before a restart. presumed :
    nothing was heard of it since the gateway started."""

    state: EdgeState
    since_ms: int
    turns: deque[Turn]
    last: EdgeState | None = None
    heard_at_ms: int | None = None
    presumed: bool = False
    offset: OffsetEstimate = field(default_factory=OffsetEstimate)

    def hear(self, state: EdgeState, now_ms: int, *, retained: bool) -> bool:
        """Take over what it says of itself; whether it came or went by that."""
        self.presumed = False
        turned = not self.turns or self.turns[-1].state != state.state or self._is_another_process(state)
        if turned:
            self.since_ms = now_ms
            self.turns.append(Turn(now_ms, state.state))
        if turned or state.meters or state.state == "online":
            self.state = state
        if state.state == "online":
            self.last = state
            if not retained:
                self.heard_at_ms = now_ms
                self.offset.take(state, now_ms)
        return turned

    def _is_another_process(self, state: EdgeState) -> bool:
        """Whether it was gone though nobody has told so."""
        before = None if self.last is None else self.last.boot
        return state.state == "online" and None not in (before, state.boot) and before != state.boot

    @property
    def kept(self) -> Kept:
        return Kept(list(self.turns), self.last)

    @classmethod
    def new(cls, state: EdgeState, now_ms: int) -> Known:
        return cls(state, now_ms, deque(maxlen=TURNS))

    @classmethod
    def from_before(cls, kept: Kept) -> Known | None:
        """As it was when the gateway stopped."""
        if not kept.turns:
            return None
        turn = kept.turns[-1]
        state = kept.last if turn.state == "online" and kept.last is not None else EdgeState("offline")
        return cls(state, turn.at, deque(kept.turns, maxlen=TURNS), kept.last, presumed=True)
