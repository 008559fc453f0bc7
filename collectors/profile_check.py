"""Whether a profile file is right: its words, what they say together, and whether it decodes what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path

from collectors.decoder import Installed, compile_blocks
from collectors.dlt645.make import ItemMake
from collectors.makes import Make, read_make
from collectors.meter_profile import Profile, Recording, Register, read_profile
from collectors.planner import Block
from energy.documents import line_of, open_document
from energy.errors import ConfigurationError
from energy.quantities import Transformed

_AS_THEY_ARE: Mapping[Transformed, Fraction] = dict.fromkeys(Transformed, Fraction(1))


@dataclass(frozen=True, slots=True)
class Checked:
    """A profile that is right; `remarks` are what somebody should look at once more."""

    profile: Profile
    remarks: tuple[str, ...]


def check_profile(path: Path) -> Checked:
    """The profile of a file with remarks; ConfigurationError lists all that is wrong, recordings included."""
    document = open_document(path)
    profile = read_profile(document, str(path))
    faults = [document.fault(("recordings", i, *way), text) for i, way, text in _told(profile)]
    if faults:
        raise ConfigurationError(sorted(faults, key=line_of))
    return Checked(profile, tuple(_remarks(profile)))


def check_make(path: Path) -> tuple[Make, tuple[str, ...]]:
    """The make of a file, whatever it speaks, with remarks; ConfigurationError lists all that is wrong."""
    document = open_document(path)
    if document.value(("protocol",)) is None:
        found = check_profile(path)
        return found.profile, found.remarks
    make = read_make(document, str(path))
    assert not isinstance(make, Profile)
    held = make.items.values() if isinstance(make, ItemMake) else make.fields.values()
    doubts = [f"{each.quantity} is uncertain: {each.uncertain}" for each in held if each.uncertain]
    return make, ("a make after a standard: compare its totals with the display", *doubts)


def _told(profile: Profile) -> Iterator[tuple[int, tuple[str, ...], str]]:
    for i, recording in enumerate(profile.recordings):
        for name, text in disagreements(profile, recording):
            yield i, ("values", name), text


def disagreements(profile: Profile, recording: Recording) -> Iterator[tuple[str, str]]:
    """The quantities that a recording decodes to something else than was published, each with both values.

    A published value is right to half a unit of its last digit.
    """
    for name, published in recording.values.items():
        register = profile.register(name)
        found = _decoded(register, recording)
        if found is None:
            yield name, f"the reply does not hold registers {_spelled(register)}, or no number in them"
            continue
        half = Decimal(5).scaleb(int(published.as_tuple().exponent) - 1)
        if abs(Decimal(found) - published) > half:
            yield name, f"the reply decodes to {found:.12g}"


def _decoded(register: Register, recording: Recording) -> float | None:
    block = Block(recording.table, recording.address, len(recording.reply) // 2)
    [plan] = compile_blocks([block], [Installed(register.quantity, turned=False, register=register)], _AS_THEY_ARE)
    return plan.values(recording.reply[: 2 * block.count]).values.get(register.quantity)


def _spelled(register: Register) -> str:
    return ", ".join(f"{p.address}..{p.end - 1}" if p.length > 1 else str(p.address) for p in register.pieces)


def _remarks(profile: Profile) -> Iterator[str]:
    if not profile.recordings:
        yield "no recording of a meter: untested"
    if profile.uncertain:
        yield f"uncertain: {profile.uncertain}"
    for name in profile.doubts:
        yield f"{name} is uncertain: {profile.register(name).uncertain}"
    for one, other in combinations(profile.registers, 2):
        if shared := _shared(one, other):
            yield f"{one.quantity} and {other.quantity} both read register {shared}"


def _shared(one: Register, other: Register) -> str | None:
    """The first register that two quantities share whole."""
    for a in one.parts:
        for b in other.parts:
            apart = a.table is not b.table or a.end <= b.address or b.end <= a.address
            if not apart and (a.bits, a.high) == (b.bits, b.high):
                return str(max(a.address, b.address))
    return None
