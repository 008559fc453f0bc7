"""Modbus RTU: frames that end in a CRC and are told apart by unit, function, length and nothing else.

An answer is looked for behind echoes, noise and frames of others: what is skipped is either a whole frame of somebody
else or a byte that cannot begin the awaited one. Modbus over Serial Line V1.02, 2.5.1.
"""

from __future__ import annotations

from collectors.lines.modbus_pdu import EXCEPTION, answer_head, exception_words, misfit, read_request
from collectors.lines.modbus_writing import Coils, Writing
from collectors.lines.question import Answered, Declined, More, NotTheAnswer, Verdict
from collectors.planner import Block

_POLYNOMIAL = 0xA001
_REFUSAL_LENGTH = 5
# What is skipped as noise before an answer is shorter than any frame: a longer stretch may have been the answer itself,
# broken on its way, and the whole frame behind it an older one that the meter said again.
_SHORTEST = 5
# What others may say on the wire: answers to reading say their length, those to writing are of one length.
_READING = (1, 2, 3, 4)
_WRITING = (5, 6, 15, 16)


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))


def crc16(data: bytes) -> bytes:
    """The two bytes that end a frame, low one first.

    >>> crc16(bytes.fromhex("0207")).hex()
    '4112'
    """
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def is_whole(frame: bytes) -> bool:
    """Whether a frame ends in its CRC."""
    return len(frame) >= 4 and crc16(frame[:-2]) == frame[-2:]


class RtuQuestion:
    """Asking one unit: the answer begins with `answer`, and is `length` bytes long with its checksum."""

    __slots__ = ("_answer", "_echoed", "_refusal", "answer_length", "request", "station")

    def __init__(self, unit: int, asked: bytes, answer: bytes, length: int, *, echoed: bool = True) -> None:
        self.station = f"unit {unit}"
        self.request = asked + crc16(asked)
        self.answer_length = length
        self._answer, self._refusal = answer, bytes((unit, asked[1] | EXCEPTION))
        # Whether what comes first and equals the request can only be its echo.
        self._echoed = echoed

    def judge(self, received: bytes) -> Verdict:
        """What came since the request: the answer wherever it stands, or what is missing of it."""
        at = len(self.request) if self._echoed and received.startswith(self.request) else 0
        stranger: bytes | None = None
        lacking = skipped = 0
        while at < len(received):
            rest = received[at:]
            found, missing = self._here(rest)
            if found is not None:
                return (
                    found if skipped < _SHORTEST else NotTheAnswer(f"{skipped} bytes of nobody came before an answer")
                )
            length = _stranger(rest)
            if length:
                stranger = rest[: length - 2]
                at += length
                lacking = 0
                continue
            if missing and not lacking:
                lacking = missing
            at += 1
            skipped += 1
        if lacking:
            return More(lacking)
        return NotTheAnswer(self._misfit(stranger)) if stranger else More()

    def _misfit(self, stranger: bytes) -> str:
        """Why a whole frame, without its checksum, is not the answer."""
        raise NotImplementedError

    def _payload(self, frame: bytes) -> bytes:
        """What an answer holds."""
        return frame[3:-2]

    def _here(self, rest: bytes) -> tuple[Verdict | None, int]:
        """The answer or refusal that begins here; else how many bytes one that begins here still lacks, 0 if none."""
        for head, length in ((self._answer, self.answer_length), (self._refusal, _REFUSAL_LENGTH)):
            if rest[: len(head)] != head[: len(rest)]:
                continue
            if len(rest) < length:
                return None, length - len(rest)
            if is_whole(rest[:length]):
                return self._verdict(rest[:length]), 0
        return None, 0

    def _verdict(self, frame: bytes) -> Verdict:
        if frame.startswith(self._answer):
            return Answered(self._payload(frame))
        return Declined(frame[2], exception_words(frame[2]))


class RtuRead(RtuQuestion):
    """Reading a block at a unit."""

    __slots__ = ("_block", "_unit")

    def __init__(self, unit: int, block: Block) -> None:
        super().__init__(unit, read_request(unit, block), answer_head(unit, block), 5 + 2 * block.count)
        self._unit, self._block = unit, block

    def _misfit(self, stranger: bytes) -> str:
        return misfit(self._unit, self._block, stranger)


class RtuWrite(RtuQuestion):
    """Writing at a unit; `echoes` where the line lets the one who asks hear itself.

    The answer to writing one register or coil equals the request: only who knows whether the line echoes can tell them
    apart.
    """

    __slots__ = ("_unit", "_writing")

    def __init__(self, unit: int, writing: Writing, *, echoes: bool) -> None:
        head = bytes((unit,))
        answer = head + writing.answer
        echoed = echoes or writing.answer != writing.request
        super().__init__(unit, head + writing.request, answer, len(answer) + 2, echoed=echoed)
        self._unit, self._writing = unit, writing

    def _misfit(self, stranger: bytes) -> str:
        return self._writing.misfit(self._unit, stranger)

    def _payload(self, frame: bytes) -> bytes:
        return b""


class RtuReadCoils(RtuQuestion):
    """Reading coils at a unit."""

    __slots__ = ("_coils", "_unit")

    def __init__(self, unit: int, coils: Coils) -> None:
        head = bytes((unit,))
        super().__init__(unit, head + coils.request, head + coils.answer_head, 5 + coils.bytes_count)
        self._unit, self._coils = unit, coils

    def _misfit(self, stranger: bytes) -> str:
        return self._coils.misfit(self._unit, stranger)


def _stranger(rest: bytes) -> int:
    """The length of a whole frame that begins here and answers somebody's request or refuses it; 0 if there is none."""
    if len(rest) < _REFUSAL_LENGTH:
        return 0
    function = rest[1] & 0x7F
    if function in _READING:
        length = _REFUSAL_LENGTH if rest[1] & EXCEPTION else 5 + rest[2]
    elif function in _WRITING:
        length = _REFUSAL_LENGTH if rest[1] & EXCEPTION else 8
    else:
        return 0
    return length if len(rest) >= length and is_whole(rest[:length]) else 0
