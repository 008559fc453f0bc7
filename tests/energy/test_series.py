"""Curves hold what was read, in no more rows than are wanted, and never bridge what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energy.quantities import Kind
from energy.readings import Point
from energy.series import STEPS_MS, Curve, reduce, step_for, with_gaps

POWER = Point("main", "active_power")
ENERGY = Point("main", "active_energy_import")
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
LONGEST = STEPS_MS[-1]


def gauge(t_ms: Sequence[int], step_ms: int | None = None) -> Curve:
    """A curve of a gauge that reads the position of each row."""
    value = np.arange(len(t_ms), dtype=np.float64)
    none = np.empty(0)
    return Curve(POWER, Kind.GAUGE, step_ms, np.array(t_ms, np.int64), value, value, value, none, none)


def every(step_ms: int, n: int, start: int = 0) -> list[int]:
    return [start + i * step_ms for i in range(n)]


def gaps(curve: Curve) -> list[int]:
    """The positions of the rows of NaN."""
    return np.flatnonzero(np.isnan(with_gaps(curve).mean)).tolist()


# -- steps ---------------------------------------------------------------------------------------------------------


def test_a_day_in_a_thousand_rows_is_drawn_by_two_minutes() -> None:
    assert step_for(0, DAY, 1000) == 120 * SECOND


def test_a_year_in_four_hundred_rows_is_drawn_by_days() -> None:
    assert step_for(0, 365 * DAY, 400) == DAY


@given(st.integers(0, 10**13), st.integers(0, 2 * 10**13), st.integers(2, 5000), st.integers(-(10**12), 10**12))
@example(LONGEST - 1, 3 * LONGEST + 2, 4, 0)
@example(0, 0, 2, 0)
@example(1, 2, 2, 0)
def test_no_range_falls_into_more_steps_than_rows_are_wanted(from_ms: int, length: int, rows: int, origin: int) -> None:
    step_ms = step_for(from_ms, from_ms + length, rows)

    first, last = (from_ms - origin) // step_ms, (from_ms + max(length, 1) - 1 - origin) // step_ms
    assert last - first + 1 <= rows


@given(st.integers(1, 3 * 10**11), st.integers(2, 5000))
def test_no_shorter_step_would_have_done(length: int, rows: int) -> None:
    step_ms = step_for(0, length, rows)

    shorter = [s for s in STEPS_MS if s < step_ms]
    assert not shorter or shorter[-1] < Fraction(length, rows - 1)


def test_steps_divide_an_hour_or_a_day_so_that_panning_meets_the_same_edges() -> None:
    assert all(HOUR % s == 0 for s in STEPS_MS if s <= HOUR)
    assert all(DAY % s == 0 for s in STEPS_MS if HOUR <= s <= DAY)
    assert all(s % DAY == 0 for s in STEPS_MS if s >= DAY)
    assert sorted(STEPS_MS) == list(STEPS_MS)


# -- reduction -----------------------------------------------------------------------------------------------------


def test_a_gauge_keeps_its_least_mean_and_greatest() -> None:
    made = reduce(POWER, Kind.GAUGE, np.array([0, 1, 2, 10, 25]), np.array([1.0, 5.0, 3.0, 7.0, 2.0]), step_ms=10)

    assert made.t_ms.tolist() == [0, 10, 20]
    assert made.low.tolist() == [1, 7, 2]
    assert made.mean.tolist() == [3, 7, 2]
    assert made.high.tolist() == [5, 7, 2]
    assert len(made.first) == len(made.last) == 0


def test_a_counter_keeps_its_first_and_last_and_is_never_averaged() -> None:
    made = reduce(ENERGY, Kind.COUNTER, np.array([0, 4, 9, 10]), np.array([100.0, 101.0, 102.5, 103.0]), step_ms=10)

    assert made.first.tolist() == [100, 103]
    assert made.last.tolist() == [102.5, 103]
    assert len(made.low) == len(made.mean) == len(made.high) == 0


def test_steps_begin_at_the_origin_and_its_multiples_on_both_sides() -> None:
    made = reduce(POWER, Kind.GAUGE, np.array([0, 3, 13, 14]), np.ones(4), step_ms=10, origin_ms=13)

    assert made.t_ms.tolist() == [-7, 3, 13]


def test_nothing_read_is_an_empty_curve() -> None:
    made = reduce(POWER, Kind.GAUGE, np.empty(0, np.int64), np.empty(0), step_ms=10)

    assert len(made) == 0
    assert made.step_ms == 10


readings = st.dictionaries(st.integers(-5000, 5000), st.floats(-1e9, 1e9), max_size=60).map(lambda d: sorted(d.items()))


@given(readings, st.integers(1, 4000), st.integers(-10_000, 10_000))
def test_reduction_is_what_a_plain_loop_makes_of_it(rows: list[tuple[int, float]], step: int, origin: int) -> None:
    steps: dict[int, list[float]] = {}
    for t, value in rows:
        steps.setdefault(math.floor(Fraction(t - origin, step)) * step + origin, []).append(value)
    t_ms, value_ = np.array([t for t, _ in rows], np.int64), np.array([v for _, v in rows], np.float64)

    gauged = reduce(POWER, Kind.GAUGE, t_ms, value_, step_ms=step, origin_ms=origin)
    counted = reduce(ENERGY, Kind.COUNTER, t_ms, value_, step_ms=step, origin_ms=origin)

    assert gauged.t_ms.tolist() == counted.t_ms.tolist() == list(steps)
    assert gauged.low.tolist() == [min(v) for v in steps.values()]
    assert gauged.high.tolist() == [max(v) for v in steps.values()]
    np.testing.assert_allclose(gauged.mean, [math.fsum(v) / len(v) for v in steps.values()], rtol=1e-9, atol=1e-6)
    assert counted.first.tolist() == [v[0] for v in steps.values()]
    assert counted.last.tolist() == [v[-1] for v in steps.values()]


# -- gaps ----------------------------------------------------------------------------------------------------------


def test_a_meter_read_every_quarter_of_an_hour_has_no_gaps() -> None:
    assert gaps(gauge(every(15 * MINUTE, 20))) == []


def test_a_meter_that_is_read_more_often_from_now_on_has_no_gap() -> None:
    slow = every(15 * MINUTE, 10)

    assert gaps(gauge(slow + every(5 * SECOND, 50, slow[-1] + 5 * SECOND))) == []


def test_a_meter_that_is_read_less_often_from_now_on_has_no_gap() -> None:
    fast = every(5 * SECOND, 50)

    assert gaps(gauge(fast + every(15 * MINUTE, 10, fast[-1] + 15 * MINUTE))) == []


def test_fifteen_seconds_of_silence_of_a_meter_read_every_five_is_one_more_than_none() -> None:
    three_missed = every(5 * SECOND, 10) + every(5 * SECOND, 10, 45 * SECOND + 20 * SECOND)
    two_missed = every(5 * SECOND, 10) + every(5 * SECOND, 10, 45 * SECOND + 15 * SECOND)

    assert gaps(gauge(three_missed)) == [10]
    assert gaps(gauge(two_missed)) == []


def test_an_outage_is_one_gap_between_its_neighbours() -> None:
    before, after = every(5 * SECOND, 10), every(5 * SECOND, 10, HOUR)

    made = with_gaps(gauge(before + after))

    assert np.isnan(made.mean[10])
    assert before[-1] < made.t_ms[10] < after[0]
    assert made.mean.tolist()[:10] + made.mean.tolist()[11:] == list(range(20))


def test_two_outages_with_a_single_reading_between_them_are_two_gaps() -> None:
    assert gaps(gauge([*every(5 * SECOND, 10), HOUR, *every(5 * SECOND, 10, 2 * HOUR)])) == [10, 12]


def test_a_counter_has_its_gaps_in_its_own_columns() -> None:
    register = np.arange(20.0)
    t_ms = np.array(every(5 * SECOND, 10) + every(5 * SECOND, 10, HOUR), np.int64)

    made = with_gaps(Curve.raw(ENERGY, Kind.COUNTER, t_ms, register, uncertain=True))

    assert np.isnan(made.first[10])
    assert np.isnan(made.last[10])
    assert len(made.mean) == 0
    assert made.uncertain


@pytest.mark.parametrize("n", [0, 1, 2])
def test_two_readings_alone_say_nothing_of_a_gap(n: int) -> None:
    assert len(with_gaps(gauge(every(HOUR, n)))) == n


@given(st.sets(st.integers(0, 200), max_size=60), st.sampled_from([SECOND, MINUTE, HOUR]), st.integers(-HOUR, HOUR))
def test_a_reduced_curve_is_never_longer_than_its_number_of_steps(numbers: set[int], step: int, origin: int) -> None:
    t_ms = [n * step + origin for n in sorted(numbers)]

    made = with_gaps(gauge(t_ms, step))

    assert len(made) <= 201
    # Every row, a gap too, stands on a step of its own.
    assert len(set(made.t_ms.tolist())) == len(made)
    assert ((made.t_ms - origin) % step == 0).all()


@given(st.sets(st.integers(0, 10**9), max_size=60))
def test_gaps_are_added_and_nothing_else_is_changed(instants: set[int]) -> None:
    t_ms = sorted(instants)

    made = with_gaps(gauge(t_ms))

    kept = ~np.isnan(made.mean)
    assert made.t_ms[kept].tolist() == t_ms
    assert made.mean[kept].tolist() == list(range(len(t_ms)))
    assert (np.diff(made.t_ms) >= 0).all()
