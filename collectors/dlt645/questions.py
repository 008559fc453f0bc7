"""What is asked of a DL/T 645 meter, and how its answer is told from anything else.

An answer is believed where address, control code, data identifier, length and checksum all fit. Frames of others, late
answers to other questions, echoes and noise are passed over: the answer may stand behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from collectors.dlt645.frame import HEAD, TAIL, Candidate, Frame, candidate, encode
from collectors.framing import WAKING, Framing
from collectors.lines.question import ANYONE, Answered, Declined, NotTheAnswer, Verdict
from collectors.station_address import address_bytes, address_text, is_meant, station_of

READ, READ_MORE, READ_ADDRESS = 0x11, 0x12, 0x13
_ANSWER, _ERROR, _FOLLOWED = 0x80, 0x40, 0x20
ANYBODY = "AAAAAAAAAAAA"
# More bytes than an answer, an echo and a late answer to something else can be.
_FRAMING = Framing(candidate, shortest=HEAD + TAIL, enough=3 * 256)

# Bits of the error byte, DL/T 645-2007 section 7 (as PyPI `dlt645` 3.2.0 has them).
ERRORS = (
    "other error",
    "no such data",
    "wrong password or not allowed",
    "baud rate cannot be changed",
    "too many yearly zones",
    "too many daily periods",
    "too many tariffs",
)
NO_SUCH_DATA = 0x02
# Forward active energy, highest byte first.
_ENERGY = bytes.fromhex("00010000")


def error_words(code: int) -> str:
    """What the error byte of a meter says.

    >>> error_words(2)
    'no such data'
    """
    said = [words for bit, words in enumerate(ERRORS) if code & 1 << bit]
    return ", ".join(said) or f"error {code:02X}"


class _Asked(Protocol):
    @property
    def control(self) -> int: ...

    @property
    def address(self) -> str: ...

    @property
    def request(self) -> bytes: ...

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        """The answer in a right frame of the meter asked; None where it answers something else."""


def _judged(asked: _Asked, received: bytes) -> Verdict:
    whom = address_bytes(asked.address)
    return _FRAMING.judged(received, asked.request, lambda found: _verdict(asked, whom, found))


def _verdict(asked: _Asked, whom: bytes, found: Candidate) -> Answered | Declined | NotTheAnswer | None:
    if not is_meant(whom, found.address) or found.control & 0x1F != asked.control & 0x1F:
        return None
    if not found.control & _ANSWER:
        return None  # our own question, echoed
    if found.frame is None:
        return NotTheAnswer(f"the answer of meter {address_text(found.address)} is broken: {found.wrong}")
    if found.control & _ERROR:
        if found.control & _FOLLOWED or len(found.frame.data) != 1:
            return None
        return Declined(found.frame.data[0], error_words(found.frame.data[0]))
    return asked.understood(found.frame)


def _lengths(lengths: frozenset[int]) -> str:
    return " or ".join(str(length) for length in sorted(lengths))


@dataclass(frozen=True, slots=True)
class ReadItem:
    """Read a data item, or a block of them.

    address : the 12 digits of the meter; pairs of `AA` stand for any. identifier : 4 bytes, highest first, as in the
    standard's tables. lengths : how many bytes the data may have, those that the meter keeps for later included;
    due : how many they probably are, for whoever reckons times.

    The payload is one byte, 1 where more follows and 0 where not, and then the data without the identifier.
    """

    address: str
    identifier: bytes
    lengths: frozenset[int]
    due: int = 0
    control: int = field(default=READ, init=False)

    @property
    def station(self) -> str:
        return station_of(self.address)

    @property
    def request(self) -> bytes:
        return WAKING + encode(Frame(address_bytes(self.address), READ, self.identifier[::-1]))

    @property
    def answer_length(self) -> int:
        return len(WAKING) + HEAD + len(self.identifier) + min(self.due or max(self.lengths), 196) + TAIL

    def judge(self, received: bytes) -> Verdict:
        return _judged(self, received)

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        identifier, data = frame.data[:4][::-1], frame.data[4:]
        if identifier != self.identifier:
            return None
        followed = bool(frame.control & _FOLLOWED)
        if len(data) not in self.lengths and not (followed and 0 < len(data) < max(self.lengths)):
            return NotTheAnswer(
                f"item {identifier.hex().upper()} has {len(data)} bytes, where {_lengths(self.lengths)} are due"
            )
        return Answered(bytes((followed,)) + data)


@dataclass(frozen=True, slots=True)
class ReadMore:
    """Read what follows of a data item whose first frame was not all; `sequence` counts from 1.

    The payload is as that of `ReadItem`.
    """

    address: str
    identifier: bytes
    sequence: int
    at_most: int
    control: int = field(default=READ_MORE, init=False)

    @property
    def station(self) -> str:
        return station_of(self.address)

    @property
    def request(self) -> bytes:
        data = self.identifier[::-1] + bytes((self.sequence,))
        return WAKING + encode(Frame(address_bytes(self.address), READ_MORE, data))

    @property
    def answer_length(self) -> int:
        return len(WAKING) + HEAD + len(self.identifier) + min(self.at_most, 195) + 1 + TAIL

    def judge(self, received: bytes) -> Verdict:
        return _judged(self, received)

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        identifier, data, sequence = frame.data[:4][::-1], frame.data[4:-1], frame.data[-1:]
        if len(frame.data) < 5 or identifier != self.identifier or sequence != bytes((self.sequence,)):
            return None
        if not 0 < len(data) <= self.at_most:
            return NotTheAnswer(
                f"item {identifier.hex().upper()} goes on for {len(data)} bytes, {self.at_most} are due"
            )
        return Answered(bytes((bool(frame.control & _FOLLOWED),)) + data)


@dataclass(frozen=True, slots=True)
class ReadAddress:
    """Which address has the only meter on the line; the payload is the address as it travels.

    Every meter on a line answers this, all at once: it is for commissioning, with one meter connected.
    """

    address: str = field(default=ANYBODY, init=False)
    control: int = field(default=READ_ADDRESS, init=False)

    @property
    def station(self) -> str:
        return ANYONE

    @property
    def request(self) -> bytes:
        return WAKING + encode(Frame(address_bytes(ANYBODY), READ_ADDRESS))

    @property
    def answer_length(self) -> int:
        return len(WAKING) + HEAD + 6 + TAIL

    def judge(self, received: bytes) -> Verdict:
        return _judged(self, received)

    def understood(self, frame: Frame) -> Answered | NotTheAnswer | None:
        if len(frame.data) != 6 or frame.data != frame.address:
            return NotTheAnswer(f"meter {address_text(frame.address)} names itself {address_text(frame.data)}")
        return Answered(frame.data)


@dataclass(frozen=True, slots=True)
class FindAddress:
    """Who has an address that ends in these digits, pairs of them; the payload is the address as it travels.

    It reads what every meter has, the energy; an answer, or a refusal, bears the whole address. A late answer to
    another ending bears an address that does not fit this one: each ending is a station of its own.
    """

    ending: str
    control: int = field(default=READ, init=False)

    @property
    def address(self) -> str:
        return self.ending.rjust(len(ANYBODY), "A")

    @property
    def station(self) -> str:
        return f"meter {self.ending}" if len(self.ending) == len(ANYBODY) else f"meters …{self.ending}"

    @property
    def request(self) -> bytes:
        return WAKING + encode(Frame(address_bytes(self.address), READ, _ENERGY[::-1]))

    @property
    def answer_length(self) -> int:
        return len(WAKING) + HEAD + 2 * len(_ENERGY) + TAIL

    def judge(self, received: bytes) -> Verdict:
        whom = address_bytes(self.address)

        def verdict(found: Candidate) -> Answered | NotTheAnswer | None:
            if found.control & 0x1F != READ or not found.control & _ANSWER or not is_meant(whom, found.address):
                return None
            if found.frame is None:
                return NotTheAnswer(f"an answer is broken: {found.wrong}")
            return Answered(found.address)

        return _FRAMING.judged(received, self.request, verdict)
