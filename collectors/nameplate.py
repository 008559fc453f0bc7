"""Texts of a meter: what its nameplate says and in which state it is. Read when somebody asks, not at every tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from collectors.layout import is_little, lift, unpacker
from collectors.planner import Block
from collectors.register_map import Marking, Part, WordOrder


@dataclass(frozen=True, slots=True)
class MarkingPlan:
    """The request for a text, and how to understand its reply."""

    marking: Marking

    @property
    def block(self) -> Block:
        return Block(self.marking.table, self.marking.address, self.marking.length)

    def text(self, payload: bytes) -> str | None:
        """What the reply says; None where it is no text, or no digits. ValueError for a reply of another length."""
        if len(payload) != 2 * self.marking.length:
            raise ValueError(f"reply of {len(payload)} bytes to a request of {self.marking.length} registers")
        return _string(self.marking, payload) if self.marking.type == "string" else _number(self.marking, payload)


def marking_plans(markings: Sequence[Marking]) -> list[MarkingPlan]:
    """One request for each: they are read once, so there is nothing to be saved, and none hides another."""
    return [MarkingPlan(marking) for marking in markings]


def _string(marking: Marking, payload: bytes) -> str | None:
    words = [payload[i : i + 2] for i in range(0, len(payload), 2)]
    if is_little(marking.word_order):
        words.reverse()
    if marking.word_order in (WordOrder.BADC, WordOrder.DCBA):
        words = [word[::-1] for word in words]
    raw = b"".join(word[1:] if marking.one_byte else word for word in words)
    try:
        text = raw.split(b"\0", 1)[0].decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def number_of(marking: Marking, payload: bytes) -> int | None:
    """The number that stands for a text; None where it is none."""
    part = Part(marking.table, marking.address, marking.type, marking.word_order, Fraction(1))
    unpack, [at] = unpacker(marking.address, [part])
    raw, understood = unpack(payload)[at], lift(part)
    try:
        return int(raw if understood is None else understood(raw))
    except ValueError:
        return None


def _number(marking: Marking, payload: bytes) -> str | None:
    number = number_of(marking, payload)
    if number is None:
        return None
    if marking.flags:
        return ", ".join(name for bit, name in sorted(marking.flags.items()) if number >> bit & 1) or "none"
    return marking.means.get(number, str(number))
