"""Pages and tables that are made from the code. `python -m tests.docs.generated` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from collectors.meter_profile import FOLDER, Part, Profile, ProfileWords, Register, load_profile, profile_ids
from energy.documents import checked, open_document
from energy.quantities import QUANTITIES, quantity
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


def supported_meters() -> str:
    """The page of the profiles that are shipped."""
    profiles = [load_profile(name) for name in profile_ids()]
    return f"{_HEAD}\n{BEGIN}\n\n{_overview(profiles)}\n" + "\n".join(_section(p) for p in profiles) + f"\n{END}\n"


_HEAD = """\
# Supported meters

The profiles that are shipped, in `collectors/profiles/`. A profile is a register map as data: which register of a make
of meter holds what, in which unit, and where that is known from. None of them has been tried on a real meter by this
project yet: compare voltages, powers and totals with the meter's display when you install one, and read the traps.
How to write a profile of your own is told in [profiles.md](profiles.md).

Columns of the register tables: `address` counts from 0, as it travels; the value on the wire times `factor` is the
value in `unit`. A sum is a number that the meter keeps in several registers, read in one request and added. Where a
register is marked uncertain, its source is doubtful: check it first.
"""


def _overview(profiles: list[Profile]) -> str:
    rows = [
        (
            f"[`{p.id}`](#{_anchor(p)})",
            f"{p.maker} {p.model}",
            p.medium,
            str(len(p.registers)),
            str(p.max_registers),
            str(len(p.traps)),
            str(sum(r.uncertain is not None for r in p.registers)),
        )
        for p in profiles
    ]
    head = ("profile", "meter", "medium", "quantities", "registers a request, at most", "traps", "uncertain registers")
    return table(head, rows)


def _anchor(profile: Profile) -> str:
    return profile.id.replace("/", "")


def _section(profile: Profile) -> str:
    words = checked(open_document(FOLDER / f"{profile.id}.yaml"), ProfileWords)
    lines = [
        f"## {profile.id}",
        "",
        f"{profile.maker} {profile.model}, {profile.medium}. Serial line as delivered: {words.serial or 'not stated'}.",
        "",
        *(f"- Source: {source}" for source in profile.sources),
        *(f"- **Trap**: {trap}" for trap in profile.traps),
        "",
    ]
    rows = [row for register in profile.registers for row in _rows(register)]
    head = ("quantity", "table", "address", "type", "order", "factor", "unit", "uncertain")
    return "\n".join(lines) + "\n" + table(head, rows)


def _rows(register: Register) -> Iterator[tuple[str, ...]]:
    for i, part in enumerate(register.parts):
        name = f"`{register.quantity}`" if i == 0 else "plus"
        yield (name, *_part(part), quantity(register.quantity).unit or "-", (i == 0 and register.uncertain) or "")


def _part(part: Part) -> tuple[str, ...]:
    order = "-" if part.length == 1 and part.word_order in ("ABCD", "CDAB") else str(part.word_order)
    return part.table, f"{part.address} (0x{part.address:04X})", part.type, order, _spelled(part.scale)


def _spelled(factor: Fraction) -> str:
    return str(factor.numerator) if factor.denominator == 1 else f"{float(factor):.10g}"


def _range(low: float, high: float) -> str:
    return f"{low:g} … {high:g}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    renew()
