"""Frames of CJ/T 188-2004 and -2018: `68 T A0..A6 C L DATA CS 16`, the address lowest byte first.

T is the type of meter. The checksum is the sum of all bytes from `68` on; up to four `FE` before it wake the receiver.
Sources: CJ/T 188-2004 sections 5 and 6 as cnblogs.com/cj94/p/18534595 retells them; hftangyu.com/563.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

START, END, WAKING = 0x68, 0x16, b"\xfe" * 4
ADDRESS_LENGTH = 7
# Bytes before the data: start, type, address, control and length; after it: checksum and end.
HEAD, TAIL = 11, 2
# L of an answer is at most 64h.
LONGEST_DATA = 0x64


class Frame(NamedTuple):
    """Type of meter, address as it travels, control code and data."""

    meter_type: int
    address: bytes
    control: int
    data: bytes = b""


class Candidate(NamedTuple):
    """What may be a frame: `frame` is None while `lacking` bytes are due, or where it is `wrong`."""

    meter_type: int
    address: bytes
    control: int
    frame: Frame | None
    lacking: int = 0
    wrong: str = ""


def encode(frame: Frame) -> bytes:
    """A frame as it travels, without waking bytes."""
    body = bytes((START, frame.meter_type, *frame.address, frame.control, len(frame.data))) + frame.data
    return body + bytes((sum(body) & 0xFF, END))


def candidates(received: bytes) -> Iterator[Candidate]:
    """Whatever may be a frame in what was received, in the order in which it begins; noise is passed over."""
    at = received.find(START)
    while at >= 0:
        rest = received[at:]
        if len(rest) < HEAD:
            yield Candidate(rest[1] if len(rest) > 1 else -1, rest[2:9], -1, None, HEAD + TAIL - len(rest))
        elif rest[10] <= LONGEST_DATA:
            yield _candidate(rest)
        at = received.find(START, at + 1)


def _candidate(rest: bytes) -> Candidate:
    head = (rest[1], rest[2:9], rest[9])
    data_end = HEAD + rest[10]
    if len(rest) < data_end + TAIL:
        return Candidate(*head, None, data_end + TAIL - len(rest))
    total = sum(rest[:data_end]) & 0xFF
    if rest[data_end] != total:
        return Candidate(*head, None, 0, f"its checksum is {rest[data_end]:02X}, its bytes sum to {total:02X}")
    if rest[data_end + 1] != END:
        return Candidate(*head, None, 0, f"it ends in {rest[data_end + 1]:02X}, not 16")
    return Candidate(*head, Frame(*head, rest[HEAD:data_end]))
