"""Frames of CJ/T 188-2004 and -2018: `68 T A0..A6 C L DATA CS 16`, the address lowest byte first.

T is the type of meter. The checksum is the sum of all bytes from `68` on; up to four `FE` before it wake the receiver.
Sources: CJ/T 188-2004 sections 5 and 6 as cnblogs.com/cj94/p/18534595 retells them; hftangyu.com/563.html.
"""

from __future__ import annotations

from typing import NamedTuple

from collectors.framing import END, START, fault_of

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

    @property
    def size(self) -> int:
        return 0 if self.frame is None else HEAD + len(self.frame.data) + TAIL


def encode(frame: Frame) -> bytes:
    """A frame as it travels, without waking bytes."""
    body = bytes((START, frame.meter_type, *frame.address, frame.control, len(frame.data))) + frame.data
    return body + bytes((sum(body) & 0xFF, END))


def candidate(received: bytes) -> Candidate | None:
    """What may be a frame from the first byte on; None where none begins there."""
    if received[0] != START or (len(received) >= HEAD and received[10] > LONGEST_DATA):
        return None
    if len(received) < HEAD:
        return Candidate(-1, received[2:9], -1, None, HEAD + TAIL - len(received))
    head, data_end = (received[1], received[2:9], received[9]), HEAD + received[10]
    if len(received) < data_end + TAIL:
        return Candidate(*head, None, data_end + TAIL - len(received))
    if wrong := fault_of(received, data_end):
        return Candidate(*head, None, 0, wrong)
    return Candidate(*head, Frame(*head, received[HEAD:data_end]))
