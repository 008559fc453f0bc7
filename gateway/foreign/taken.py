"""What is taken from a message of others: readings as Jieneng's own edges send them, and what is refused and why."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from adapters.wire import EdgeState, Flag, MeterReadings
from energy.ports import Refusal
from gateway.ingest.reasons import shown


@dataclass(slots=True)
class Taken:
    """What a message brought, from whom; `history` says that some of it has waited, and newer readings may be known.

    states : senders and what became known of them. commands : topics and payloads to be published in answer.
    """

    sender: str
    readings: list[MeterReadings] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    states: list[tuple[str, EdgeState]] = field(default_factory=list)
    commands: list[tuple[str, bytes]] = field(default_factory=list)
    history: bool = False


class Gathering:
    """Readings while they are gathered: values of one meter and instant together, one value of a quantity in each."""

    def __init__(self, sender: str, now_ms: int) -> None:
        self.taken = Taken(sender)
        self._now_ms = now_ms
        self._open: dict[tuple[str, int], MeterReadings] = {}

    def add(self, meter: str, t_ms: int, quantity: str, value: float | None, flag: Flag | None) -> None:
        """Take a value; a second one for the same point and instant stands for itself, and is judged as a conflict."""
        found = self._open.get((meter, t_ms))
        if found is None or quantity in found.values:
            found = self._open[meter, t_ms] = MeterReadings(meter, t_ms, {}, {})
            self.taken.readings.append(found)
        # Beyond what a number holds: refused as implausible where it counts, and no number where it does not.
        endless = value is not None and math.isinf(value) and flag is not None and flag.quality == "bad"
        found.values[quantity] = None if endless else value
        if flag is not None:
            found.flags[quantity] = flag

    def values(self, meter: str, t_ms: int) -> dict[str, float | None]:
        """The values of a meter at an instant, to be added to."""
        found = self._open.get((meter, t_ms))
        if found is None:
            found = self._open[meter, t_ms] = MeterReadings(meter, t_ms, {}, {})
            self.taken.readings.append(found)
        return found.values

    def refuse(
        self, reason: str, detail: str, meter: object = None, quantity: object = None, t_ms: int | None = None
    ) -> None:
        """Refuse a value, or all that a row or a message would have brought."""
        self.taken.refusals.append(
            Refusal(self._now_ms, reason, shown(detail), self.taken.sender, _named(meter), _named(quantity), t_ms)
        )


def _named(name: object) -> str | None:
    return None if name is None else shown(name)
