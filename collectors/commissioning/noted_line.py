"""A line that notes every question and what came for it, and pauses between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from collectors.exchanges import Exchange
from collectors.lines.byte_line import Counts
from collectors.lines.line import Closing, Line, NoAnswer, Refused, Reply
from collectors.lines.modbus_identification import MbapIdentification, RtuIdentification, follows, objects
from collectors.lines.modbus_mbap import MbapRead
from collectors.lines.modbus_rtu import RtuRead
from collectors.lines.question import Question, Verdict
from collectors.planner import Block, RequestCost

# Who says more than so often that more follows is not believed.
_MOST_PARTS = 4


class Noted:
    """A question that keeps what was heard for it while it was open."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self.heard = b""
        self.open = True

    @property
    def station(self) -> str:
        return self._question.station

    @property
    def request(self) -> bytes:
        return self._question.request

    @property
    def answer_length(self) -> int:
        return self._question.answer_length

    def judge(self, received: bytes) -> Verdict:
        verdict = self._question.judge(received)
        if self.open:
            self.heard = received
        return verdict


class NotedLine(Closing):
    """A line as others are; Modbus is framed as its wire has it. `clock` counts seconds since the noting began."""

    def __init__(
        self,
        line: Line,
        address: str,
        *,
        framed: bool,
        exchanges: list[Exchange],
        clock: Callable[[], float],
        pause_s: float = 0.0,
    ) -> None:
        self.address, self.speaks_tcp = address, framed
        self._line, self._exchanges = line, exchanges
        self._clock, self._pause_s = clock, pause_s
        self._transaction = 0

    @property
    def cost(self) -> RequestCost:
        return self._line.cost

    @property
    def strays(self) -> int:
        """Bytes that belonged to nobody so far, where the line counts them."""
        counts = getattr(self._line, "counts", None)
        return counts.stray_bytes if isinstance(counts, Counts) else 0

    async def read(self, unit: int, block: Block) -> Reply:
        return await self.ask(MbapRead(self._next(), unit, block) if self.speaks_tcp else RtuRead(unit, block))

    async def identification(self, unit: int) -> dict[int, str]:
        """What a unit says of itself by function 43/14; a LineError where it does not."""
        found: dict[int, str] = {}
        first: int | None = 0
        for _ in range(_MOST_PARTS):
            if first is None:
                break
            asked = MbapIdentification(self._next(), unit, first) if self.speaks_tcp else RtuIdentification(unit, first)
            payload = (await self.ask(asked)).payload
            found |= objects(payload)
            first = follows(payload)
        return found

    async def ask(self, question: Question) -> Reply:
        if self._pause_s and self._exchanges:
            await asyncio.sleep(self._pause_s)
        noted, at_s = Noted(question), self._clock()
        try:
            reply = await self._line.ask(noted)
        except Refused:
            self._note(noted, at_s, "declined")
            raise
        except NoAnswer:
            self._note(noted, at_s, "strange" if noted.heard else "nothing")
            raise
        finally:
            # Where the wire was lost or nobody waited any more, nothing is known of the answer, and nothing is noted.
            noted.open = False
        self._note(noted, at_s, "answered")
        return reply

    def _note(self, noted: Noted, at_s: float, outcome: str) -> None:
        took_s = self._clock() - at_s
        self._exchanges.append(Exchange(self.address, noted.station, at_s, noted.request, noted.heard, took_s, outcome))

    def _next(self) -> int:
        self._transaction = self._transaction % 0xFFFF + 1
        return self._transaction

    async def close(self) -> None:
        await self._line.close()
