"""Modbus TCP frames: a transaction id tells a late answer from the awaited one (MBAP, implementation guide V1.0b)."""

from __future__ import annotations

import struct

from collectors.lines.modbus_pdu import answer_head, exception_words, misfit, read_request, refusal_head
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


class MbapRead:
    """Reading a block at a unit, under a transaction id."""

    __slots__ = ("_block", "_head", "_unit", "answer_length", "request", "transaction")

    def __init__(self, transaction: int, unit: int, block: Block) -> None:
        self.transaction = transaction
        self.request = HEADER.pack(transaction, 0, 6) + read_request(unit, block)
        self.answer_length = HEADER_LENGTH + 3 + 2 * block.count
        self._head = HEADER.pack(transaction, 0, 3 + 2 * block.count) + answer_head(unit, block)
        self._unit, self._block = unit, block

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
        if len(got) == 3 and got.startswith(refusal_head(self._unit, self._block)):
            return Declined(got[2], exception_words(got[2]))
        return NotTheAnswer(misfit(self._unit, self._block, got))
