"""What is asked of a CJ/T 188 meter, and how its answer is told from anything else.

An answer is believed where type, address, control code, data identifier, the question's serial number, length and
checksum all fit. The serial number counts on with each question, so that a late answer is known to be one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from collectors.cjt188.frame import HEAD, TAIL, Candidate, Frame, candidate, encode
from collectors.framing import WAKING, Framing
from collectors.lines.question import ANYONE, Answered, Declined, NotTheAnswer, Verdict
from collectors.station_address import ANY, address_bytes, address_text, is_meant, station_of

READ, READ_ADDRESS = 0x01, 0x03
_ANSWER, _ERROR = 0x80, 0x40
ANYBODY = "AA" * 7
# DI of the address, as 1F 90 is that of the totals (from memory: CJ/T 188-2004, table 7).
_ADDRESS_ITEM = bytes.fromhex("0A81")
_FRAMING = Framing(candidate, shortest=HEAD + TAIL, enough=3 * 128)


class _Asked(Protocol):
    @property
    def meter_type(self) -> int: ...

    @property
    def address(self) -> str: ...

    @property
    def request(self) -> bytes: ...

    @property
    def control(self) -> int: ...

    @property
    def serial(self) -> int: ...

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        """The answer in a right frame of the meter asked; None where it answers something else."""


def _judged(asked: _Asked, received: bytes) -> Verdict:
    whom = address_bytes(asked.address)
    return _FRAMING.judged(received, asked.request, lambda found: _verdict(asked, whom, found))


def _verdict(asked: _Asked, whom: bytes, found: Candidate) -> Answered | Declined | NotTheAnswer | None:
    if asked.meter_type not in (ANY, found.meter_type) or not is_meant(whom, found.address):
        return None
    if found.control & ~_ERROR != asked.control | _ANSWER:
        return None  # our own question echoed, or the answer to another kind of question
    if found.frame is None:
        return NotTheAnswer(f"the answer of meter {address_text(found.address)} is broken: {found.wrong}")
    if not found.control & _ERROR:
        return asked.understood(found.frame)
    data = found.frame.data
    if len(data) != 3 or data[0] != asked.serial:
        return None
    status = int.from_bytes(data[1:], "little")
    return Declined(status, f"the meter does not answer this; its status is {status:04X}")


@dataclass(frozen=True, slots=True)
class ReadData:
    """Read a data item.

    address : the 14 digits of the meter, maker's code first; pairs of `AA` stand for any. identifier : 2 bytes as they
    travel. length : of the data behind the serial number. The payload is that data.
    """

    meter_type: int
    address: str
    identifier: bytes
    serial: int
    length: int
    control: int = field(default=READ, init=False)

    @property
    def station(self) -> str:
        return station_of(self.address)

    @property
    def request(self) -> bytes:
        data = self.identifier + bytes((self.serial,))
        return WAKING + encode(Frame(self.meter_type, address_bytes(self.address), READ, data))

    @property
    def answer_length(self) -> int:
        return len(WAKING) + HEAD + 3 + self.length + TAIL

    def judge(self, received: bytes) -> Verdict:
        return _judged(self, received)

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        if frame.data[:3] != self.identifier + bytes((self.serial,)):
            return None
        data = frame.data[3:]
        if len(data) != self.length:
            item = self.identifier.hex(" ").upper()
            return NotTheAnswer(f"item {item} has {len(data)} bytes, where {self.length} are due")
        return Answered(data)


@dataclass(frozen=True, slots=True)
class ReadAddress:
    """Which type and address has the only meter on the line; the payload is type and address as they travel."""

    serial: int = 0
    meter_type: int = field(default=ANY, init=False)
    address: str = field(default=ANYBODY, init=False)
    control: int = field(default=READ_ADDRESS, init=False)

    @property
    def station(self) -> str:
        return ANYONE

    @property
    def request(self) -> bytes:
        data = _ADDRESS_ITEM + bytes((self.serial,))
        return WAKING + encode(Frame(ANY, address_bytes(ANYBODY), READ_ADDRESS, data))

    @property
    def answer_length(self) -> int:
        return len(WAKING) + HEAD + 3 + TAIL

    def judge(self, received: bytes) -> Verdict:
        return _judged(self, received)

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        if frame.data != _ADDRESS_ITEM + bytes((self.serial,)):
            return None
        return Answered(bytes((frame.meter_type,)) + frame.address)
