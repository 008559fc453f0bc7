"""Units convert by exact factors, and never into something that they do not measure."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.errors import UnitError
from energy.units import _UNITS, dimension, factor

units = st.sampled_from(sorted(_UNITS))


@pytest.mark.parametrize(
    ("given_unit", "wanted", "expected"),
    [
        ("Wh", "kWh", Fraction(1, 1000)),
        ("MWh", "kWh", Fraction(1000)),
        ("MPa", "kPa", Fraction(1000)),
        ("bar", "kPa", Fraction(100)),
        ("L/h", "m3/h", Fraction(1, 1000)),
        ("mA", "A", Fraction(1, 1000)),
        ("MJ", "GJ", Fraction(1, 1000)),
        # 1 GJ/h = 10^9 J / 3600 s = 277.7... kW
        ("GJ/h", "kW", Fraction(2500, 9)),
        ("kW", "W", Fraction(1000)),
    ],
)
def test_a_factor_is_exact(given_unit: str, wanted: str, expected: Fraction) -> None:
    assert factor(given_unit, wanted) == expected


@given(units, units, units)
def test_factors_lead_back_and_onward(a: str, b: str, c: str) -> None:
    if dimension(a) == dimension(b) == dimension(c):
        assert factor(a, b) * factor(b, a) == 1
        assert factor(a, b) * factor(b, c) == factor(a, c)


def test_nothing_converts_into_what_it_does_not_measure() -> None:
    strangers = [(a, b) for a, b in product(_UNITS, _UNITS) if dimension(a) != dimension(b)]

    for a, b in strangers:
        with pytest.raises(UnitError):
            factor(a, b)
    assert strangers


def test_energy_is_not_power_and_the_message_says_so() -> None:
    with pytest.raises(UnitError, match="'kWh' measures active energy and 'kW' measures active power"):
        factor("kWh", "kW")


@pytest.mark.parametrize("unit", ["kwh", "KWh", "kWh ", "m³", "°C", "J"])
def test_a_unit_that_nobody_knows_is_refused_with_those_that_are_known(unit: str) -> None:
    with pytest.raises(UnitError, match="known are Wh, kWh"):
        factor(unit, "kWh")
