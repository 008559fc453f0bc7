"""The page of supported meters, made from the profiles that are shipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from collectors.meter_profile import Marking, Part, Profile, Register, load_profile, profile_ids
from energy.quantities import quantity

HOW = "jieneng profiles list --markdown"
BEGIN, END = f"<!-- made by `{HOW}`; do not edit by hand -->", "<!-- end of what is made -->"
_HEAD = """\
# Supported meters

The profiles that are shipped, in `collectors/profiles/`. A profile is a register map as data: which register of a make
of meter holds what, in which unit, and where that is known from. None of them has been tried on a real meter by this
project yet: compare voltages, powers and totals with the meter's display when you install one, and read the traps.
`recorded` says that a captured reply is published and decodes to the published values; every other profile is
**untested**. How to write a profile of your own is told in [profiles.md](profiles.md).

Columns of the register tables: `address` counts from 0, as it travels; the value on the wire times `factor` is the
value in `unit`. A sum is a number that the meter keeps in several registers, read in one request and added. Where a
register is marked uncertain, its source is doubtful: check it first.
"""


def supported_meters() -> str:
    """The page, in Markdown."""
    profiles = [load_profile(name) for name in profile_ids()]
    sections = "\n".join(_section(p) for p in profiles)
    return f"{_HEAD}\n{BEGIN}\n\n{_overview(profiles)}\n{_untested(profiles)}\n{sections}\n{END}\n"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def register_rows(profile: Profile) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table of a profile's registers."""
    head = ("quantity", "table", "address", "type", "order", "factor", "unit", "uncertain")
    return head, [row for register in profile.registers for row in _rows(register)]


def _overview(profiles: list[Profile]) -> str:
    rows = [
        (
            f"[`{p.id}`](#{p.id.replace('/', '')})",
            f"{p.maker} {p.model}",
            p.medium,
            str(len(p.registers)),
            str(p.max_registers),
            "recorded" if p.recordings else "untested",
            str(len(p.traps)),
            str(len(p.registers) if p.uncertain else len(list(p.doubts))),
        )
        for p in profiles
    ]
    head = (
        "profile",
        "meter",
        "medium",
        "quantities",
        "registers a request, at most",
        "tested by",
        "traps",
        "uncertain registers",
    )
    return table(head, rows)


def _untested(profiles: list[Profile]) -> str:
    names = [f"`{p.id}`" for p in profiles if not p.recordings]
    return f"Untested ({len(names)} of {len(profiles)}): {', '.join(names)}.\n"


def _section(profile: Profile) -> str:
    lines = [
        f"## {profile.id}",
        "",
        f"{profile.maker} {profile.model}, {profile.medium}. "
        f"Serial line as delivered: {profile.serial or 'not stated'}.",
        "",
        *(f"- Source: {source}" for source in profile.sources),
        *([f"- **Uncertain**: {profile.uncertain}"] if profile.uncertain else []),
        *(f"- **Trap**: {trap}" for trap in profile.traps),
        *(f"- Recorded: {r.source} ({len(r.values)} values)" for r in profile.recordings),
        "",
    ]
    markings = (*profile.nameplate, *profile.status)
    texts = "\n" + table(("text", "table", "address", "type", "says", "uncertain"), [_text(m) for m in markings])
    return "\n".join(lines) + "\n" + table(*register_rows(profile)) + (texts if markings else "")


def _rows(register: Register) -> Iterator[tuple[str, ...]]:
    for i, part in enumerate(register.parts):
        name = f"`{register.quantity}`" if i == 0 else "plus"
        yield (name, *_part(part), quantity(register.quantity).unit or "-", (i == 0 and register.uncertain) or "")
    if register.scaled_by is not None:
        table_, address, of_type, order, _ = _part(register.scaled_by)
        yield "times ten to the power of" if register.as_power else "times", table_, address, of_type, order, "", "", ""


def _part(part: Part) -> tuple[str, str, str, str, str]:
    order = "-" if part.length == 1 and part.word_order in ("ABCD", "CDAB") else str(part.word_order)
    bits = "" if part.bits is None else f" bits {part.bits[0]}..{part.bits[1]}"
    byte = f" {'high' if part.high else 'low'} byte" if part.type in ("int8", "uint8") else ""
    quadrants = ", four quadrants" if part.four_quadrant else ""
    address = f"{part.address} (0x{part.address:04X})"
    return part.table, address, part.type + bits + byte + quadrants, order, _spelled(part.scale)


def _text(marking: Marking) -> tuple[str, ...]:
    of_type = f"string of {marking.length}" if marking.type == "string" else marking.type
    meant = ", ".join(f"{n} = {text}" for n, text in marking.means.items())
    flags = ", ".join(f"bit {n} = {text}" for n, text in marking.flags.items())
    address = f"{marking.address} (0x{marking.address:04X})"
    return f"`{marking.name}`", marking.table, address, of_type, meant or flags, marking.uncertain or ""


def _spelled(factor: Fraction) -> str:
    return str(factor.numerator) if factor.denominator == 1 else f"{float(factor):.10g}"
