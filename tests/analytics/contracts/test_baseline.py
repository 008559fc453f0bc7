"""Frozen baselines: exact, with their figures, their checks, and a hash of the days that they come from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from analytics.contracts.baseline import UNITS, Baseline, Segment, spelled, whole
from analytics.contracts.canonical import canonical, digest, is_sealed, sealed
from analytics.contracts.day_kinds import DayKind, kind_of, kinds_of
from analytics.contracts.fit_figures import fit_figures
from analytics.contracts.fitting import DayValues, Named, agreed, fitted
from analytics.contracts.sufficiency import data_checks, day_range
from analytics.contracts.uncertainty import empirical, guideline_14
from energy.errors import EnergyError

NAMED = Named("savings", 1, "kWh", ("main:active_energy_import",), "54511")
FIRST = date(2025, 1, 1)


def values(n: int = 365, *, noise: float = 3.0) -> DayValues:
    """Days of a building that is heated below 15.5 degC, and half empty at weekends."""
    days = day_range(FIRST, FIRST + timedelta(days=n))
    random = np.random.default_rng(5)
    kinds = kinds_of(days)
    hundredths = [round(100 * (13 - 15 * np.cos(i * 2 * np.pi / 365) + random.normal(0, 2))) for i in range(n)]
    amount = [
        round((300.0 if kind is DayKind.WORKDAY else 150.0) + 8.0 * max(0.0, 15.5 - t / 100) + random.normal(0, noise))
        * 1_000_000
        for kind, t in zip(kinds, hundredths, strict=True)
    ]
    return DayValues(days, kinds, hundredths, amount)


def test_a_day_of_a_baseline_is_exact_to_the_last_digit() -> None:
    segment = Segment.of_plain(
        {"base": "100.1", "heating": "2.500001", "heating_below": "15.50", "cooling": "3", "cooling_above": "24"}
    )

    # 100.1 + 2.500001 * (15.50 - 10.47) = 112.67500503; 100.1 + 3 * 1.25; nothing flows between 15.50 and 24.
    assert [Decimal(segment.at(t)) / UNITS for t in (1047, 2525, 2000)] == [
        Decimal("112.67500503"),
        Decimal("103.85"),
        Decimal("100.1"),
    ]
    assert Segment.of_plain(segment.plain()) == segment


def test_what_is_frozen_comes_back_as_it_was_and_any_change_breaks_its_hash() -> None:
    made = fitted(values(), "daily", NAMED, {FIRST + timedelta(days=40): "power cut, record 7"})

    plain = made.plain()

    again = Baseline.of_plain(plain)
    assert again.plain() == plain
    assert is_sealed(plain)
    assert not is_sealed({**plain, "station": "other"})
    assert plain["excluded"] == {"2025-02-10": "power cut, record 7"}
    assert made.figures is not None
    assert made.figures.n == 364


def test_a_baseline_finds_the_building_and_says_how_well() -> None:
    made = fitted(values(), "daily", NAMED)

    work, sunday = made.segments[DayKind.WORKDAY], made.segments[DayKind.SUNDAY]
    assert work.base / 1e6 == pytest.approx(300, abs=2)
    assert sunday.base / 1e6 == pytest.approx(150, abs=2)
    assert work.heating / 1e6 == pytest.approx(8, abs=0.3)
    assert made.figures is not None
    assert made.figures.r2 > 0.99
    assert [c.name for c in made.checks if not c.passed] == []
    monthly = fitted(values(), "monthly", NAMED)
    assert monthly.figures is not None
    assert monthly.figures.n == 12


def test_months_that_the_model_has_not_seen_tell_how_far_it_is_off() -> None:
    quiet, loud = (fitted(values(noise=noise), "daily", NAMED).placebo for noise in (3.0, 60.0))

    # Twelve months of 30 days with a noise of 3 in some 300: far below one percent; twenty times the noise, far above.
    assert quiet is not None
    assert loud is not None
    assert 0 < float(quiet) < 0.01 < float(loud) < 0.15
    assert agreed(1, NAMED, FIRST, date(2026, 1, 1)).placebo is None
    # Of seven months nothing can be said of nine in ten.
    assert fitted(values(200), "daily", NAMED).placebo is None


def test_figures_of_a_fit_by_hand() -> None:
    figures = fit_figures(np.array([10.0, 20.0, 30.0, 40.0]), np.array([12.0, 18.0, 32.0, 42.0]), 2)

    # Residuals 2, -2, 2, 2; of 4 - 2 degrees of freedom; the mean is 25; the spread 225 + 25 + 25 + 225.
    assert (figures.n, figures.p) == (4, 2)
    assert figures.r2 == pytest.approx(1 - 16 / 500)
    assert figures.cv_rmse == pytest.approx(8**0.5 / 25)
    assert figures.nmbe == pytest.approx(4 / (2 * 25))


def test_the_same_days_have_the_same_hash_and_another_reading_another() -> None:
    one = values()

    assert one.sha256 == values().sha256
    amount = [*one.amount[:-1], (one.amount[-1] or 0) + 1]
    assert replace(one, amount=amount).sha256 != one.sha256


def test_too_few_days_and_days_without_weather_are_refused_with_what_would_do() -> None:
    with pytest.raises(EnergyError, match=r"only 7 days have both an amount and a temperature; .* needs 8 at least"):
        fitted(values(7), "daily", NAMED)
    with pytest.raises(EnergyError, match="only 3 months have"):
        fitted(values(100), "monthly", NAMED)
    blind = replace(values(), temperature=[None] * 365)
    with pytest.raises(EnergyError, match="only 0 days"):
        fitted(blind, "daily", NAMED)


def test_data_that_do_not_suffice_are_told_by_name() -> None:
    days = day_range(date(2025, 1, 1), date(2025, 7, 1))
    energy = np.ones(len(days))
    energy[40:50] = np.nan
    energy[3] = -1

    found = {c.name: c for c in data_checks(days, energy)}

    assert [n for n, c in found.items() if not c.passed] == ["span", "coverage_of_months", "negative"]
    assert (found["span"].found, found["span"].wanted) == ("181 d", "328-1096 d")
    assert found["coverage_of_months"].found == "2025-02"


def test_an_agreed_amount_needs_no_weather() -> None:
    made = agreed(120_500_000, NAMED, FIRST, date(2026, 1, 1))

    assert not made.by_weather
    assert made.of_days([DayKind.WORKDAY], [None]) == [120_500_000 * 100]
    heated = Baseline.of_plain({**made.plain(), "segments": fitted(values(), "daily", NAMED).plain()["segments"]})
    assert heated.of_days([DayKind.WORKDAY], [None]) == [None]


def test_a_weekend_day_that_is_worked_is_a_workday_even_in_a_holiday() -> None:
    saturday = date(2026, 2, 14)

    assert kind_of(saturday) is DayKind.SATURDAY
    assert kind_of(saturday, holidays=[saturday]) is DayKind.HOLIDAY
    assert kind_of(saturday, holidays=[saturday], workdays=[saturday]) is DayKind.WORKDAY


def test_the_formula_of_guideline_14_by_hand() -> None:
    # Without autocorrelation n' = n: 1.645 * 1.26 * 0.1 * sqrt((1 + 2 / 400) / 100) / 0.2.
    figures = replace(fit_figures(np.arange(1.0, 401), np.arange(1.0, 401), 5), cv_rmse=0.1, autocorrelation=0.0)

    assert guideline_14(figures, 100, 0.2) == pytest.approx(1.6449 * 1.26 * 0.1 * (1.005 / 100) ** 0.5 / 0.2, rel=1e-4)
    assert guideline_14(replace(figures, autocorrelation=0.99), 100, 0.2) is None
    assert guideline_14(figures, 100, -0.1) is None


def test_the_empirical_interval_is_the_quantile_that_holds_for_the_next_placebo() -> None:
    errors = np.array([0.01 * i * (-1) ** i for i in range(1, 20)])

    # ceil(0.9 * 20) = the 18th of 19.
    assert empirical(errors) == pytest.approx(0.18)
    assert empirical(errors[:9]) is None


def test_canonical_documents_have_one_spelling_and_no_floats() -> None:
    assert canonical({"b": [1, "x"], "a": None}) == b'{"a":null,"b":[1,"x"]}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert sealed({"a": 1, "sha256": "wrong"}) == sealed({"a": 1})
    with pytest.raises(TypeError, match=r"1\.5 is a float"):
        canonical({"a": [{"b": 1.5}]})


def test_decimals_are_spelled_and_read_without_loss() -> None:
    assert [spelled(v, 2) for v in (5, -5, 1234)] == ["0.05", "-0.05", "12.34"]
    assert whole("-0.05", 2) == -5
    with pytest.raises(ValueError, match="has more than 2 decimals"):
        whole("1.234", 2)
