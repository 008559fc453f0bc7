"""Meters whose own clocks are wrong, as their edges have seen."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.wire import EdgeState
from gateway.api.words import OngoingProblem, TextWords

# By so much the clock of a meter may be wrong before it is a problem [ms].
BOUND_MS = 5 * 60_000


def clocks_off(states: Iterable[tuple[str, EdgeState]], bound_ms: int) -> list[OngoingProblem]:
    """A problem for each meter whose clock is further off than the bound, at an edge that is there."""
    return [
        OngoingProblem("meter.clock_off", f"{edge}/{meter}", found.since, _off(meter, drift_ms))
        for edge, state in states
        if state.state == "online"
        for meter, found in state.meters.items()
        if (drift_ms := found.clock_drift_ms) is not None and abs(drift_ms) > bound_ms
    ]


def _off(meter: str, drift_ms: int) -> TextWords:
    minutes = abs(drift_ms) / 60_000
    zh, en = ("快", "ahead") if drift_ms > 0 else ("慢", "behind")
    return TextWords(
        f"电表 {meter} 自身的时钟{zh}了 {minutes:.1f} 分钟：分时电量和结算日的冻结值按表内时钟记录，请在现场校时",
        f"The clock of meter {meter} is {minutes:.1f} min {en}: what it counts by tariff or closes by month goes by "
        "it. Have it set on site; Jieneng never sets it",
    )
