"""The life of an alarm: raised, pushed, read, acknowledged, recovered, closed; each step a new value.

Closed is the end. What rings again after that is another alarm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from analytics.alarms.rules import Level
from energy.errors import EnergyError


class State(StrEnum):
    """How far an alarm has come."""

    RAISED = "raised"
    PUSHED = "pushed"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"
    CLOSED = "closed"


class StepKind(StrEnum):
    """What happens in the life of an alarm, as its history tells it."""

    RAISED = "raised"
    JOINED = "joined"
    WORSE = "worse"
    CALLED = "called"
    PUSHED = "pushed"
    UNDELIVERED = "undelivered"
    NOBODY = "nobody"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"
    HANDLED = "handled"
    RECOVERED = "recovered"
    RETURNED = "returned"
    RANG_AGAIN = "rang_again"
    CLOSED = "closed"


class LifeError(EnergyError):
    """A step that the alarm cannot take as it is."""


@dataclass(frozen=True, slots=True)
class Life:
    """An alarm so far; instants in ms since the epoch, None for what did not happen.

    began_ms : since when somebody is called for it; later than `opened_ms` where it rang again.
    round : how often it rang; calls of another round are others. flaps : how often it came back at once.
    """

    level: Level
    opened_ms: int
    began_ms: int
    round: int = 1
    flaps: int = 0
    pushed_ms: int | None = None
    read_ms: int | None = None
    acknowledged_ms: int | None = None
    recovered_ms: int | None = None
    closed_ms: int | None = None

    @classmethod
    def raised(cls, level: Level, at_ms: int) -> Life:
        return cls(level, at_ms, at_ms)

    @property
    def state(self) -> State:
        if self.closed_ms is not None:
            return State.CLOSED
        if self.recovered_ms is not None:
            return State.RECOVERED
        if self.acknowledged_ms is not None:
            return State.ACKNOWLEDGED
        if self.read_ms is not None:
            return State.READ
        return State.RAISED if self.pushed_ms is None else State.PUSHED

    @property
    def calls(self) -> bool:
        """Whether people are still to be called."""
        return self.state in (State.RAISED, State.PUSHED, State.READ)

    def _open(self, what: str) -> None:
        if self.closed_ms is not None:
            raise LifeError(f"the alarm is closed and cannot be {what}")

    def pushed(self, at_ms: int) -> Life:
        """The first message has arrived; after the end that changes nothing."""
        return self if self.pushed_ms is not None or self.closed_ms is not None else replace(self, pushed_ms=at_ms)

    def read(self, at_ms: int) -> Life:
        self._open("read")
        return self if self.read_ms is not None else replace(self, read_ms=at_ms)

    def acknowledged(self, at_ms: int) -> Life:
        """Somebody takes it on. A second one is told that somebody has."""
        self._open("acknowledged")
        if self.acknowledged_ms is not None:
            raise LifeError("the alarm is acknowledged already")
        return replace(self, acknowledged_ms=at_ms, read_ms=at_ms if self.read_ms is None else self.read_ms)

    def recovered(self, at_ms: int) -> Life:
        """What it was raised for is over."""
        return (
            self if self.recovered_ms is not None or self.closed_ms is not None else replace(self, recovered_ms=at_ms)
        )

    def worse(self, level: Level, at_ms: int) -> Life:
        """Something of a higher level has joined: people are called anew, and by the chain of that level."""
        self._open("worse")
        if level.rank <= self.level.rank:
            return self
        return replace(self._anew(at_ms), level=level)

    def further(self, level: Level, at_ms: int) -> Life:
        """It has gone on to a step that is told anew, whatever became of the one before, by the chain of that level."""
        self._open("worse")
        return replace(self._anew(at_ms), level=level)

    def returned(self, at_ms: int, damped_ms: int) -> Life:
        """It is there again. Within `damped_ms` after it was over that is flapping, and nobody is called anew."""
        self._open("back")
        if self.recovered_ms is None:
            return self
        if at_ms - self.recovered_ms <= damped_ms:
            return replace(self, recovered_ms=None, flaps=self.flaps + 1)
        return self._anew(at_ms)

    def closed(self, at_ms: int) -> Life:
        """Done with. What is still there, and nobody has acknowledged, cannot be waved away."""
        self._open("closed again")
        if self.recovered_ms is None and self.acknowledged_ms is None:
            raise LifeError("the alarm is neither acknowledged nor over; acknowledge it first")
        return replace(self, closed_ms=at_ms)

    def _anew(self, at_ms: int) -> Life:
        return Life(self.level, self.opened_ms, at_ms, self.round + 1, self.flaps)
