"""Values at several rates are read by the cheapest requests that bring each often enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.meter_profile import Register, Table, load_profile, profile_ids
from collectors.planner import Block, RequestCost, plan, total_cost_s
from collectors.rates import TimedBlock, cost_per_s, plan_rates
from energy.quantities import Kind, quantity
from tests.collectors.test_planner import register, span

FAST_S, SLOW_S = 5.0, 60.0
LINES = {"rtu 9600": RequestCost.serial(9600), "tcp": RequestCost.tcp()}


def brings(blocks: Sequence[TimedBlock], wanted: Register, every_s: float) -> bool:
    return any(t.every_s <= every_s and all(t.block.holds(p) for p in wanted.parts) for t in blocks)


def assignments(n_slow: int) -> Iterator[tuple[bool, ...]]:
    """For each slow value, whether it is read with the fast ones."""
    return product((False, True), repeat=n_slow)


def least_per_s(fast: list[Register], slow: list[Register], cost: RequestCost, most: int) -> float:
    """The cost of the best of all ways to promote slow values; each rate is then planned by itself."""
    best = float("inf")
    for promoted in assignments(len(slow)):
        quick = plan(fast + [r for r, p in zip(slow, promoted, strict=True) if p], cost, max_registers=most)
        rest = plan([r for r, p in zip(slow, promoted, strict=True) if not p], cost, max_registers=most)
        best = min(best, total_cost_s(quick, cost) / FAST_S + total_cost_s(rest, cost) / SLOW_S)
    return best


@settings(max_examples=150)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.sampled_from([RequestCost(3, 1), RequestCost(10, 1), RequestCost(40, 2), RequestCost(1, 0)]),
    st.integers(1, 20),
)
def test_no_division_among_the_rates_is_cheaper(
    addresses: list[int], is_fast: list[bool], cost: RequestCost, most: int
) -> None:
    fast = [register(a) for a, f in zip(addresses, is_fast, strict=False) if f]
    slow = [register(a) for a, f in zip(addresses, is_fast, strict=False) if not f]

    blocks = plan_rates({FAST_S: fast, SLOW_S: slow}, cost, max_registers=most)

    assert cost_per_s(blocks, cost) == pytest.approx(least_per_s(fast, slow, cost, most), abs=1e-12)
    assert all(brings(blocks, r, FAST_S) for r in fast)
    assert all(brings(blocks, r, SLOW_S) for r in slow)
    assert all(t.block.count <= most for t in blocks)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", profile_ids())
def test_energies_at_a_minute_ride_on_powers_where_that_is_cheaper(name: str, line: str) -> None:
    profile, cost = load_profile(name), LINES[line]
    fast = [r for r in profile.registers if quantity(r.quantity).kind is Kind.GAUGE]
    slow = [r for r in profile.registers if quantity(r.quantity).kind is Kind.COUNTER]

    blocks = plan_rates({FAST_S: fast, SLOW_S: slow}, cost, max_registers=profile.max_registers)

    apart = [total_cost_s(plan(group, cost, max_registers=profile.max_registers), cost) for group in (fast, slow)]
    together = total_cost_s(plan(profile.registers, cost, max_registers=profile.max_registers), cost)
    assert cost_per_s(blocks, cost) <= min(apart[0] / FAST_S + apart[1] / SLOW_S, together / FAST_S) + 1e-12
    assert all(brings(blocks, r, SLOW_S) for r in profile.registers)
    assert all(brings(blocks, r, FAST_S) for r in fast)


def test_a_slow_neighbour_rides_along_and_a_far_one_does_not() -> None:
    # A request costs 10 and a register 1. Beside a fast register the slow one costs 1/5 s, by itself 11/60 s: less.
    apart = plan_rates({5: [register(0)], 60: [register(1)]}, RequestCost(10, 1))
    # At 12 s of its own it would cost 11/12 s: it rides along.
    along = plan_rates({5: [register(0)], 12: [register(1)]}, RequestCost(10, 1))

    assert apart == [
        TimedBlock(5, Block(Table.HOLDING, 0, 1)),
        TimedBlock(60, Block(Table.HOLDING, 1, 1)),
    ]
    assert along == [TimedBlock(5, Block(Table.HOLDING, 0, 2))]


def test_what_lies_between_two_fast_values_comes_for_nothing() -> None:
    blocks = plan_rates({5: [register(0), register(2)], 60: [register(1)]}, RequestCost(10, 1))

    assert blocks == [TimedBlock(5, Block(Table.HOLDING, 0, 3))]


def test_a_slow_request_may_reach_over_fast_ones() -> None:
    # Fast 5; slow 4 and 6: one slow request of three registers costs (10 + 3) / 60, two would cost 22 / 60.
    blocks = plan_rates({5: [register(5)], 60: [register(4), register(6)]}, RequestCost(10, 1))

    assert blocks == [TimedBlock(5, Block(Table.HOLDING, 5, 1)), TimedBlock(60, Block(Table.HOLDING, 4, 3))]


def test_no_rate_reads_over_a_forbidden_register() -> None:
    wanted = {5.0: [register(0), register(2)], 60.0: [register(4)]}

    blocks = plan_rates(wanted, RequestCost(100, 1), forbidden=[(Table.HOLDING, 1), (Table.HOLDING, 3)])

    assert [t.block.count for t in blocks] == [1, 1, 1]


def test_three_rates_are_planned_together() -> None:
    blocks = plan_rates({1: [register(0)], 10: [register(1)], 3600: [register(50)]}, RequestCost(10, 1))

    assert [(t.every_s, t.block.address, t.block.count) for t in blocks] == [(1, 0, 2), (3600, 50, 1)]


def test_one_rate_is_the_plan_of_old() -> None:
    profile, cost = load_profile("eastron/sdm630"), RequestCost.serial(9600)

    blocks = plan_rates({60.0: profile.registers}, cost, max_registers=profile.max_registers)

    assert [t.block for t in blocks] == plan(profile.registers, cost, max_registers=profile.max_registers)
    assert span(profile.registers[0])[1] == 0
