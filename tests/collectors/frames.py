"""What the tests of both Chinese protocols share: chances to go wrong, and a line in the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from types import TracebackType
from typing import Protocol, Self

from collectors.lines.line import NoAnswer, Refused, Reply, Untrusted
from collectors.lines.question import Answered, Declined, More, Question
from collectors.planner import Block, RequestCost

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)


class Slave(Protocol):
    def answer(self, burst: bytes) -> bytes | None: ...


class WireInMemory:
    """Slaves on a line that takes no time, byte by byte; `asked` holds what went out."""

    cost = RequestCost(1.0, 0.0)

    def __init__(self, *slaves: Slave) -> None:
        self._slaves = slaves
        self.asked: list[bytes] = []

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question.request)
        said = b"".join(s.answer(question.request) or b"" for s in self._slaves)
        received, verdict = b"", question.judge(b"")
        for i in range(len(said)):
            received = said[: i + 1]
            verdict = question.judge(received)
            if not isinstance(verdict, More):
                break
        match verdict:
            case Answered(payload):
                return Reply(payload, NOON, 0.1)
            case Declined(code, reason):
                raise Refused(code, reason)
            case More():
                raise NoAnswer(question.station)
        raise Untrusted(verdict.reason)

    async def read(self, unit: int, block: Block) -> Reply:
        raise AssertionError("no Modbus meter is on this line")

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def mutated(frames: Sequence[bytes], count: int, *, seed: int) -> Iterator[bytes]:
    """Frames with bytes turned, lost, added, swapped and doubled, cut off, glued to others, and plain noise."""
    chance = Random(seed)
    for _ in range(count):
        frame = bytearray(chance.choice(frames))
        for _ in range(chance.randint(0, 3)):
            _spoil(frame, frames, chance)
        yield bytes(frame)


def _spoil(frame: bytearray, frames: Sequence[bytes], chance: Random) -> None:
    at = chance.randrange(len(frame) + 1)
    match chance.randrange(8):
        case 0 if at < len(frame):
            frame[at] = chance.randrange(256)
        case 1 if at < len(frame):
            frame[at] ^= 1 << chance.randrange(8)
        case 2 if at < len(frame):
            del frame[at]
        case 3:
            frame[at:at] = chance.randbytes(chance.randint(1, 4))
        case 4:
            del frame[at:]
        case 5:
            frame[at:at] = chance.choice(frames)
        case 6 if at + 1 < len(frame):
            frame[at], frame[at + 1] = frame[at + 1], frame[at]
        case 7:
            frame[:] = chance.randbytes(chance.randint(0, 40))
