"""Forms and rules as the operator writes them: what is wrong is told by line, all of it at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from analytics.reporting.check_file import read_rules
from analytics.reporting.form_file import read_form, read_forms
from analytics.reporting.forms import form_for
from energy.errors import ConfigurationError, UnknownName
from tests.analytics.reporting.shipped import form

HEAD = """\
id: consumption
version: "2028"
name: {zh: 表, en: form}
valid_from: 2028-01-01
source: somewhere
items:
"""


def written(folder: Path, text: str, name: str = "form.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read_form(path)
    return [fault.removeprefix(f"{path}:") for fault in refused.value.faults]


def test_the_shipped_form_holds_from_september_2022() -> None:
    assert form_for((form(),), "consumption", date(2026, 6, 1)).version == "2022"
    with pytest.raises(UnknownName, match="no version that holds on 2022-08-31"):
        form_for((form(),), "consumption", date(2022, 8, 31))


def test_all_that_is_wrong_with_a_form_is_told_by_line(tmp_path: Path) -> None:
    items = """\
  - {id: water, name: {zh: 水, en: water}, unit: m3, confidence: verified}
  - {id: water, name: {zh: 水, en: water}, unit: tonnes, confidence: verified}
  - {id: cars, name: {zh: 车, en: cars}, unit: L, part_of: petrol, confidence: verified}
  - {id: wells, name: {zh: 井水, en: wells}, unit: L, part_of: water, confidence: verified}
"""
    told = faults(written(tmp_path, HEAD + items))

    assert [fault.split(":")[0] for fault in told] == ["8", "8", "9", "10"]
    assert "is an item already" in told[0]
    assert "unit 'tonnes' is not known" in told[1]
    assert "is no whole item of the form; there are water" in told[2]
    assert "must be m3, as water that it is a part of" in told[3]


def test_two_versions_that_hold_on_one_day_are_refused(tmp_path: Path) -> None:
    items = "  - {id: water, name: {zh: 水, en: water}, unit: m3, confidence: verified}\n"
    written(tmp_path, HEAD + items, "a.yaml")
    written(tmp_path, HEAD + items, "b.yaml")

    with pytest.raises(ConfigurationError, match=r"b\.yaml: holds .* on days of a\.yaml"):
        read_forms(tmp_path)


def test_all_that_is_wrong_with_rules_is_told_by_line(tmp_path: Path) -> None:
    common = "severity: note, name: {zh: a, en: a}, source: s, confidence: agreed"
    path = written(
        tmp_path,
        'version: "1"\ndue_day: 8\nrules:\n'
        f"  - {{id: a, kind: needed, {common}, item: watr}}\n"
        f"  - {{id: a, kind: price, {common}, item: water, low: 2, high: 1}}\n"
        f"  - {{id: b, kind: band, {common}, indicator: energy_per_are, high: 3}}\n",
    )

    with pytest.raises(ConfigurationError) as refused:
        read_rules(path, (form(),))
    assert [fault.removeprefix(f"{path}:") for fault in refused.value.faults] == [
        "4: rules[0].item = 'watr': is in no form; did you mean 'water'?",
        "5: rules[1].id = 'a': is the id of a rule already; give each its own",
        "5: rules[1]: low 2 must be below high 1",
        "6: rules[2].indicator = 'energy_per_are': is no indicator; did you mean 'energy_per_area'?",
    ]
