"""Standards as data: what ships, the worked numbers of its documents, and the traps that others fell into."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.carbon.factor_file import read_factors
from analytics.carbon.factor_sets import total
from analytics.carbon.factors import Carrier
from analytics.quotas.choosing import Case, choose
from analytics.quotas.comparing import compare
from analytics.quotas.standard_file import read_standards
from analytics.quotas.standards import Dimension, QuotaError, StandardBook, Value
from analytics.reporting.figures import Figure
from analytics.reporting.indicators import indicators
from energy.confidence import Confidence
from energy.errors import ConfigurationError

DAY = date(2026, 3, 31)
FACTORS = read_factors(Path("config/factors.yaml"))
OFFICE = {Dimension.INSTITUTION: "office", Dimension.LEVEL: "city_and_below"}


def book() -> StandardBook:
    return read_standards(sorted(Path("config/quotas").glob("*.yaml")), [s.id for s in FACTORS.sets])


def coal_per_area(factor_set: str) -> Figure:
    """400,000 kWh over 10,000 m2."""
    made = FACTORS.set(factor_set).convert(Carrier.ELECTRICITY, Decimal(400_000), "kWh", 2025)
    return Figure(made.kgce / 10_000, "kgce/m2")


def test_every_figure_that_ships_is_marked_as_uncertain_as_it_is() -> None:
    standards = book().standards

    assert [s.id for s in standards] == [
        "GB/T 51161-2016",
        "DB37/T 2672-2019",
        "DB37/T 2673-2019",
        "DB37/T 3780-2019",
        "DB37/T 4452-2021",
    ]
    assert all(r.confidence is not Confidence.VERIFIED for s in standards for r in s.rows)


def test_the_zone_is_told_by_the_place_and_a_wrong_one_is_refused() -> None:
    standard = book().standard("DB37/T 2672-2019")

    inland = choose(standard, "non_heating_energy_per_area", Case(OFFICE, "济南"), DAY)
    coast = choose(standard, "non_heating_energy_per_area", Case(OFFICE, "青岛"), DAY)

    assert inland.values == {
        Value.LIMIT: Decimal("20.8"),
        Value.REFERENCE: Decimal("12.6"),
        Value.GUIDING: Decimal("6.9"),
    }
    assert coast.values[Value.REFERENCE] == Decimal("11.9")
    # 12.2 kgce/m2 is within the reference value inland and above it on the coast.
    figure = Figure(Decimal("12.2"), "kgce/m2")
    assert compare(standard, inland, figure, "shandong-db37").kept == (Value.LIMIT, Value.REFERENCE)
    assert compare(standard, coast, figure, "shandong-db37").kept == (Value.LIMIT,)
    with pytest.raises(QuotaError, match="济南 lies in climate zone B"):
        choose(standard, "non_heating_energy_per_area", Case({**OFFICE, Dimension.CLIMATE: "A"}, "济南"), DAY)


def test_what_is_not_known_is_asked_for_and_never_assumed() -> None:
    standard = book().standard("DB37/T 2672-2019")

    with pytest.raises(QuotaError, match=r"2 lines .* say climate zone \(climate\): A or B"):
        choose(standard, "energy_per_person", Case(OFFICE), DAY)
    with pytest.raises(QuotaError, match="type of heating"):
        choose(standard, "heating_energy_per_area", Case(OFFICE), DAY)
    with pytest.raises(QuotaError, match="has no line of energy_per_person for institution hospital"):
        choose(standard, "energy_per_person", Case({Dimension.INSTITUTION: "hospital"}), DAY)
    with pytest.raises(QuotaError, match="holds from 2019-01-01 on, not on 2018-12-31"):
        choose(standard, "energy_per_person", Case(OFFICE), date(2018, 12, 31))


def test_the_same_electricity_is_two_and_a_half_times_as_much_under_another_set_and_is_not_compared() -> None:
    standard = book().standard("DB37/T 2672-2019")
    row = choose(standard, "non_heating_energy_per_area", Case(OFFICE, "济南"), DAY)
    own, other = coal_per_area("shandong-db37"), coal_per_area("equivalent-2023-national")

    assert (own.value, other.value) == (Decimal("12.4"), Decimal("4.916"))
    assert compare(standard, row, own, "shandong-db37").kept == (Value.LIMIT, Value.REFERENCE)
    # Under the guiding value of 6.9, had it been compared.
    with pytest.raises(
        QuotaError, match="made with factor set shandong-db37, the figure with equivalent-2023-national"
    ):
        compare(standard, row, other, "equivalent-2023-national")


def test_hours_and_density_correct_the_electricity_of_an_office() -> None:
    standard = book().standard("GB/T 51161-2016")
    known = {Dimension.INSTITUTION: "office", Dimension.BUILDING_CLASS: "A", Dimension.CLIMATE: "cold"}
    row = choose(standard, "non_heating_electricity_per_area", Case(known), DAY)
    facts = {"hours_of_use": Decimal(3500), "area_per_person": Decimal(20)}

    found = compare(standard, row, Figure(Decimal(57), "kWh/m2"), None, facts)

    # 0.3 + 0.7 x 2500/3500 = 0.8; 0.7 + 0.3 x 20/10 = 1.3; 57 x 0.8 x 1.3 = 59.28.
    assert [a.factor for a in found.corrections] == [Decimal("0.8"), Decimal("1.3")]
    assert found.corrected == Decimal("59.28")
    assert found.kept == ()
    # With the usual 10 m2 a person it is 45.6: within 55, not within 45.
    usual = compare(standard, row, Figure(Decimal(57), "kWh/m2"), None, {**facts, "area_per_person": Decimal(10)})
    assert (usual.corrected, usual.kept) == (Decimal("45.6"), (Value.LIMIT,))


def test_three_indicators_under_two_factor_sets() -> None:
    found = {}
    for name in ("equivalent-2023-national", "shandong-db37"):
        factors = FACTORS.set(name)
        energy = total(
            [
                factors.convert(Carrier.ELECTRICITY, Decimal(400_000), "kWh", 2025),
                factors.convert(Carrier.NATURAL_GAS, Decimal(10_000), "m3", 2025),
            ]
        )
        made = indicators(
            energy,
            electricity_kwh=Figure(Decimal(400_000), "kWh"),
            water_m3=Figure(Decimal(4_000), "m3"),
            area_m2=Figure(Decimal(10_000), "m2"),
            people=Figure(Decimal(200), "person"),
        )
        found[name] = [made[i].figure.value for i in ("energy_per_area", "energy_per_person", "water_per_person")]

    # 400,000 x 0.1229 + 10,000 x 1.33 = 62,460; x 0.31 and x 1.2143: 136,143 kgce. Water has no factor.
    assert found["equivalent-2023-national"] == [Decimal("6.246"), Decimal("312.3"), Decimal(20)]
    assert found["shandong-db37"] == [Decimal("13.6143"), Decimal("680.715"), Decimal(20)]


def test_water_has_values_of_its_own() -> None:
    standard = book().standard("DB37/T 4452-2021")
    row = choose(standard, "water_per_person", Case({Dimension.INSTITUTION: "office"}), DAY)

    found = compare(standard, row, Figure(Decimal(20), "m3/person"), None)

    assert found.kept == (Value.GENERAL,)
    assert found.share(Value.ADVANCED) == 2
    assert found.share(Value.LIMIT) is None


def test_a_wrong_file_is_refused_with_all_its_faults_and_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        """version: "1"
standards:
  - id: X
    name: {zh: 甲, en: X}
    region: 某省
    source: paper
    confidence: recalled
    valid_from: 2020-01-01
    factor_set: shandong-db3
    rows:
      - {indicator: energy_per_persn, values: {limit: 5}}
      - {indicator: energy_per_person, values: {limit: 5, guiding: 6}}
      - {indicator: water_per_person, values: {limit: 5}}
""",
        encoding="utf-8",
    )

    with pytest.raises(ConfigurationError) as caught:
        read_standards([path], ["shandong-db37"])

    faults = [f.removeprefix(f"{path}:") for f in caught.value.faults]
    assert [f.split(":")[0] for f in faults] == ["9", "11", "12", "13"]
    assert "did you mean 'shandong-db37'?" in faults[0]
    assert "did you mean 'energy_per_person'?" in faults[1]
    assert "limit 5, guiding 6" in faults[2]
    assert "it has general, advanced, leading" in faults[3]
