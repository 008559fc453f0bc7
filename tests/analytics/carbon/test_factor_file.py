"""Factor files: what is shipped, and that what is wrong is refused with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from analytics.carbon.factor_file import read_factors
from analytics.carbon.factors import Carrier, Factor, FactorKind
from energy.confidence import Confidence
from energy.errors import ConfigurationError, UnknownName
from energy.sites import Text
from tests.analytics.carbon.shipped import book
from tests.docs.pages import ROOT, block

GOOD = """\
version: "1"
sources: {own: our own}
coal:
  - {id: kwh, carrier: electricity, unit: kWh, value: 0.1229, confidence: verified, sources: [own],
     name: {zh: 电, en: e}}
  - {id: heat, carrier: heat, unit: GJ, value: 34.12, confidence: verified, sources: [own], name: {zh: 热, en: h}}
grid:
  - {id: grid_cn_2023, region: {zh: 全国, en: China}, year: 2023, value: 0.5306, confidence: verified, sources: [own]}
footprints:
  - {id: footprint_2023, year: 2023, value: 0.6205, confidence: verified, sources: [own]}
sets:
  - id: s
    name: {zh: 甲, en: s}
    purpose: {zh: 甲, en: s}
    first_year: 2023
    coal: {electricity: kwh}
    co2: {electricity: grid_cn_2023}
