"""Meter profiles: which register of a make of meter holds what; data in `profiles/<maker>/<model>.yaml`."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

from collectors.profile_faults import profile_faults
from collectors.profile_words import (
    MarkingWords,
    PartWords,
    ProfileWords,
    RecordingWords,
    RegisterWords,
    SettingWords,
)
from collectors.register_map import (
    BITS,
    LENGTHS,
    Marking,
    Part,
    Profile,
    Recording,
    Register,
    Setting,
    Table,
    WordOrder,
)
from energy.documents import Document, checked, line_of, open_document
from energy.errors import ConfigurationError, UnknownName
from energy.quantities import quantity
from energy.units import factor

__all__ = [
    "BITS",
    "FOLDER",
    "LENGTHS",
    "Marking",
    "Part",
    "Profile",
    "ProfileWords",
    "Recording",
    "Register",
    "Setting",
    "Table",
    "WordOrder",
    "is_shipped",
    "load_profile",
    "profile_ids",
    "read_profile",
    "shifted",
]

FOLDER = Path(__file__).parent / "profiles"
# A shipped profile whose addresses an installed meter counts from elsewhere: `maker/model@+1`.
_SHIFTED = re.compile(r"(?P<id>.+)@(?P<by>[+-]\d{1,5})")


def profile_ids() -> list[str]:
    """The ids of the profiles that are shipped, sorted."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.yaml"))


def is_shipped(name: str) -> bool:
    """Whether a profile of this id is shipped, its addresses shifted or not."""
    at = _SHIFTED.fullmatch(name)
    return (at["id"] if at else name) in profile_ids()


@cache
def load_profile(id_or_file: str) -> Profile:
    """The shipped profile of this id, or the one in this file.

    UnknownName if there is neither; ConfigurationError lists all that is wrong in a file.
    """
    if at := _SHIFTED.fullmatch(id_or_file):
        return shifted(_shipped(at["id"]), int(at["by"]))
    path = Path(id_or_file)
    if path.suffix not in (".yaml", ".yml"):
        return _shipped(id_or_file)
    return read_profile(open_document(path), _own_id(path))


def _shipped(name: str) -> Profile:
    if name not in profile_ids():
        raise UnknownName(
            f"profile {name!r} is not known; shipped are {', '.join(profile_ids())}; "
            "a file of your own is named with .yaml at its end"
        )
    path = FOLDER / f"{name}.yaml"
    return read_profile(open_document(path), name)


def _own_id(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix() if path.is_relative_to(FOLDER) else str(path)


def shifted(profile: Profile, by: int) -> Profile:
    """The same profile, all addresses by so many further: some meters count them from elsewhere than their manual."""
    registers = tuple(
        replace(
            r,
            parts=tuple(_moved(p, by, profile.id) for p in r.parts),
            scaled_by=None if r.scaled_by is None else _moved(r.scaled_by, by, profile.id),
        )
        for r in profile.registers
    )
    return replace(
        profile,
        id=f"{profile.id}@{by:+d}",
        registers=registers,
        nameplate=tuple(replace(m, address=m.address + by) for m in profile.nameplate),
        status=tuple(replace(m, address=m.address + by) for m in profile.status),
        recordings=(),
        writable=tuple(replace(s, address=s.address + by) for s in profile.writable),
    )


def _moved(part: Part, by: int, profile_id: str) -> Part:
    if not 0 <= part.address + by <= 65536 - part.length:
        raise UnknownName(f"profile {profile_id}@{by:+d}: {part.type} at address {part.address} would leave 0..65535")
    return replace(part, address=part.address + by)


def read_profile(document: Document, profile_id: str) -> Profile:
    """The profile of a file; ConfigurationError lists all that is wrong with its words and with what they say."""
    words, faults = _worded(document)
    faults += profile_faults(document, words)
    if faults or words is None:
        raise ConfigurationError(sorted(faults, key=line_of))
    return Profile(
        profile_id,
        words.maker,
        words.model,
        words.medium,
        tuple(words.sources),
        tuple(words.traps),
        words.max_registers,
        tuple(_register(words, name, register) for name, register in words.registers.items()),
        words.serial,
        tuple(_marking(words, name, marking) for name, marking in words.nameplate.items()),
        tuple(_marking(words, name, marking) for name, marking in words.status.items()),
        tuple(_recording(words, recording) for recording in words.recordings),
        words.uncertain,
        tuple(_setting(words, name, setting) for name, setting in words.writable.items()),
    )


def _worded(document: Document) -> tuple[ProfileWords | None, list[str]]:
    try:
        return checked(document, ProfileWords), []
    except ConfigurationError as error:
        return None, error.faults


def _register(words: ProfileWords, name: str, register: RegisterWords) -> Register:
    unit_factor = factor(register.unit, quantity(name).unit)
    parts = tuple(_part(words, register, p, Fraction(p.scale) * unit_factor) for p in register.parts)
    given = register.scale_from
    if given is None:
        return Register(name, parts, register.uncertain)
    held = PartWords(address=given.address, type=given.type)
    scaled_by = _part(words, register, held, Fraction(1))
    return Register(name, parts, register.uncertain, scaled_by, given.holds == "power_of_ten")


def _part(words: ProfileWords, register: RegisterWords, part: PartWords, scale: Fraction) -> Part:
    return Part(
        register.read or words.read,
        part.address - words.address_base,
        part.type,
        register.word_order or words.word_order,
        scale,
        tuple(words.sentinels if register.sentinels is None else register.sentinels),
        part.bits,
        part.byte == "high",
        register.encoding == "four_quadrant",
    )


def _marking(words: ProfileWords, name: str, marking: MarkingWords) -> Marking:
    return Marking(
        name,
        marking.read or words.read,
        marking.address - words.address_base,
        marking.type,
        marking.length or LENGTHS[marking.type],
        marking.word_order or words.word_order,
        marking.one_byte,
        marking.means,
        marking.flags,
        marking.uncertain,
    )


def _setting(words: ProfileWords, name: str, given: SettingWords) -> Setting:
    return Setting(
        name,
        given.by,
        given.address - words.address_base,
        given.type,
        given.word_order or words.word_order,
        Fraction(given.scale),
        Decimal(0) if given.low is None else given.low,
        Decimal(1) if given.high is None else given.high,
        given.unit,
        given.uncertain,
    )


def _recording(words: ProfileWords, given: RecordingWords) -> Recording:
    return Recording(
        given.source, given.read or words.read, given.address - words.address_base, given.reply, given.values
    )
