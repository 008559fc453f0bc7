"""How numbers lie in the bytes of a reply, and how all of them are taken out at once.

Each of the four orders is a plain big- or little-endian layout, two of them after the bytes of every register have been
exchanged: CDAB exchanged is DCBA, which is little-endian; BADC exchanged is ABCD. So a reply is one `struct` call for
each order that occurs in it, whatever number of values it holds.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from collectors.register_map import BITS, Part, WordOrder

Raw = int | float | bytes
Unpack = Callable[[bytes], tuple[Raw, ...]]
# What `struct` knows by a letter; everything else is taken as bytes and understood by `lift`.
LETTERS = {
    "uint8": "B",
    "int8": "b",
    "uint16": "H",
    "int16": "h",
    "float16": "e",
    "uint32": "I",
    "int32": "i",
    "float32": "f",
    "uint64": "Q",
    "int64": "q",
    "float64": "d",
}
_MOST_OF_FOUR_DIGITS = 9999


def byte_order(part: Part) -> list[int]:
    """Positions, in the bytes as they travel, of the value's bytes from the most significant on.

    >>> from fractions import Fraction
    >>> from collectors.register_map import Table
    >>> byte_order(Part(Table.HOLDING, 0, "uint32", WordOrder.CDAB, Fraction(1)))
    [2, 3, 0, 1]
    """
    words = [[2 * i, 2 * i + 1] for i in range(part.length)]
    if is_little(part.word_order):
        words.reverse()
    if part.word_order in (WordOrder.BADC, WordOrder.DCBA):
        words = [word[::-1] for word in words]
    if BITS[part.type] == 8:
        words = [words[0][:1] if part.high else words[0][1:]]
    return [i for word in words for i in word]


def is_little(order: WordOrder) -> bool:
    """Whether the least significant word comes first."""
    return order in (WordOrder.CDAB, WordOrder.DCBA)


def _is_exchanged(order: WordOrder) -> bool:
    """Whether a plain layout comes out once the bytes of every register are exchanged."""
    return order in (WordOrder.CDAB, WordOrder.BADC)


def exchanged(payload: bytes) -> bytes:
    """The same registers, each with its two bytes exchanged.

    >>> exchanged(b"ABCD")
    b'BADC'
    """
    words = array("H", payload)
    words.byteswap()
    return words.tobytes()


@dataclass(slots=True)
class _Layer:
    """Numbers that one `struct` call takes out: they do not overlap."""

    exchanged: bool
    little: bool
    at: int
    letters: str
    places: list[int]


def unpacker(address: int, parts: Sequence[Part]) -> tuple[Unpack, list[int]]:
    """The function from the bytes of a reply, which begins at `address`, to the raw number of each part.

    Returns
    -------
    The function, and for each of `parts` its position in what the function returns.
    """
    layers: list[_Layer] = []
    for i in sorted(range(len(parts)), key=lambda i: (parts[i].address, parts[i].length)):
        _place(layers, address, i, parts[i])
    calls = [(layer.exchanged, struct.Struct(("<" if layer.little else ">") + layer.letters)) for layer in layers]
    order = [i for layer in layers for i in layer.places]
    positions = [order.index(i) for i in range(len(parts))]
    return _joined(calls), positions


def _place(layers: list[_Layer], address: int, i: int, part: Part) -> None:
    offset = 2 * (part.address - address)
    kind = (_is_exchanged(part.word_order), is_little(part.word_order))
    layer = next((each for each in layers if (each.exchanged, each.little) == kind and each.at <= offset), None)
    if layer is None:
        layer = _Layer(*kind, 0, "", [])
        layers.append(layer)
    layer.letters += "x" * (offset - layer.at) + _letters(part)
    layer.at = offset + 2 * part.length
    layer.places.append(i)


def _letters(part: Part) -> str:
    letter = LETTERS.get(part.type, f"{BITS[part.type] // 8}s")
    if BITS[part.type] != 8:
        return letter
    return letter + "x" if part.high != is_little(part.word_order) else "x" + letter


def _joined(calls: Sequence[tuple[bool, struct.Struct]]) -> Unpack:
    """One function for all layers; bytes after the last number of a layer are not looked at."""
    froms = [(swap, one.unpack_from) for swap, one in calls]
    if len(froms) == 1:
        [(swap, unpack)] = froms
        return (lambda payload: unpack(exchanged(payload))) if swap else unpack
    return lambda payload: tuple(chain.from_iterable(u(exchanged(payload) if s else payload) for s, u in froms))


def lift(part: Part) -> Callable[[Raw], int | float] | None:
    """The function from what was taken out to the number that travels; None where they are the same.

    The function raises ValueError where there is no number: digits that are none, registers of four digits beyond 9999.
    """
    turned = is_little(part.word_order)
    of: Callable[[Raw], int | float] | None = None
    if part.type.startswith("bcd"):
        of = _digits_turned if turned else _digits
    elif part.type.startswith("mod10k"):
        of = _fours_turned if turned else _fours
    elif part.type in ("uint48", "int48"):
        signed, order = part.type == "int48", "little" if turned else "big"
        of = lambda raw: int.from_bytes(raw, order, signed=signed)  # type: ignore[arg-type]  # noqa: E731
    if part.four_quadrant:
        return _of_four_quadrants
    return of if part.bits is None else _field(part.bits, of)


def _field(bits: tuple[int, int], whole: Callable[[Raw], int | float] | None) -> Callable[[Raw], int | float]:
    low, mask = bits[0], (1 << (bits[1] - bits[0] + 1)) - 1
    return lambda raw: (int(raw if whole is None else whole(raw)) >> low) & mask


def _digits(raw: Raw) -> int:
    return int(raw.hex())  # type: ignore[union-attr]


def _digits_turned(raw: Raw) -> int:
    return int(raw[::-1].hex())  # type: ignore[index]


def _fours(raw: Raw) -> int:
    assert isinstance(raw, bytes)
    words = struct.unpack(f">{len(raw) // 2}h", raw)
    if any(abs(word) > _MOST_OF_FOUR_DIGITS for word in words) or min(words) < 0 < max(words):
        raise ValueError(f"{words} are not four digits each, of one sign")
    value = 0
    for word in words:
        value = value * 10_000 + word
    return value


def _fours_turned(raw: Raw) -> int:
    assert isinstance(raw, bytes)
    return _fours(raw[::-1])


def _of_four_quadrants(raw: Raw) -> float:
    assert isinstance(raw, float)
    if abs(raw) > 2:
        raise ValueError(f"{raw} is no power factor in four quadrants")
    return raw if abs(raw) <= 1 else (2 - raw if raw > 0 else -2 - raw)
