"""Loads whose counters are their exact integrals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.simulators.course import HOUR_MS, Converted, Course, Steady, Together, Within
from energy.series import Instants

_QUARTER_MS = 900_000
_KNOTS = st.lists(st.floats(0, 500), min_size=2, max_size=6).map(np.array)


def hours(*at: float) -> Instants:
    return np.array([h * HOUR_MS for h in at], dtype=np.int64)


def test_a_ramp_from_0_to_4_kw_in_an_hour_brings_2_kwh_and_half_of_it_half_a_kwh() -> None:
    course = Course.through(0, HOUR_MS, np.array([0.0, 4.0, 4.0]))

    assert course.rate(hours(0, 0.5, 1.5)).tolist() == [0, 2, 4]
    assert course.total(hours(0, 0.5, 1, 2)).tolist() == [0, 0.5, 2, 6]


def test_the_counter_begins_at_what_the_register_held() -> None:
    course = Course.through(0, HOUR_MS, np.array([4.0, 4.0]), register=1000.0)

    assert course.total(hours(0, 0.25)).tolist() == [1000, 1001]


def test_nothing_flows_before_the_origin_and_after_the_last_interval() -> None:
    course = Course.through(HOUR_MS, HOUR_MS, np.array([4.0, 4.0]), register=10.0)

    assert course.rate(hours(0, 1.5, 2, 9)).tolist() == [0, 4, 0, 0]
    assert course.total(hours(0, 9)).tolist() == [10, 14]


@given(_KNOTS, st.floats(0, 1), st.integers(0, 2**64 - 1))
def test_waves_come_to_nothing_over_each_interval(knots: np.ndarray, ripple: float, seed: int) -> None:
    still = Course.through(0, _QUARTER_MS, knots)
    lively = Course.through(0, _QUARTER_MS, knots, ripple=ripple, seed=seed)

    np.testing.assert_allclose(lively.total(still.instants), still.total(still.instants), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(lively.rate(still.instants), still.rate(still.instants), rtol=1e-9, atol=1e-9)


@given(_KNOTS, st.floats(0, 1), st.integers(0, 2**64 - 1))
def test_the_counter_is_the_integral_of_the_rate(knots: np.ndarray, ripple: float, seed: int) -> None:
    course = Course.through(0, _QUARTER_MS, knots, ripple=ripple, seed=seed)
    t_ms = np.arange(0, course.end_ms, 100)

    # The shortest wave lasts 5 s: steps of 0.1 s leave an error of (2 pi / 50)^2 / 12 of it.
    rate = course.rate(t_ms)
    summed = np.concatenate(([0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * 100 / HOUR_MS)))

    np.testing.assert_allclose(course.total(t_ms), summed, atol=1e-5 * (1 + knots.max()))


@given(_KNOTS, st.floats(0, 1), st.integers(0, 2**64 - 1))
def test_the_rate_is_never_negative_and_the_counter_never_falls(knots: np.ndarray, ripple: float, seed: int) -> None:
    course = Course.through(0, _QUARTER_MS, knots, register=1e6, ripple=ripple, seed=seed)
    t_ms = np.arange(-1000, course.end_ms + 1000, 777)

    assert course.rate(t_ms).min() >= 0
    assert np.diff(course.total(t_ms)).min() >= -1e-9


def test_the_same_seed_and_instant_give_the_same_value_and_another_seed_another() -> None:
    one, again, other = (
        Course.through(0, _QUARTER_MS, np.array([50.0, 50.0]), ripple=0.1, seed=seed) for seed in (7, 7, 8)
    )
    t_ms = np.arange(0, _QUARTER_MS, 5000)

    assert one.rate(t_ms).tolist() == again.rate(t_ms).tolist()
    assert not np.allclose(one.rate(t_ms), other.rate(t_ms))


def test_power_moves_within_a_minute() -> None:
    course = Course.through(0, _QUARTER_MS, np.array([50.0, 50.0]), ripple=0.1, seed=7)

    assert np.ptp(course.rate(np.arange(60_000, 120_000, 1000))) > 1


def test_values_at_many_instants_are_those_at_each() -> None:
    course = Course.through(0, _QUARTER_MS, np.array([50.0, 10.0, 30.0]), ripple=0.1, seed=7)
    t_ms = np.arange(0, course.end_ms, 12_345)

    assert course.total(t_ms).tolist() == [course.total(t_ms[i : i + 1])[0] for i in range(len(t_ms))]


def test_loads_together_add_up() -> None:
    both = Together([Steady(2.0, 0), Course.through(0, HOUR_MS, np.array([4.0, 4.0]), register=10.0)])

    assert both.rate(hours(0.5)).tolist() == [6]
    assert both.total(hours(0.5)).tolist() == [13]


def test_what_flowed_within_a_window_stays_for_good() -> None:
    leak = Within(Steady(3.0, 0), [(HOUR_MS, 2 * HOUR_MS), (4 * HOUR_MS, None)])

    assert leak.rate(hours(0, 1, 1.5, 2, 3, 5)).tolist() == [0, 3, 3, 0, 0, 3]
    assert leak.total(hours(0, 1.5, 2, 3, 6)).tolist() == [0, 1.5, 3, 3, 9]


def test_a_conversion_takes_each_step_at_its_own_factor() -> None:
    doubled_then_tripled = Converted(Steady(1.0, 0), lambda step: step.astype(np.float64) + 2, hours(0, 1, 2))

    assert doubled_then_tripled.rate(hours(0.5, 1.5)).tolist() == [2, 3]
    assert doubled_then_tripled.total(hours(0.5, 1, 1.5, 2)).tolist() == [1, 2, 3.5, 5]


def test_a_ripple_that_could_turn_the_flow_around_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ripple 1\.5 is not within 0\.\.1"):
        Course.through(0, HOUR_MS, np.array([1.0, 1.0]), ripple=1.5)
