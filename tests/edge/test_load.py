"""What is said of a line that cannot keep its schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from collectors.decoder import BlockPlan
from collectors.lines.address import Characters
from collectors.meter_profile import Table
from collectors.planner import Block, RequestCost
from edge.load import line_state
from edge.schedule import Round

FIRST = datetime(2026, 1, 14, tzinfo=UTC)
COST = RequestCost.rtu(9600, latency_s=0.02)


def rounds(count: int, interval_s: float) -> list[Round]:
    """40 registers each: 124.1 ms at 9600 baud, 72.1 ms at 19200, 47.7 ms at 38400."""
    made = [
        Round(interval_s, [BlockPlan(Block(Table.HOLDING, 0, 40), lambda raw: (), ())], FIRST) for _ in range(count)
    ]
    for each in made:
        each.took(0.124)
    return made


def test_an_overloaded_line_is_told_the_least_speed_that_would_do() -> None:
    state = line_state(rounds(32, 2.0), 7, Characters(9600), COST)

    assert (state.load, state.late_ticks, state.baud) == (1.984, 7, 38400)


def test_where_no_speed_would_do_none_is_told() -> None:
    assert line_state(rounds(32, 0.7), 0, Characters(9600), COST).baud is None


def test_a_line_without_characters_has_no_speed() -> None:
    assert line_state(rounds(32, 2.0), 0, None, COST).baud is None


def test_a_line_that_keeps_up_is_told_nothing() -> None:
    state = line_state(rounds(8, 2.0), 0, Characters(9600), COST)

    assert (state.load, state.baud) == (0.496, None)
