"""Frames of DL/T 645-2007: `68 A0..A5 68 C L DATA CS 16`, address and data lowest byte first, data 33h higher.

Sources: DL/T 645-2007 section 5; the layout as PyPI `dlt645` 3.2.0 has it. Before a frame stand up to four `FE`, which
wake the receiver and are no part of it; the checksum is the sum of all bytes from the first `68` on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

START, END, WAKING = 0x68, 0x16, b"\xfe" * 4
_OFFSET = 0x33
# Bytes before the data: two starts, the address, control and length; after it: checksum and end.
HEAD, TAIL = 10, 2
ADDRESS_LENGTH = 6
LONGEST_DATA = 200

_HIGHER = bytes((i + _OFFSET) & 0xFF for i in range(256))
_LOWER = bytes((i - _OFFSET) & 0xFF for i in range(256))


class Frame(NamedTuple):
    """Address as it travels, control code, and data as they are meant (33h lower than they travel)."""

    address: bytes
    control: int
    data: bytes = b""


class Candidate(NamedTuple):
    """What may be a frame: its head, and what follows.

    frame : None while bytes lack. lacking : how many. wrong : why a complete one is none.
    """

    address: bytes
    control: int
    length: int
    frame: Frame | None
    lacking: int = 0
    wrong: str = ""


def encode(frame: Frame) -> bytes:
    """A frame as it travels, without waking bytes.

    >>> encode(Frame(bytes.fromhex("AAAAAAAAAAAA"), 0x13)).hex(" ").upper()
    '68 AA AA AA AA AA AA 68 13 00 DF 16'
    """
    body = bytes((START, *frame.address, START, frame.control, len(frame.data))) + frame.data.translate(_HIGHER)
    return body + bytes((sum(body) & 0xFF, END))


def candidates(received: bytes) -> Iterator[Candidate]:
    """Whatever may be a frame in what was received, in the order in which it begins; noise is passed over."""
    at = received.find(START)
    while at >= 0:
        rest = received[at:]
        if len(rest) < HEAD:
            if len(rest) <= ADDRESS_LENGTH + 1 or rest[ADDRESS_LENGTH + 1] == START:
                yield Candidate(rest[1 : 1 + ADDRESS_LENGTH], -1, 0, None, HEAD + TAIL - len(rest))
        elif rest[ADDRESS_LENGTH + 1] == START:
            yield _candidate(rest)
        at = received.find(START, at + 1)


def _candidate(rest: bytes) -> Candidate:
    address, control, length = rest[1 : 1 + ADDRESS_LENGTH], rest[8], rest[9]
    end = HEAD + length + TAIL
    if len(rest) < end:
        return Candidate(address, control, length, None, end - len(rest))
    total = sum(rest[: HEAD + length]) & 0xFF
    if rest[end - 2] != total:
        wrong = f"its checksum is {rest[end - 2]:02X}, its bytes sum to {total:02X}"
        return Candidate(address, control, length, None, 0, wrong)
    if rest[end - 1] != END:
        return Candidate(address, control, length, None, 0, f"it ends in {rest[end - 1]:02X}, not 16")
    frame = Frame(address, control, rest[HEAD : HEAD + length].translate(_LOWER))
    return Candidate(address, control, length, frame)
