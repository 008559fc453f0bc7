"""Modbus TCP on a connection of our own.

The transaction id tells a late answer from the awaited one, so nobody has to be quiet after a timeout: what bears
another id is dropped and counted. A connection that is out of step, or mute twice in a row, is closed and made anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime

from collectors.lines.address import TcpAddress
from collectors.lines.latency import Latency, Timing
from collectors.lines.line import Closing, NoAnswer, Refused, Reply, Unreachable, Untrusted
from collectors.lines.modbus_mbap import HEADER_LENGTH, MbapRead, MbapReadCoils, MbapWrite, frame_length
from collectors.lines.modbus_writing import Coils, Writing, check_unit
from collectors.lines.question import Answered, Declined, NotTheAnswer, Question, Verdict
from collectors.planner import Block, RequestCost

# A converter behind the port has meters of its own to wait for: less than this is no time.
_FLOOR_S = 0.2
_MUTE = 2


class TcpLine(Closing):
    """A line behind a host and port; several units may answer there, one at a time. Connects at the first question."""

    def __init__(self, address: TcpAddress, *, now: Callable[[], datetime], timeout_s: float = 1.0) -> None:
        self.address = address
        self.latencies: dict[str, Latency] = {}
        self.dropped = 0
        self._now = now
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._connection: _Connection | None = None
        self._transaction = secrets.randbelow(0x10000)
        self._mute = 0
        # Until then a converter may still be busy with a question that we gave up.
        self._busy_until = 0.0

    @property
    def cost(self) -> RequestCost:
        """A turn, as long as the stations that have answered take."""
        known = [latency.mean_s for latency in self.latencies.values() if latency.is_learnt]
        return RequestCost.tcp(sum(known) / len(known)) if known else RequestCost.tcp()

    async def read(self, unit: int, block: Block) -> Reply:
        """The registers of a block at a unit; a LineError says why there are none."""
        return await self.ask(MbapRead(self._next(), unit, block))

    async def read_coils(self, unit: int, coils: Coils) -> Reply:
        """Coils at a unit, the first in the lowest bit."""
        return await self.ask(MbapReadCoils(self._next(), unit, coils))

    async def write(self, unit: int, writing: Writing) -> Reply:
        """Write once at a unit; the meter repeated it, or a LineError says what is known."""
        check_unit(unit)
        return await self.ask(MbapWrite(self._next(), unit, writing))

    def _next(self) -> int:
        self._transaction = self._transaction % 0xFFFF + 1
        return self._transaction

    async def ask(self, question: Question) -> Reply:
        """The answer to a question in frames of Modbus TCP; each must bear a transaction id of its own."""
        if frame_length(question.request) != len(question.request):
            raise LookupError(f"{self} speaks Modbus TCP; bytes of other protocols go through rtu+tcp://")
        async with self._turn:
            return await self._exchange(question)

    async def _exchange(self, question: Question) -> Reply:
        connection = self._connection
        if connection is None or connection.lost is not None:
            connection = await self._connect()
        latency = self.latencies.get(question.station) or self._latency(question.station)
        asked_at, began = self._now(), connection.clock()
        # Memory that keeps what is written is slow, and says nothing of how quickly the meter is read.
        writes = isinstance(question, MbapWrite)
        patience_s = self._timeout_s if writes or began < self._busy_until else latency.timeout_s
        verdict = await connection.ask(question, began + patience_s)
        ended, answered_at = connection.clock(), self._now()
        if isinstance(verdict, Answered):
            self._mute = 0
            if not writes:
                latency.learn(ended - began)
            return Reply(verdict.payload, asked_at + (answered_at - asked_at) / 2, ended - began)
        if isinstance(verdict, Declined):
            self._mute = 0
            raise Refused(verdict.code, verdict.reason)
        self._busy_until = ended + self._timeout_s
        raise self._failure(connection, question, verdict, patience_s)

    def _latency(self, station: str) -> Latency:
        found = self.latencies.get(station)
        if found is None:
            floor_s = min(_FLOOR_S, self._timeout_s)
            found = self.latencies[station] = Latency(self._timeout_s, floor_s, self._timeout_s)
        return found

    def timings(self) -> dict[str, Timing]:
        """What has been learnt of each station that answered."""
        return {name: Timing(latency.known) for name, latency in self.latencies.items() if latency.count}

    def recall(self, station: str, timing: Timing) -> None:
        """Begin with what was learnt of a station before; ValueError where that cannot be."""
        self._latency(station).recall(timing.first_byte)

    def _failure(
        self, connection: _Connection, question: Question, verdict: Verdict | None, patience_s: float
    ) -> NoAnswer | Unreachable:
        if connection.lost is not None:
            return Unreachable(f"{self}: {connection.lost}")
        if isinstance(verdict, NotTheAnswer):
            connection.close("out of step")
            return Untrusted(f"{self} {question.station}: {verdict.reason}")
        self._mute += 1
        if self._mute >= _MUTE or connection.is_amid_a_frame:
            self._mute = 0
            connection.close("mute")
        return NoAnswer(f"{self} {question.station}: no answer within {patience_s:.3g} s")

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                _, made = await loop.create_connection(lambda: _Connection(self), self.address.host, self.address.port)
        except TimeoutError as error:
            raise Unreachable(f"{self}: no connection within {self._timeout_s:g} s") from error
        except OSError as error:
            raise Unreachable(f"{self}: {error.strerror or error}") from error
        self._connection = made
        return made

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close("closed")
            self._connection = None

    def __str__(self) -> str:
        return str(self.address)


class _Connection(asyncio.Protocol):
    """A connection and the one question that is open on it.

    One timer serves all questions: it looks whether the present one is due, and else waits on.
    """

    def __init__(self, line: TcpLine) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self.clock = self._loop.time
        self.lost: str | None = None
        self._transport: asyncio.Transport | None = None
        self._pending = b""
        self._question: Question | None = None
        self._waiting: asyncio.Future[Verdict | None] | None = None
        self._misfit: NotTheAnswer | None = None
        self._by = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_amid_a_frame(self) -> bool:
        return bool(self._pending)

    async def ask(self, question: Question, by: float) -> Verdict | None:
        """The verdict on what comes by then; None where nothing does, or the connection is lost."""
        assert self._transport is not None
        self._question, self._misfit, self._by = question, None, by
        waiting: asyncio.Future[Verdict | None] = self._loop.create_future()
        self._waiting = waiting
        if self._timer is None or self._timer.when() > by:
            self._wake_at(by)
        self._transport.write(question.request)
        try:
            return await waiting
        finally:
            self._question = self._waiting = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
            self._pending = b""
        at, end = 0, len(data)
        while at < end:
            length = frame_length(data[at : at + HEADER_LENGTH])
            if length is None:
                self._misfit = NotTheAnswer("what came is no frame of Modbus TCP")
                self._end(self._misfit)
                return
            if length == 0 or end - at < length:
                self._pending = data[at:]
                return
            self._take(data[at : at + length] if at or length < end else data)
            at += length

    def _take(self, frame: bytes) -> None:
        question = self._question
        if question is None or frame[:2] != question.request[:2]:
            self._line.dropped += 1
            return
        verdict = question.judge(frame)
        if isinstance(verdict, NotTheAnswer):
            # It bears the right number; the right answer may follow all the same.
            self._misfit = verdict
            self._line.dropped += 1
            return
        self._end(verdict)

    def _end(self, verdict: Verdict | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(verdict)
        elif isinstance(verdict, NotTheAnswer):
            self.close("out of step")

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        if self.clock() < self._by:
            self._wake_at(self._by)
        else:
            self._waiting.set_result(self._misfit)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(str(exc) if exc else "the other side closed the connection")

    def close(self, why: str) -> None:
        self._lose(why)
        if self._transport is not None:
            self._transport.abort()

    def _lose(self, why: str) -> None:
        if self.lost is None:
            self.lost = why
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end(None)
