"""The page about tariffs shows what is so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from analytics.tariffs import words
from analytics.tariffs.account import Use
from analytics.tariffs.bill import bill
from analytics.tariffs.hours import Band
from analytics.tariffs.reconciliation import Cause
from analytics.tariffs.tariff_file import read_tariffs
from energy.confidence import Confidence
from energy.documents import Words
from tests.docs.pages import ROOT, block

PAGE = ROOT / "docs" / "tariffs.md"
TEXT = PAGE.read_text(encoding="utf-8")
ALL = [w for w in vars(words).values() if isinstance(w, type) and issubclass(w, Words) and w is not Words]


def test_the_bill_that_is_shown_is_that_of_the_tariff_that_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(block(PAGE, "yaml tariff"), encoding="utf-8")
    [tariff] = read_tariffs(file)
    bands = {Band.PEAK: Decimal(1000), Band.VALLEY: Decimal(500)}

    made = bill(tariff, "2026-05", Use(bands, reactive=Decimal(0), capacity=Decimal(100)))

    shown = TEXT[: TEXT.index("## Keys")].replace("−", "-")
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in shown.splitlines() if row.startswith("|")]
    assert [(row[0], row[-1]) for row in rows[2:]] == [
        *((line.name.zh, str(line.amount)) for line in made.lines),
        ("total", str(made.total)),
    ]


@pytest.mark.parametrize("of", ALL, ids=lambda of: of.__name__)
def test_every_key_is_told(of: type[Words]) -> None:
    told = TEXT + "`zh` `en`"

    assert [key for key in of.model_fields if f"`{key}`" not in told] == []


def test_every_band_confidence_and_cause_is_told() -> None:
    wanted = [f"`{b.word}` {b.text.zh}" for b in Band if b is not Band.NONE] + [f"`{c}`" for c in Confidence]

    assert [word for word in [*wanted, *(f"| {c} |" for c in Cause)] if word not in TEXT] == []
