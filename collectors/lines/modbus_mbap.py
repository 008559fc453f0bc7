"""Modbus TCP frames: a transaction id tells a late answer from the awaited one (MBAP, implementation guide V1.0b)."""

from __future__ import annotations

import struct

from collectors.lines.modbus_pdu import EXCEPTION, answer_head, exception_words, misfit, read_request
from collectors.lines.modbus_writing import Coils, Writing
from collectors.lines.question import Answered, Declined, More, NotTheAnswer, Verdict
from collectors.planner import Block

HEADER = struct.Struct(">HHH")
HEADER_LENGTH = HEADER.size
# Unit, function and data: nothing of the standard is longer, nothing shorter than unit and function.
LENGTHS = range(2, 255)


def frame_length(received: bytes) -> int | None:
    """The length of the frame that begins here, 0 where too little came to tell; None where no frame begins so.

    >>> frame_length(bytes.fromhex("0001 0000 0003 07 83 02"))
    9
    """
    if len(received) < HEADER_LENGTH:
        return 0
    _, protocol, length = HEADER.unpack_from(received)
    return HEADER_LENGTH + length if protocol == 0 and length in LENGTHS else None


class MbapQuestion:
    """Asking one unit under a transaction id; the only answer begins in one way and has one length."""

    __slots__ = ("_head", "_unit", "answer_length", "request", "transaction")

    def __init__(self, transaction: int, unit: int, asked: bytes, answer: bytes, length: int) -> None:
        """asked, answer : from the unit on. length : of the whole answer, from the unit on."""
        self.transaction = transaction
        self.request = HEADER.pack(transaction, 0, len(asked)) + asked
        self.answer_length = HEADER_LENGTH + length
        self._head = HEADER.pack(transaction, 0, length) + answer
        self._unit = unit

    @property
    def station(self) -> str:
        return f"unit {self._unit}"

    def judge(self, received: bytes) -> Verdict:
        """What came since the request, from the begin of a frame on; frames of other transactions are passed over."""
        if len(received) == self.answer_length and received.startswith(self._head):
            return Answered(received[9:])
        at = 0
        reason = ""
        while at < len(received):
            length = frame_length(received[at:])
            if length is None:
                return NotTheAnswer("what came is no frame of Modbus TCP")
            if length == 0 or len(received) - at < length:
                return More(max(1, length - (len(received) - at)))
            found = self._judge_frame(received[at : at + length])
            if not isinstance(found, NotTheAnswer):
                return found
            reason = found.reason or reason
            at += length
        return NotTheAnswer(reason) if reason else More()

    def _judge_frame(self, frame: bytes) -> Verdict:
        if frame[:2] != self.request[:2]:
            return NotTheAnswer("")
        if len(frame) == self.answer_length and frame.startswith(self._head):
            return Answered(frame[9:])
        got = frame[HEADER_LENGTH:]
        if len(got) == 3 and got[0] == self._unit and got[1] == self.request[HEADER_LENGTH + 1] | EXCEPTION:
            return Declined(got[2], exception_words(got[2]))
        return NotTheAnswer(self._misfit(got))

    def _misfit(self, got: bytes) -> str:
        """Why a frame from its unit on is not the answer."""
        raise NotImplementedError


class MbapRead(MbapQuestion):
    """Reading a block at a unit."""

    __slots__ = ("_block",)

    def __init__(self, transaction: int, unit: int, block: Block) -> None:
        length = 3 + 2 * block.count
        super().__init__(transaction, unit, read_request(unit, block), answer_head(unit, block), length)
        self._block = block

    def _misfit(self, got: bytes) -> str:
        return misfit(self._unit, self._block, got)


class MbapWrite(MbapQuestion):
    """Writing at a unit; the payload says nothing."""

    __slots__ = ("_writing",)

    def __init__(self, transaction: int, unit: int, writing: Writing) -> None:
        head = bytes((unit,))
        super().__init__(transaction, unit, head + writing.request, head + writing.answer, 1 + len(writing.answer))
        self._writing = writing

    def _misfit(self, got: bytes) -> str:
        return self._writing.misfit(self._unit, got)


class MbapReadCoils(MbapQuestion):
    """Reading coils at a unit."""

    __slots__ = ("_coils",)

    def __init__(self, transaction: int, unit: int, coils: Coils) -> None:
        head = bytes((unit,))
        length = 3 + coils.bytes_count
        super().__init__(transaction, unit, head + coils.request, head + coils.answer_head, length)
        self._coils = coils

    def _misfit(self, got: bytes) -> str:
        return self._coils.misfit(self._unit, got)
