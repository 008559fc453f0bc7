"""Pages and tables that are made from the code. `python -m tests.docs.generated` writes them anew."""

from __future__ import annotations

from pathlib import Path

from energy.quantities import QUANTITIES
from jieneng.meter_pages import supported_meters, table
from tests.docs.pages import ROOT

HOW = "python -m tests.docs.generated"
GLOSSARY = ROOT / "docs" / "glossary.md"
METERS = ROOT / "docs" / "supported-meters.md"
BEGIN, END = f"<!-- made by `{HOW}`; do not edit by hand -->", "<!-- end of what is made -->"


def renew() -> None:
    """Write what is made from the code into the pages."""
    GLOSSARY.write_text(renewed_glossary(GLOSSARY), encoding="utf-8")
    METERS.write_text(supported_meters(), encoding="utf-8")


def renewed_glossary(page: Path) -> str:
    """The glossary with its table of quantities as the code has it."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{quantity_table()}{END}{after}"


def quantity_table() -> str:
    """All quantities."""
    rows = [(f"`{q.name}`", q.unit or "-", q.kind, q.zh, q.en, _range(q.low, q.high)) for q in QUANTITIES.values()]
    return table(("name", "unit", "kind", "中文", "English", "plausible"), rows)


def _range(low: float, high: float) -> str:
    return f"{low:g} … {high:g}"


if __name__ == "__main__":
    renew()
