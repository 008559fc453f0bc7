"""Whether a line can keep its schedule: the time that its meters need of each second, and what would help."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.wire import LineState
from collectors.asked import cost_s
from collectors.lines.address import BAUDS, Characters
from collectors.planner import RequestCost
from edge.schedule import Round

# Faster than this RS-485 with meters is not built; above it their own latency is the whole time anyway.
_FASTEST = 115200
# So full a line may be planned: the rest is for questions asked again and for probes.
_FULL = 0.9


def load(rounds: Iterable[Round]) -> float:
    """Seconds of the line that its rounds need in each second, by how long they took; above 1 it cannot keep up."""
    return sum(r.took_s / r.interval_s for r in rounds)


def line_state(rounds: list[Round], late_ticks: int, characters: Characters | None, cost: RequestCost) -> LineState:
    """What the edge tells of a line; `baud` is the least speed at which an overloaded one would keep up, if any."""
    needed = load(rounds)
    baud = _fitting_baud(rounds, characters, cost) if needed > 1 and characters is not None else None
    return LineState(load=round(needed, 3), late_ticks=late_ticks, baud=baud)


def _fitting_baud(rounds: list[Round], characters: Characters, cost: RequestCost) -> int | None:
    latency_s = cost.fixed_s - RequestCost.rtu(characters.baud, bits_per_character=characters.bits, latency_s=0).fixed_s
    for baud in BAUDS:
        if characters.baud < baud <= _FASTEST:
            faster = RequestCost.rtu(baud, bits_per_character=characters.bits, latency_s=latency_s)
            if sum(cost_s(p, faster) / r.interval_s for r in rounds for p in r.plans) <= _FULL:
                return baud
    return None
