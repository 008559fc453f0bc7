"""Frames of DL/T 645-2007: `68 A0..A5 68 C L DATA CS 16`, address and data lowest byte first, data 33h higher.

Sources: DL/T 645-2007 section 5; the layout as PyPI `dlt645` 3.2.0 has it. Before a frame stand up to four `FE`, which
wake the receiver and are no part of it; the checksum is the sum of all bytes from the first `68` on.
"""

from __future__ import annotations

from typing import NamedTuple

from collectors.framing import END, START, fault_of

_OFFSET = 0x33
# Bytes before the data: two starts, the address, control and length; after it: checksum and end.
HEAD, TAIL = 10, 2
ADDRESS_LENGTH = 6
# Where the second start stands.
HEAD_START = 7

_HIGHER = bytes((i + _OFFSET) & 0xFF for i in range(256))
_LOWER = bytes((i - _OFFSET) & 0xFF for i in range(256))


class Frame(NamedTuple):
    """Address as it travels, control code, and data as they are meant (33h lower than they travel)."""

    address: bytes
    control: int
    data: bytes = b""


class Candidate(NamedTuple):
    """What may be a frame: `frame` is None while `lacking` bytes are due, or where it is `wrong`."""

    address: bytes
    control: int
    frame: Frame | None
    lacking: int = 0
    wrong: str = ""

    @property
    def size(self) -> int:
        return 0 if self.frame is None else HEAD + len(self.frame.data) + TAIL


def encode(frame: Frame) -> bytes:
    """A frame as it travels, without waking bytes.

    >>> encode(Frame(bytes.fromhex("AAAAAAAAAAAA"), 0x13)).hex(" ").upper()
    '68 AA AA AA AA AA AA 68 13 00 DF 16'
    """
    body = bytes((START, *frame.address, START, frame.control, len(frame.data))) + frame.data.translate(_HIGHER)
    return body + bytes((sum(body) & 0xFF, END))


def candidate(received: bytes) -> Candidate | None:
    """What may be a frame from the first byte on; None where none begins there."""
    if received[0] != START or (len(received) > HEAD_START and received[HEAD_START] != START):
        return None
    address = received[1 : 1 + ADDRESS_LENGTH]
    if len(received) < HEAD:
        return Candidate(address, -1, None, HEAD + TAIL - len(received))
    control, data_end = received[8], HEAD + received[9]
    if len(received) < data_end + TAIL:
        return Candidate(address, control, None, data_end + TAIL - len(received))
    if wrong := fault_of(received, data_end):
        return Candidate(address, control, None, 0, wrong)
    return Candidate(address, control, Frame(address, control, received[HEAD:data_end].translate(_LOWER)))
