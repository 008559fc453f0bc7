"""Change-point curves: what is put in is found again, and no curve of the grid fits better."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.contracts.change_point import STEP, Curve, best, best_of_each, bic
from analytics.contracts.daily import fit_daily
from analytics.contracts.day_kinds import DayKind
from analytics.contracts.degree_days import fit_monthly, summed
from energy.series import Floats


def _days(n: int = 365, seed: int = 1) -> Floats:
    """Temperatures of a year of a place with four seasons."""
    noise = np.random.default_rng(seed).normal(0, 2, n)
    made: Floats = 15 - 14 * np.cos(np.arange(n) * 2 * np.pi / 365) + noise
    return made


@pytest.mark.parametrize(
    ("curve", "parameters"),
    [
        (Curve(500.0), 1),
        (Curve(100.0, heating=20.0, heating_below=15.5), 3),
        (Curve(200.0, cooling=30.0, cooling_above=22.0), 3),
        (Curve(80.0, 10.0, 18.0, 25.0, 18.0), 4),
        (Curve(120.0, 12.0, 12.0, 30.0, 24.0), 5),
    ],
)
def test_the_shape_that_data_were_made_with_is_chosen(curve: Curve, parameters: int) -> None:
    temperature = _days()
    energy = curve.at(temperature) + np.random.default_rng(2).normal(0, 5, len(temperature))

    found = best(temperature, energy).curve

    assert found.parameters == parameters
    assert found.base == pytest.approx(curve.base, abs=8)
    assert (found.heating, found.cooling) == pytest.approx((curve.heating, curve.cooling), rel=0.06)
    if curve.heating:
        assert found.heating_below == pytest.approx(curve.heating_below, abs=1.0)
    if curve.cooling:
        assert found.cooling_above == pytest.approx(curve.cooling_above, abs=1.0)


def test_a_line_is_one_slope_in_all_weather_that_there_was() -> None:
    temperature = _days()

    found = best(temperature, 900 - 10 * temperature).curve

    assert found.parameters == 2
    assert found.at(np.array([-5.0, 30.0])) == pytest.approx([950.0, 600.0])


def _by_hand(temperature: Floats, energy: Floats, parameters: int) -> float:
    """The least sum of squares over the grid, each by its own least squares: slow, and plainly right."""
    low, high = np.quantile(temperature, (0.05, 0.95))
    grid = [i * STEP for i in range(int(np.ceil(low / STEP)), int(np.floor(high / STEP)) + 1)]
    left = [np.inf]
    for heated, cooled in product(grid, grid):
        if (heated == cooled) != (parameters == 4) or heated > cooled:
            continue
        sides = [np.maximum(0, heated - temperature), np.maximum(0, temperature - cooled)]
        design = np.column_stack([np.ones_like(temperature), *sides])
        solved, *_ = np.linalg.lstsq(design, energy, rcond=None)
        if (solved[1:] > 0).all():
            left.append(float(((energy - design @ solved) ** 2).sum()))
    return min(left)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_no_curve_of_the_grid_leaves_less_than_the_one_that_is_found(seed: int) -> None:
    random = np.random.default_rng(seed)
    temperature = random.uniform(-5, 33, 40).round(1)
    energy = Curve(50.0, 5.0, 14.0, 8.0, 23.0).at(temperature) + random.normal(0, 25, 40)

    found = {f.curve.parameters: f.rss for f in best_of_each(temperature, energy)}

    for parameters in (4, 5):
        assert found.get(parameters, np.inf) == pytest.approx(_by_hand(temperature, energy, parameters), rel=1e-6)


def test_what_a_curve_is_said_to_leave_is_what_it_leaves() -> None:
    temperature = _days(90)
    energy = np.random.default_rng(3).uniform(0, 100, 90) + 3 * np.maximum(0, 12 - temperature)

    for fitted in best_of_each(temperature, energy):
        assert fitted.rss == pytest.approx(float(((energy - fitted.curve.at(temperature)) ** 2).sum()))


def test_days_of_one_temperature_have_a_mean_and_no_slope() -> None:
    found = best(np.full(10, 20.0), np.arange(10.0)).curve

    assert (found.parameters, found.base) == (1, 4.5)


def test_kinds_of_days_are_told_apart_where_that_pays() -> None:
    kinds = [DayKind.WORKDAY if i % 7 < 5 else DayKind.SATURDAY if i % 7 == 5 else DayKind.SUNDAY for i in range(364)]
    temperature = _days(364)
    noise = np.random.default_rng(4).normal(0, 3, 364)
    busy = np.array([300.0 if k is DayKind.WORKDAY else 100.0 for k in kinds])

    apart = fit_daily(kinds, temperature, busy + noise)
    alike = fit_daily(kinds, temperature, 100 + noise)

    assert (apart.curves[DayKind.WORKDAY].base, apart.curves[DayKind.SUNDAY].base) == pytest.approx((300, 100), abs=1)
    # There was no holiday: it is like the days that it stands with.
    assert apart.curves[DayKind.HOLIDAY] == apart.curves[DayKind.SUNDAY]
    assert len(set(alike.curves.values())) == 1
    with pytest.raises(ValueError, match="7 days are too few"):
        fit_daily(kinds[:7], temperature[:7], busy[:7])


def test_months_give_back_the_degree_days_that_they_were_made_of() -> None:
    temperature = _days()
    month = np.minimum(np.arange(365, dtype=np.int64) // 30, 11)
    curve = Curve(40.0, heating=6.0, heating_below=16.0)
    energy = summed(month, curve.at(temperature), 12)

    found = fit_monthly(month, temperature, energy)

    assert (found.base, found.heating, found.heating_below) == pytest.approx((40.0, 6.0, 16.0))
    with pytest.raises(ValueError, match="8 months are too few"):
        fit_monthly(month[:240], temperature[:240], energy[:8])


def test_another_parameter_must_earn_its_place() -> None:
    assert bic(100.0, 50, 2) < bic(100.0, 50, 3)
    assert bic(80.0, 50, 3) < bic(100.0, 50, 2)
