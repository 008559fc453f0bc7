"""The page of supported meters, made from the profiles that are shipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from collectors.cjt188.make import NumberField, RecordMake
from collectors.dlt645.make import Item, ItemMake
from collectors.makes import AddressedMake, Make, addressed_ids, load_make
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
**untested**. How to write a profile of your own is told in [profiles.md](profiles.md). Meters that are not Modbus stand
[at the end](#meters-that-are-not-modbus).

Columns of the register tables: `address` counts from 0, as it travels; the value on the wire times `factor` is the
value in `unit`. A sum is a number that the meter keeps in several registers, read in one request and added. Where a
register is marked uncertain, its source is doubtful: check it first.
"""


def supported_meters() -> str:
    """The page, in Markdown."""
    profiles = [load_profile(name) for name in profile_ids()]
    sections = "\n".join(_section(p) for p in profiles)
    others = _addressed([make for name in addressed_ids() if not isinstance(make := load_make(name), Profile)])
    return f"{_HEAD}\n{BEGIN}\n\n{_overview(profiles)}\n{_untested(profiles)}\n{sections}\n{others}\n{END}\n"


def tested_by(make: Make) -> str:
    """What a make was held against: a recorded reply, nothing, or the standard that it is made after."""
    if not isinstance(make, Profile):
        return "standard"
    return "recorded" if make.recordings else "untested"


def make_traps(make: Make) -> Sequence[str]:
    """What has fooled others."""
    doubt = make.uncertain if isinstance(make, Profile) else None
    return (*make.traps, *([doubt] if doubt else []))


def make_rows(make: Make) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table of what a make says."""
    if isinstance(make, Profile):
        return register_rows(make)
    if isinstance(make, ItemMake):
        head = ("quantity", "item", "bytes", "factor", "unit", "uncertain")
        return head, [(*_item(item), item.uncertain or "") for item in make.items.values()]
    head = ("quantity", "byte", "bytes", "factor", "unit", "uncertain")
    return head, [(*_field(make, field), field.uncertain or "") for field in make.fields.values()]


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


_ADDRESSED = """\
## Meters that are not Modbus

Makes after a standard, asked by the digits on their plate: [DL/T 645 and CJ/T 188](chinese-meters.md). What they were
held against is told in [how sure this is](chinese-meters.md#how-sure-this-is). `jieneng profiles show ID` prints all.
"""


def _addressed(makes: Sequence[AddressedMake]) -> str:
    rows = [
        (f"`{m.id}`", f"{m.maker} {m.model}", m.medium, str(len(m.quantities)), str(len(m.traps)), str(_doubts(m)))
        for m in makes
    ]
    overview = table(("profile", "meter", "medium", "quantities", "traps", "uncertain"), rows)
    return "\n".join([_ADDRESSED, overview, *(_addressed_section(make) for make in makes)]).rstrip()


def _addressed_section(make: AddressedMake) -> str:
    lines = [
        f"### {make.id}",
        "",
        *(f"- Source: {source}" for source in make.sources),
        *(f"- **Trap**: {trap}" for trap in make.traps),
        "",
        f"Quantities: {', '.join(f'`{name}`' for name in make.quantities)}.",
        "",
    ]
    return "\n".join(lines)


def _doubts(make: AddressedMake) -> int:
    _, rows = make_rows(make)
    return sum(bool(row[-1]) for row in rows)


def _item(item: Item) -> tuple[str, ...]:
    identifier = item.identifier.hex().upper()
    return f"`{item.quantity}`", identifier, str(item.length), _spelled(item.scale), quantity(item.quantity).unit or "-"


def _field(make: RecordMake, field: NumberField) -> tuple[str, ...]:
    unit = "as the meter says" if field.code_at is not None else quantity(field.quantity).unit or "-"
    where = f"{make.item.hex().upper()}+{field.at}"
    return f"`{field.quantity}`", where, str(field.length), _spelled(field.scale), unit


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
