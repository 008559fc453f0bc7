"""Every quantity has one name, one unit and one kind."""

from __future__ import annotations

import pytest

from energy import quantities
from energy.errors import KindError, UnknownName
from energy.quantities import HEADLINES, QUANTITIES, Kind, Medium, Quantity, Transformed, headline, medium_of, quantity
from energy.units import dimension


def test_no_name_is_given_twice() -> None:
    made = [*quantities._electricity(), *quantities._fluids(), *quantities._environment()]

    assert len(made) == len({q.name for q in made}) == len(QUANTITIES)


@pytest.mark.parametrize("medium", list(Medium))
def test_every_headline_is_a_quantity(medium: Medium) -> None:
    assert HEADLINES[medium]
    assert set(HEADLINES[medium]) <= set(QUANTITIES)


@pytest.mark.parametrize("found", QUANTITIES.values(), ids=str)
def test_energies_and_volumes_are_counted_and_all_else_is_gauged(found: Quantity) -> None:
    counted = dimension(found.unit) in {"active energy", "reactive energy", "volume", "heat"}

    assert (found.kind is Kind.COUNTER) == counted


@pytest.mark.parametrize("found", QUANTITIES.values(), ids=str)
def test_every_quantity_is_named_in_both_languages(found: Quantity) -> None:
    assert found.zh
    assert found.en


def test_each_kind_refuses_the_other() -> None:
    quantity("active_power").must_be(Kind.GAUGE)
    quantity("active_energy_import").must_be(Kind.COUNTER)
    with pytest.raises(KindError, match="active_power is a gauge, not a counter"):
        quantity("active_power").must_be(Kind.COUNTER)
    with pytest.raises(KindError, match="volume is a counter, not a gauge"):
        quantity("volume").must_be(Kind.GAUGE)


def test_a_misspelled_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'active_power_l1'"):
        quantity("active_powr_l1")


def test_a_name_like_no_other_is_answered_with_where_names_are_listed() -> None:
    with pytest.raises(UnknownName, match="glossary"):
        quantity("xyz")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("active_power_l2", Transformed.POWER),
        ("active_energy_import", Transformed.POWER),
        ("voltage_l1l2", Transformed.VOLTAGE),
        ("current_avg", Transformed.CURRENT),
        ("power_factor", Transformed.NONE),
        ("frequency", Transformed.NONE),
        ("volume", Transformed.NONE),
    ],
)
def test_transformers_multiply_what_passes_through_them(name: str, expected: Transformed) -> None:
    assert quantity(name).transformed is expected


def test_a_quantity_without_a_range_is_refused() -> None:
    with pytest.raises(ValueError, match="low 5 is not below high 5"):
        Quantity("x", "kW", Kind.GAUGE, "x", "x", 5, 5)


def test_the_headline_is_the_best_that_the_meter_reports() -> None:
    assert headline(Medium.ELECTRICITY, ["frequency", "active_energy_import", "active_power"]) == "active_power"
    assert headline(Medium.ELECTRICITY, ["frequency"]) == "frequency"
    assert headline(Medium.WATER, []) is None


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (["active_power"], Medium.ELECTRICITY),
        (["flow_rate", "volume"], Medium.WATER),
        (["flow_rate", "volume", "heat_energy"], Medium.HEAT),
        (["volume_standard", "pressure"], Medium.GAS),
        (["air_temperature"], Medium.ENVIRONMENT),
    ],
)
def test_the_medium_is_told_by_what_is_measured(measured: list[str], expected: Medium) -> None:
    assert medium_of(measured) is expected