"""


def faults(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "factors.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_factors(path)
    return [fault.removeprefix(f"{path}:") for fault in caught.value.faults]


def test_what_is_shipped_can_be_read() -> None:
    assert [s.id for s in book().sets] == [
        "equivalent-2023-national",
        "shandong-db37",
        "frozen-2021",
        "equivalent-2023-zhejiang",
        "equivalent-2023-gansu",
        "equivalent-2023-shaanxi",
    ]
    assert len(book().factors) == 19 + 9 + 4 + 122
    assert all(f.source for f in book().factors)
    assert any("2019 and 2020" in gap for gap in book().gaps)


@pytest.mark.parametrize(
    ("id", "value", "confidence"),
    [
        ("grid_cn_2021", "0.5568", "verified"),
        ("grid_cn_2022", "0.5366", "verified"),
        ("grid_cn_2023", "0.5306", "verified"),
        ("grid_cn_2023_unmarketed", "0.6096", "verified"),
        ("grid_330000_2023", "0.4974", "verified"),
        ("grid_620000_2023", "0.4471", "single_source"),
        ("grid_610000_2023", "0.6335", "single_source"),
        ("grid_cn_2015", "0.6101", "recalled"),
    ],
)
def test_grid_factors_are_those_that_were_announced(id: str, value: str, confidence: str) -> None:
    factor = book().factor(FactorKind.CO2, id)

    assert (factor.value, factor.confidence) == (Decimal(value), Confidence(confidence))
    assert factor.name.en.startswith("grid of ")


def test_water_has_no_factor_and_no_set_has_tibet() -> None:
    assert not [f for f in book().factors if f.carrier is Carrier.WATER]
    with pytest.raises(UnknownName, match="did you mean"):
        book().factor(FactorKind.CO2, "grid_540000_2023")


def test_every_factor_that_a_set_chose_fits_its_carrier() -> None:
    for found in book().sets:
        for kind in FactorKind:
            assert all(f.carrier is c and f.kind is kind for c, f in found.chosen(kind).items())


def test_the_file_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "factors.yaml"
    path.write_text(block(ROOT / "docs" / "factors.md", "yaml factors"), encoding="utf-8")

    assert [s.id for s in read_factors(path).sets] == ["ours"]


def test_the_documentation_tells_what_each_set_chose() -> None:
    text = (ROOT / "docs" / "factors.md").read_text(encoding="utf-8")

    for found in book().sets:
        grid = found.co2[Carrier.ELECTRICITY].value if Carrier.ELECTRICITY in found.co2 else "none"
        coal = found.coal[Carrier.ELECTRICITY].value, found.coal[Carrier.NATURAL_GAS].value
        assert f"| `{found.id}` | {coal[0]} | {coal[1]} | {grid} | {found.first_year} on |" in text


def test_an_unknown_set_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'frozen-2021'"):
        book().set("frozen-2020")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("0.1229", "1.229", "4: coal[0].value = 1.229: 1.229 kgce/kWh is not within 0.1..1, where factors of electric"),
        ("0.1229", "0.01229", "4: coal[0].value = 0.01229: 0.01229 kgce/kWh is not within 0.1..1"),
        ("34.12", "0.03412", "6: coal[1].value = 0.03412: 0.03412 kgce/GJ is not within 30..40"),
        ("unit: GJ", "unit: MJ", "6: coal[1].value = 34.12: must be kgce per GJ, not per MJ"),
        ("carrier: heat", "carrier: water", "6: coal[1].value = 34.12: water has no coal factor here"),
        ("0.5306", "530.6", "8: grid[0].value = 530.6: 530.6 kgCO2/kWh is not within 0.05..1.3"),
        ("id: heat", "id: kwh", "6: coal[1].id = 'kwh': there is another coal factor of this id"),
        ("0.5306, confidence: verified, sources: [own]", "0.5306, confidence: verified, sources: [om]",
         "8: grid[0].sources[0] = 'om': is no source of this file; known are own"),
        ("0.5306, confidence: verified, sources: [own]", "0.5306, confidence: verified, sources: []",
         "8: grid[0].sources: a figure needs a source"),
        ("{electricity: kwh}", "{electricity: kw}",
         "16: sets[0].coal.electricity = 'kw': is no coal factor of electricity; did you mean 'kwh'?"),
        ("{electricity: kwh}", "{electricity: heat}",
         "16: sets[0].coal.electricity = 'heat': is a factor of heat, not of electricity"),
        ("{electricity: kwh}", "{water: kwh}", "16: sets[0].coal.water = 'kwh': water is never converted"),
        ("{electricity: kwh}", "{solar_self_used: kwh}",
         "16: sets[0].coal.solar_self_used = 'kwh': counts as electricity and emits nothing"),
        ("{electricity: grid_cn_2023}", "{electricity: footprint_2023}",
         "17: sets[0].co2.electricity = 'footprint_2023': is a footprint of the whole life"),
        ("first_year: 2023", "first_year: 2023\n    last_year: 2022",
         "16: sets[0].last_year = 2022: last_year 2022 is before first_year 2023"),
        ("GJ, value: 34.12, confidence: verified", "GJ, value: 34.12, confidence: sure",
         "6: coal[1].confidence = 'sure': must be 'verified'"),
        ("value: 0.1229", "value: .nan", "4: coal[0].value = nan: "),
        ("    first_year: 2023\n", "", "12: sets[0].first_year: is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, fault: str) -> None:
    found = faults(tmp_path, (old, new))

    assert found[0].startswith(fault), found


def test_all_that_does_not_fit_is_told_at_once_in_order(tmp_path: Path) -> None:
    found = faults(
        tmp_path, ("0.1229", "1.229"), ("0.5306", "5.306"), ("34.12", "3.412"), ("footprints:", "gaps: []\nfootprints:")
    )

    assert [fault.split(":")[0] for fault in found] == ["4", "6", "8", "17", "18"]
    assert found[3].endswith("is a factor that was refused above")


def test_a_set_of_the_same_id_is_refused(tmp_path: Path) -> None:
    again = GOOD[GOOD.index("  - id: s\n") :]

    assert faults(tmp_path, (again, again + again)) == [
        "18: sets[1].id = 's': there is another set of this id; give each its own"
    ]


def test_a_factor_refuses_to_be_ten_times_too_small() -> None:
    with pytest.raises(ValueError, match=r"0.21622 kgCO2/m3 is not within 1.5..3, where factors of natural_gas lie"):
        Factor(
            FactorKind.CO2, "gas", Text("气", "gas"), Carrier.NATURAL_GAS, "m3", Decimal("0.21622"), "1", "own",
            Confidence.VERIFIED,
        )  # fmt: skip


def test_figures_may_have_versions_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "factors.yaml"
    path.write_text(GOOD.replace("value: 34.12", 'version: "2", value: 34.12'), encoding="utf-8")

    assert [f.version for f in read_factors(path).factors] == ["1", "2", "1"]
