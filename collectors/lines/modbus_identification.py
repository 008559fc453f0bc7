"""What a Modbus meter says of itself: Read Device Identification, function 43 (0x2B) with MEI type 14 (0x0E).

Modbus Application Protocol V1.1b3, 6.21. The answer says no length: its objects do, one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from collectors.lines.modbus_mbap import HEADER, HEADER_LENGTH, frame_length
from collectors.lines.modbus_pdu import EXCEPTION, exception_words
from collectors.lines.modbus_rtu import crc16, is_whole
from collectors.lines.question import Answered, Declined, More, NotTheAnswer, Verdict

FUNCTION, MEI = 0x2B, 0x0E
BASIC = 1
# Names of the basic objects.
OBJECTS = {0: "vendor", 1: "product", 2: "revision"}
# Function, MEI, kind, conformity, more follows, next object, number of objects.
_HEAD = 7
# The basic objects are three names; who says more is listened to all the same.
_USUAL = 100


def identification_request(unit: int, first: int = 0) -> bytes:
    """Unit, function, MEI, the basic objects, from this one on."""
    return bytes((unit, FUNCTION, MEI, BASIC, first))


def objects_length(pdu: bytes) -> int | None:
    """The length of an answer that begins here with its function; None where too little came to tell."""
    at = _HEAD
    for _ in range(pdu[_HEAD - 1] if len(pdu) >= _HEAD else 1):
        if len(pdu) < at + 2:
            return None
        at += 2 + pdu[at + 1]
    return at


def objects(pdu: bytes) -> dict[int, str]:
    """The texts of an answer, by the number of their object; what is no ASCII is left out.

    >>> objects(bytes.fromhex("2B0E01010000 02 0003414243 0102583100"))
    {0: 'ABC', 1: 'X1'}
    """
    found: dict[int, str] = {}
    at = _HEAD
    for _ in range(pdu[_HEAD - 1]):
        number, length = pdu[at], pdu[at + 1]
        text = pdu[at + 2 : at + 2 + length].rstrip(b"\0 ").decode("ascii", "replace").strip()
        if text and text.isprintable() and "\ufffd" not in text:
            found[number] = text
        at += 2 + length
    return found


def follows(pdu: bytes) -> int | None:
    """From which object on there is more to be asked; None where that was all."""
    return pdu[5] if pdu[4] == 0xFF else None


def named(found: Mapping[int, str]) -> dict[str, str]:
    """The basic objects by name."""
    return {name: found[number] for number, name in OBJECTS.items() if number in found}


class RtuIdentification:
    """Asking a unit on a serial line; the payload is the answer from its function on."""

    __slots__ = ("_head", "_refusal", "answer_length", "request", "station")

    def __init__(self, unit: int, first: int = 0) -> None:
        asked = identification_request(unit, first)
        self.station = f"unit {unit}"
        self.request = asked + crc16(asked)
        self.answer_length = 1 + _HEAD + _USUAL + 2
        self._head, self._refusal = asked[:3], bytes((unit, FUNCTION | EXCEPTION))

    def judge(self, received: bytes) -> Verdict:
        """The answer behind whatever came before it, the echo of the question too."""
        start = len(self.request) if received.startswith(self.request) else 0
        lacking = False
        for at in range(start, len(received)):
            rest = received[at:]
            if rest.startswith(self._refusal[: len(rest)]):
                if len(rest) >= 5 and is_whole(rest[:5]):
                    return Declined(rest[2], exception_words(rest[2]))
                lacking |= len(rest) < 5
            if rest.startswith(self._head[: len(rest)]):
                length = objects_length(rest[1:])
                if length is None or len(rest) < 1 + length + 2:
                    lacking = True
                elif is_whole(rest[: 1 + length + 2]):
                    return Answered(rest[1 : 1 + length])
        if lacking or len(received) == start:
            return More()
        return NotTheAnswer("what came is no identification")


class MbapIdentification:
    """Asking a unit behind Modbus TCP, under a transaction id; the payload is the answer from its function on."""

    __slots__ = ("answer_length", "request", "station")

    def __init__(self, transaction: int, unit: int, first: int = 0) -> None:
        asked = identification_request(unit, first)
        self.station = f"unit {unit}"
        self.request = HEADER.pack(transaction, 0, len(asked)) + asked
        self.answer_length = HEADER_LENGTH + 1 + _HEAD + _USUAL

    def judge(self, received: bytes) -> Verdict:
        """What a frame says that has come whole."""
        length = frame_length(received)
        if length is None:
            return NotTheAnswer("what came is no frame of Modbus TCP")
        if length == 0 or len(received) < length:
            return More(max(1, length - len(received)))
        got = received[HEADER_LENGTH:length]
        if received[:2] != self.request[:2] or got[:1] != self.request[HEADER_LENGTH : HEADER_LENGTH + 1]:
            return NotTheAnswer("another unit or transaction answered")
        if len(got) == 3 and got[1] == FUNCTION | EXCEPTION:
            return Declined(got[2], exception_words(got[2]))
        if got[1:3] != bytes((FUNCTION, MEI)) or objects_length(got[1:]) != len(got) - 1:
            return NotTheAnswer("what came is no identification")
        return Answered(got[1:])
