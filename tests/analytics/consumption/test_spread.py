"""Periods: what flowed in each, and how we know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.consumption.counters import HOUR_MS, Register, Steps, steps
from analytics.consumption.spread import Spread, Usual, spread, usual_week

QUARTER_MS = HOUR_MS // 4
REGISTER = Register(limit_per_h=100.0, resolution=0.01)


def edges(count: int, *, start_ms: int = 0) -> np.ndarray:
    return start_ms + HOUR_MS * np.arange(count + 1, dtype=np.int64)


def read(pairs: dict[float, float]) -> Steps:
    """Steps of readings given as {hour: register}."""
    t_ms = np.array([round(hour * HOUR_MS) for hour in pairs], dtype=np.int64)
    return steps(t_ms, np.array(list(pairs.values())), REGISTER)


def shares(found: Spread) -> list[tuple[float, ...]]:
    columns = (found.measured_share, found.estimated_share, found.disputed_share, found.missing_share)
    return [tuple(round(float(c[i]), 9) for c in columns) for i in range(len(found.amount))]


def test_quarters_add_up_to_their_hour() -> None:
    found = spread(read({0: 0, 0.25: 1, 0.5: 3, 0.75: 6, 1: 10, 1.5: 12, 2: 14}), edges(2), gap_ms=HOUR_MS)

    assert found.amount.tolist() == [10.0, 4.0]
    assert shares(found) == [(1, 0, 0, 0)] * 2


def test_a_step_across_the_edge_is_shared_by_time() -> None:
    found = spread(read({0: 0, 0.75: 3, 1.25: 5, 2: 8}), edges(2), gap_ms=HOUR_MS)

    assert found.amount.tolist() == [4.0, 4.0]


def test_a_six_hour_outage_keeps_its_total_and_says_that_its_spread_is_an_estimate() -> None:
    found = spread(read({0: 0, 1: 10, 7: 130, 8: 140}), edges(8), gap_ms=HOUR_MS)

    assert found.amount.sum() == pytest.approx(140.0)
    assert found.amount.tolist() == [10.0, *[20.0] * 6, 10.0]
    assert found.estimated.tolist() == [0.0, *[20.0] * 6, 0.0]
    assert shares(found)[3] == (0, 1, 0, 0)


def running(*per_hour: float) -> Usual:
    return Usual(edges(len(per_hour)), np.cumsum([0.0, *per_hour]))


def test_the_spread_over_a_gap_follows_what_is_usual() -> None:
    usual = running(1.0, 3.0, 3.0, 0.0, 6.0, 1.0)
    found = spread(read({0: 0, 1: 10, 5: 130, 6: 140}), edges(6), gap_ms=HOUR_MS, usual=usual)

    assert found.amount.tolist() == [10.0, 30.0, 30.0, 0.0, 60.0, 10.0]


def test_a_gap_in_hours_that_are_never_used_is_spread_evenly() -> None:
    found = spread(read({0: 0, 4: 8}), edges(4), gap_ms=HOUR_MS, usual=running(0, 0, 0, 0))

    assert found.amount.tolist() == [2.0] * 4


def test_the_total_of_a_day_with_an_outage_within_is_measured() -> None:
    day = np.array([0, 24], dtype=np.int64) * HOUR_MS
    found = spread(read({0: 0, 8: 80, 14: 200, 24: 300}), day, gap_ms=HOUR_MS)

    assert found.amount.tolist() == [300.0]
    assert shares(found) == [(1, 0, 0, 0)]


def test_what_a_meter_usually_uses_is_learnt_from_its_own_weeks() -> None:
    """Two weeks of 1 a night hour and 9 a day hour, then a day without readings."""
    hours = np.arange(14 * 24)
    per_hour = np.where((hours % 24 >= 8) & (hours % 24 < 18), 9.0, 1.0)
    registers = {float(h): float(v) for h, v in zip([*hours, 14 * 24], np.cumsum([0.0, *per_hour]), strict=True)}
    end = 15 * 24
    registers[float(end)] = registers[float(14 * 24)] + 104.0
    steps_of = read(registers)

    usual = usual_week(steps_of, 0, end * HOUR_MS, gap_ms=HOUR_MS)
    found = spread(steps_of, edges(24, start_ms=14 * 24 * HOUR_MS), gap_ms=HOUR_MS, usual=usual)

    assert found.amount == pytest.approx(per_hour[:24])
    assert found.estimated_share.tolist() == [1.0] * 24


def test_an_hour_without_a_reading_before_or_after_is_missing_and_not_zero() -> None:
    found = spread(read({1: 5, 1.5: 7, 2: 9}), edges(3), gap_ms=HOUR_MS)

    assert np.isnan(found.amount[[0, 2]]).all()
    assert found.amount[1] == 4.0
    assert shares(found) == [(0, 0, 0, 1), (1, 0, 0, 0), (0, 0, 0, 1)]


def test_a_disputed_step_is_not_booked_and_its_time_is_called_so() -> None:
    found = spread(read({0: 100, 0.5: 105, 1: 5000, 2: 5010}), edges(2), gap_ms=HOUR_MS)

    assert found.amount.tolist() == [5.0, 10.0]
    assert shares(found) == [(0.5, 0, 0.5, 0), (1, 0, 0, 0)]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 500)), min_size=2, max_size=40),
    st.integers(1, 12),
    st.booleans(),
)
def test_the_sum_of_the_hours_is_the_total_however_they_are_cut(
    readings: list[tuple[int, int]], gap_quarters: int, weighted: bool
) -> None:
    t_ms = np.cumsum([spacing for spacing, _ in readings]).astype(np.int64) * QUARTER_MS
    total = np.cumsum([flowed / 100 for _, flowed in readings])
    found = steps(t_ms, total, REGISTER)
    count = int(t_ms[-1] // HOUR_MS) + 2
    usual = running(*(float(i % 5) for i in range(count))) if weighted else None

    of_hours = spread(found, edges(count), gap_ms=gap_quarters * QUARTER_MS, usual=usual)
    of_all = spread(found, np.array([0, count * HOUR_MS]), gap_ms=gap_quarters * QUARTER_MS)

    assert np.nansum(of_hours.amount) == pytest.approx(total[-1] - total[0], abs=1e-9)
    assert of_all.amount[0] == pytest.approx(total[-1] - total[0], abs=1e-9)
    assert np.nansum(of_hours.estimated) <= np.nansum(of_hours.amount) + 1e-9
    together = of_hours.measured_share + of_hours.estimated_share + of_hours.disputed_share + of_hours.missing_share
    assert together == pytest.approx(1.0)
