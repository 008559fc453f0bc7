"""The glossary names every quantity as the code does."""

from __future__ import annotations

from energy.quantities import QUANTITIES
from tests.docs.generated import BEGIN, END, GLOSSARY, HOW, quantity_table, renewed_glossary


def test_the_table_of_quantities_is_that_of_the_code() -> None:
    text = GLOSSARY.read_text(encoding="utf-8")

    assert text.count(BEGIN) == text.count(END) == 1
    assert text == renewed_glossary(GLOSSARY), f"docs/glossary.md is out of date; renew it with: {HOW}"


def test_every_quantity_has_a_row_of_its_own() -> None:
    rows = quantity_table().splitlines()[2:]

    assert len(rows) == len(QUANTITIES)
    assert rows[0].startswith("| `active_energy_import` | kWh | counter | 正向有功电能 |")
