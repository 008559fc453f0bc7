"""Forecasts use nothing of the future, say when they know too little, and keep their word."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.quotas.daily import Floats, days_with_holidays, plain_days
from analytics.quotas.forecast import METHODS, rest_of_month, rest_of_year
from analytics.quotas.intervals import LEAST_MISSES, Calibration, Horizon, Misses
from analytics.quotas.weather import degree_days

# A Wednesday.
FIRST = date(2024, 1, 3)


def weeks(count: int) -> Floats:
    """Five days of 10 and two of 4, (n, 1); the first is a Wednesday."""
    week = [10.0, 10.0, 10.0, 4.0, 4.0, 10.0, 10.0]
    return np.array(week * count)[:, None]


def test_a_steady_counter_goes_on_as_it_is() -> None:
    daily = weeks(70)

    month = rest_of_month(daily, plain_days(FIRST, 490), 400, 430)
    year = rest_of_year(daily, plain_days(FIRST, 490), 400, 480, 363)

    np.testing.assert_allclose(month.days, daily[400:430])
    np.testing.assert_allclose(year.days, daily[400:480])
    assert METHODS[month.method[0]] == "weekdays and season"


def test_a_season_of_last_year_comes_again() -> None:
    # Twice as much from day 36 of each year of weeks on, for four weeks.
    daily = weeks(120)
    for year in (0, 1):
        daily[364 * year + 36 : 364 * year + 64] *= 2

    found = rest_of_month(daily, plain_days(FIRST, 840), 364 + 36, 364 + 64)

    # The own season by a power of 0.4, that of all (here the same) by 0.3.
    np.testing.assert_allclose(found.days, weeks(120)[400:428] * 2**0.7)


def test_nothing_after_the_instant_of_the_forecast_is_used() -> None:
    rng = np.random.default_rng(3)
    daily = weeks(110) * rng.lognormal(0, 0.1, (770, 5))
    other = daily.copy()
    other[600:] = rng.lognormal(3, 2, (170, 5))
    days, degrees = plain_days(FIRST, 770), degree_days(rng.normal(10, 8, 770))
    after = degrees.copy()
    after[600:] = 30.0

    assert (rest_of_month(daily, days, 600, 620).days == rest_of_month(other, days, 600, 620).days).all()
    one = rest_of_year(daily, days, 600, 700, 500, degrees).days
    assert (one == rest_of_year(other, days, 600, 700, 500, after).days).all()


def test_too_little_history_is_said_and_no_number_is_made_up() -> None:
    young = np.full((430, 1), np.nan)
    young[395:] = 5.0
    days = plain_days(FIRST, 500)

    assert METHODS[rest_of_month(young[:400], days, 400, 420).method[0]] == "too little history"
    month = rest_of_month(young, days, 430, 440)
    assert METHODS[month.method[0]] == "weekdays"
    np.testing.assert_allclose(month.days, 5.0)
    year = rest_of_year(young, days, 430, 500, 380)
    assert METHODS[year.method[0]] == "too little history"
    assert np.isnan(year.days).all()


def test_a_holiday_is_set_against_the_same_holiday_wherever_it_lay() -> None:
    spring = {date(2025, 1, 29): "spring/1", date(2026, 2, 17): "spring/1"}
    days = days_with_holidays(date(2025, 1, 1), 500, spring.get)

    assert days.before[days.index(date(2026, 2, 17))] == days.index(date(2025, 1, 29))
    # 364 days before lies the holiday of 2025; a week earlier does not.
    assert days.before[days.index(date(2026, 1, 28))] == days.index(date(2025, 1, 22))
    daily = np.full((500, 1), 10.0)
    daily[days.index(date(2025, 1, 29))] = 1.0

    start = days.index(date(2026, 2, 10))
    found = rest_of_month(daily, days, start, days.index(date(2026, 3, 1))).days

    assert found[days.index(date(2026, 2, 17)) - start, 0] == pytest.approx(1.0)
    assert found[0, 0] == pytest.approx(10.0)


def test_a_heated_building_is_expected_under_normal_weather() -> None:
    # Three years of 5 a day and 2 for each degree below 15.5; the winter that is now was 5 degrees colder than normal.
    n = 3 * 364
    season = 10 - 12 * np.cos(np.arange(n) * 2 * np.pi / 364)
    season[2 * 364 - 40 : 2 * 364] -= 5
    degrees = degree_days(season)
    daily = (5 + 2 * degrees[:, :1]).astype(np.float64)
    start, stop = 2 * 364, 3 * 364

    days, past = plain_days(date(2023, 1, 1), n), daily[:start]
    with_weather = rest_of_year(past, days, start, stop, start, degrees)
    without = rest_of_year(past, days, start, stop, start)

    assert METHODS[with_weather.method[0]] == "last year and weather"
    true = daily[start:stop].sum()
    assert abs(with_weather.days.sum() - true) < abs(without.days.sum() - true) / 1.5


def test_an_interval_holds_what_it_promises_of_the_next_one() -> None:
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(400):
        misses = Misses.of(rng.lognormal(0, 0.2, 99).tolist())
        low, high = misses.interval(np.array([50.0]), np.array([100.0]))
        inside += int(low[0] <= 50 + 100 * rng.lognormal(0, 0.2) <= high[0])

    assert 0.86 <= inside / 400 <= 0.94


def test_the_chance_of_exceeding_counts_the_misses_beyond() -> None:
    # Ratios 0.81 to 1.19; with 40 used and 100 expected a quota of 150.5 leaves 1.105, and nine of 39 are above.
    misses = Misses.of(0.81 + i / 100 for i in range(39))
    used, expected = np.array([40.0]), np.array([100.0])

    assert misses.chance_above(used, expected, np.array([150.5]))[0] == pytest.approx(9.5 / 40)
    assert misses.chance_above(used, expected, np.array([39.0]))[0] == 1.0
    assert np.isnan(misses.chance_above(used, np.array([np.nan]), np.array([150.5]))[0])


def test_few_misses_promise_nothing() -> None:
    calibration = Calibration({("gas", Horizon.MONTH, 1): Misses.of([1.0] * (LEAST_MISSES - 1))})

    assert calibration.at("gas", Horizon.MONTH, 5 / 30) is None


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1000), st.integers(380, 420))
def test_a_forecast_scales_with_the_unit(factor: float, start: int) -> None:
    rng = np.random.default_rng(7)
    daily = weeks(62) * rng.lognormal(0, 0.2, (434, 3))
    days = plain_days(FIRST, 434)

    one = rest_of_month(daily, days, start, start + 10).days
    np.testing.assert_allclose(rest_of_month(daily * factor, days, start, start + 10).days, one * factor, rtol=1e-9)
