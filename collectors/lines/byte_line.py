"""A line of bytes: serial ports and serial servers, where nothing but the answer itself tells whose answer it is.

Modbus RTU, DL/T 645 and CJ/T 188 number no request. An answer that comes after its time could be taken for that of the
next question to the same station; so after every question that ended without its answer there is a **hush**:

- the *station* is asked nothing until its answer can no longer come: `LATEST_S` after its time, or twice the longest
  lateness known of it. What it says late bears its own address and fits no question to another station;
- the *line* is held quiet for as long, if the station has answered so far: its answer may come late, is then given
  to its own question, and collides with nobody's. A station that did not answer before either holds nobody up. One that
  has sent what was no answer is not trusted to bear its own address, and always holds the line.

What comes when nobody waits for it is looked at, too: a late answer ends the hush and teaches how late it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from collectors.lines.address import SerialAddress, SerialServerAddress
from collectors.lines.latency import Latency, Timing
from collectors.lines.line import Closing, NoAnswer, Refused, Reply, Unreachable, Untrusted
from collectors.lines.modbus_rtu import RtuRead, RtuReadCoils, RtuWrite
from collectors.lines.modbus_writing import Coils, Writing, check_unit
from collectors.lines.question import ANYONE, Answered, Declined, More, NotTheAnswer, Question, Verdict
from collectors.lines.wires import SerialWire, SocketWire, Wire
from collectors.planner import Block, RequestCost

# The least time after its own in which an answer is believed possible.
LATEST_S = 1.0
# What comes later than this answers no question of ours, but perhaps that of another master.
_OLDEST_S = 10.0
# A station that is not known is given this at least once it has failed; before, as long as the line allows.
_PROBE_S = 0.12
_FIRST_BYTE_FLOOR_S = 0.1
# Between two bytes of one answer. USB adapters hand over every 16 ms, serial servers pack for up to 50 ms and more.
# A machine that is busy adds to it, and to wait a little longer for the rest of an answer costs less than to ask again.
_GAP_FLOOR_S, _GAP_START_S, _GAP_CEILING_S = 0.1, 0.15, 0.5
# Whoever speaks unasked is let finish: bytes come in bunches, so that 3.5 characters say nothing of an end.
_STRAY_S = 0.05
# A wire that says something for so long although nobody was asked is broken.
_BABBLE_S = 1.0
# After so many questions without a byte from anybody a connection may be dead without telling; it is made anew.
_MUTE = 3
# More than this no answer has together with its echo and a stranger's frame.
_MOST_BYTES = 2048


@dataclass(slots=True)
class Counts:
    """What a line has seen: late answers that were recognised, bytes that belonged to nothing, questions unanswered."""

    late: int = 0
    stray_bytes: int = 0
    unanswered: int = 0


@dataclass(slots=True)
class Respondent:
    """A station as the line knows it: how it answers, and the question that it may still answer."""

    first_byte: Latency
    gap: Latency
    latest_s: float
    failures: int = 0
    strange: bool = False
    hushed_until: float = 0.0
    unanswered: Question | None = None
    asked_at: float = 0.0

    def late(self, lateness_s: float) -> None:
        """It answered so long after the question."""
        self.first_byte.learn(lateness_s)
        self.latest_s = max(self.latest_s, min(2 * lateness_s, _OLDEST_S))
        self.unanswered = None
        self.hushed_until = 0.0
        self.failures = 0


class ByteLine(Closing):
    """A line behind a serial port or a serial server; opens at the first question, and again after it was lost."""

    def __init__(
        self,
        address: SerialAddress | SerialServerAddress,
        *,
        now: Callable[[], datetime],
        timeout_s: float = 1.0,
        latest_s: float = LATEST_S,
    ) -> None:
        self.address = address
        self.counts = Counts()
        self.respondents: dict[str, Respondent] = {}
        self._now = now
        self._timeout_s, self._latest_s = timeout_s, latest_s
        self._characters = address.characters
        # A serial server may hold an answer back until all of it has come.
        self._packs = isinstance(address, SerialServerAddress)
        self._turn = asyncio.Lock()
        self._wire: Wire | None = None
        self._received = bytearray()
        self._came = asyncio.Event()
        self._lost: str | None = None
        self._first_at = self._last_at = self._free_at = self._widest_s = 0.0
        self._needed = 1
        self._mute = 0
        # Whether the last answer came behind the echo of its question.
        self._echoes = False

    @property
    def cost(self) -> RequestCost:
        """RTU at the line's speed, with the latency of the stations that have answered."""
        known = [r.first_byte.mean_s for r in self.respondents.values() if r.first_byte.is_learnt]
        c = self._characters
        if not known:
            return RequestCost.rtu(c.baud, bits_per_character=c.bits)
        return RequestCost.rtu(c.baud, bits_per_character=c.bits, latency_s=sum(known) / len(known))

    async def read(self, unit: int, block: Block) -> Reply:
        """The registers of a block at a unit; a LineError says why there are none."""
        return await self.ask(RtuRead(unit, block))

    async def read_coils(self, unit: int, coils: Coils) -> Reply:
        """Coils at a unit, the first in the lowest bit."""
        return await self.ask(RtuReadCoils(unit, coils))

    async def write(self, unit: int, writing: Writing) -> Reply:
        """Write once at a unit; the meter repeated it, or a LineError says what is known.

        Something must have been read on the line before: only so it is known whether it echoes.
        """
        check_unit(unit)
        return await self.ask(RtuWrite(unit, writing, echoes=self._echoes))

    async def ask(self, question: Question) -> Reply:
        """The answer to a question; while its station is hushed it waits, and others are asked."""
        who = self._respondent(question.station)
        clock = asyncio.get_running_loop().time
        while True:
            if (hushed_s := self._hushed_until(question, who) - clock()) > 0:
                await asyncio.sleep(hushed_s)
            async with self._turn:
                if self._hushed_until(question, who) <= clock():
                    return await self._exchange(question, who)

    def timings(self) -> dict[str, Timing]:
        """What has been learnt of each station that answered, or that failed to."""
        return {
            name: Timing(who.first_byte.known, who.gap.known, who.latest_s, who.failures == 0)
            for name, who in self.respondents.items()
            if name != ANYONE and (who.first_byte.count or who.failures)
        }

    def recall(self, station: str, timing: Timing) -> None:
        """Begin with what was learnt of a station before; ValueError where that cannot be."""
        who = self._respondent(station)
        who.first_byte.recall(timing.first_byte)
        if timing.gap is not None:
            who.gap.recall(timing.gap)
        who.latest_s = min(max(who.latest_s, timing.latest_s), _OLDEST_S)
        # Who was silent then is not waited for by the whole line now.
        who.failures = 0 if timing.answering else 1

    def _hushed_until(self, question: Question, who: Respondent) -> float:
        if question.station == ANYONE:
            return max(r.hushed_until for r in self.respondents.values())
        anyone = self.respondents.get(ANYONE)
        return who.hushed_until if anyone is None else max(who.hushed_until, anyone.hushed_until)

    async def _exchange(self, question: Question, who: Respondent) -> Reply:
        wire = await self._open()
        await self._silence()
        loop = asyncio.get_running_loop()
        self._received.clear()
        self._first_at = self._widest_s = 0.0
        asked_at, began = self._now(), loop.time()
        wire.write(question.request)
        sent_at = self._last_at = began + len(question.request) * self._characters.seconds
        patience_s = self._first_byte_s(who, question)
        who.unanswered, who.asked_at = question, sent_at
        try:
            verdict = await self._verdict(question, sent_at + patience_s, who.gap.timeout_s)
            if isinstance(verdict, More | NotTheAnswer):
                self._hush(question, who, verdict)
                verdict = await self._late_verdict(question, who, verdict)
        except BaseException:
            # Whoever stops waiting, or a wire that is lost, leaves a question open.
            left_s = max(0.0, sent_at + patience_s - loop.time()) + question.answer_length * self._characters.seconds
            self._free_at = max(self._free_at, loop.time() + left_s)
            who.hushed_until = max(who.hushed_until, loop.time() + left_s + who.latest_s)
            raise
        took_s, answered_at = loop.time() - began, self._now()
        if isinstance(verdict, More | NotTheAnswer):
            raise self._failure(question, who, verdict, patience_s)
        self._answered(who, sent_at, question)
        if isinstance(question, RtuRead | RtuReadCoils):
            self._echoes = self._received.startswith(question.request)
        self._recognise(bytes(self._received))
        self._received.clear()
        if isinstance(verdict, Declined):
            raise Refused(verdict.code, verdict.reason)
        return Reply(verdict.payload, asked_at + (answered_at - asked_at) / 2, took_s)

    async def _verdict(self, question: Question, first_by: float, gap_s: float) -> Verdict:
        """What came by the time of the first byte, and as long as bytes go on to come; More where it is not enough."""
        needed = 1
        while True:
            if await self._more(needed, first_by, gap_s):
                verdict = question.judge(bytes(self._received))
                if isinstance(verdict, NotTheAnswer) and self._recognise(bytes(self._received)):
                    # Somebody else's late answer; the awaited one is still to come.
                    self._received.clear()
                    self._first_at, needed = 0.0, 1
                    continue
                if not isinstance(verdict, More) or len(self._received) >= _MOST_BYTES:
                    return verdict
                needed = len(self._received) + max(1, min(verdict.at_least, question.answer_length))
            else:
                # What came may be enough to be judged although more was expected.
                return question.judge(bytes(self._received)) if self._received else More()

    async def _late_verdict(self, question: Question, who: Respondent, verdict: Verdict) -> Verdict:
        """As long as the line is hushed, its one open question may still be answered."""
        while await self._more(len(self._received) + 1, self._free_at):
            verdict = question.judge(bytes(self._received))
            if isinstance(verdict, Answered | Declined):
                self.counts.late += 1
                self._free_at = 0.0
                return verdict
            if len(self._received) >= _MOST_BYTES:
                self._forget_received()
        return verdict

    async def _more(self, count: int, by: float, gap_s: float = 0.0) -> bool:
        """Whether so many bytes are there by then, and after it until the last of them is so long ago."""
        clock = asyncio.get_running_loop().time
        while len(self._received) < count:
            if self._lost is not None:
                raise Unreachable(f"{self}: {self._lost}")
            until = max(by, self._last_at + gap_s) if self._received else by
            if clock() >= until:
                return False
            self._needed = count
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._came.wait()
        return True

    async def _silence(self) -> None:
        """Nobody speaks: the line is free, and 3.5 characters have passed since the last byte."""
        loop = asyncio.get_running_loop()
        until = max(loop.time(), self._free_at) + _BABBLE_S
        assert self._wire is not None
        self._forget_received()
        while True:
            await self._wire.collect()
            if self._lost is not None:
                raise Unreachable(f"{self}: {self._lost}")
            silence_s = max(_STRAY_S, self._characters.silence_s) if self._received else self._characters.silence_s
            quiet_at = max(self._free_at, self._last_at + silence_s)
            if loop.time() >= quiet_at:
                break
            if loop.time() > until:
                raise Untrusted(f"{self}: bytes come all the time although nobody was asked")
            await asyncio.sleep(quiet_at - loop.time())
        self._forget_received()

    def _heard_of(self, question: Question) -> int:
        """How many bytes came that are not the echo of the request."""
        return len(self._received.removeprefix(question.request))

    def _hush(self, question: Question, who: Respondent, verdict: Verdict) -> None:
        """No answer in time: its station is left alone, and the line, as this module says."""
        now = asyncio.get_running_loop().time()
        self.counts.unanswered += 1
        who.strange |= isinstance(verdict, NotTheAnswer)
        who.hushed_until = now + who.latest_s
        heard = self._heard_of(question)
        self._mute = 0 if heard else self._mute + 1
        was_answering = who.failures == 0 and who.first_byte.count > 0 and not heard
        if was_answering or who.strange:
            self._free_at = now + who.latest_s
        who.failures += 1

    def _answered(self, who: Respondent, sent_at: float, question: Question) -> None:
        self._mute = 0
        if isinstance(question, RtuWrite):
            # Memory that keeps what is written is slow, and says nothing of how quickly the meter is read.
            who.failures, who.unanswered, who.hushed_until = 0, None, 0.0
            return
        # Echo or noise may have come before; the answer itself did not begin before its characters take to travel.
        began = max(self._first_at, self._last_at - question.answer_length * self._characters.seconds)
        who.gap.learn(self._widest_s)
        if who.hushed_until > sent_at:
            who.late(began - sent_at)
            return
        who.first_byte.learn(began - sent_at)
        who.failures, who.unanswered = 0, None

    def _failure(self, question: Question, who: Respondent, verdict: Verdict, patience_s: float) -> NoAnswer:
        again_in_s = max(0.0, who.hushed_until - asyncio.get_running_loop().time())
        where = f"{self} {question.station}"
        if isinstance(verdict, NotTheAnswer):
            return Untrusted(f"{where}: {verdict.reason}", again_in_s=again_in_s)
        if count := self._heard_of(question):
            return Untrusted(f"{where}: {count} bytes came that are no whole answer", again_in_s=again_in_s)
        return NoAnswer(f"{where}: no answer within {patience_s:.3g} s", again_in_s=again_in_s)

    def _first_byte_s(self, who: Respondent, question: Question) -> float:
        """How long the first byte is waited for."""
        patience_s = self._timeout_s if isinstance(question, RtuWrite) else who.first_byte.timeout_s
        if who.failures and not who.first_byte.count and not isinstance(question, RtuWrite):
            # Never heard, and failed already: as long as the slowest of its neighbours takes.
            known = [r.first_byte.timeout_s for r in self.respondents.values() if r.first_byte.is_learnt]
            patience_s = min(max([_PROBE_S, *known]), self._timeout_s)
        return patience_s + (question.answer_length * self._characters.seconds if self._packs else 0.0)

    def _respondent(self, station: str) -> Respondent:
        found = self.respondents.get(station)
        if found is None:
            first = Latency(self._timeout_s, min(_FIRST_BYTE_FLOOR_S, self._timeout_s), self._timeout_s)
            gap = Latency(_GAP_START_S, _GAP_FLOOR_S, _GAP_CEILING_S)
            found = self.respondents[station] = Respondent(first, gap, self._latest_s)
        return found

    def _heard(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if not self._received:
            self._first_at = now
        else:
            # What the characters themselves take is no gap.
            self._widest_s = max(self._widest_s, now - self._last_at - len(data) * self._characters.seconds)
        self._last_at = now
        self._received += data
        if (excess := len(self._received) - _MOST_BYTES) > 0:
            del self._received[:excess]
            self.counts.stray_bytes += excess
        missing = self._needed - len(self._received)
        if missing <= 0:
            self._came.set()
        elif missing > 2 and self._wire is not None:
            # Shorter than any gap that is waited for, so that a rest is never taken for one.
            self._wire.rest(min((missing - 1) * self._characters.seconds, _GAP_FLOOR_S / 2))

    def _forget_received(self) -> None:
        """What nobody waited for: perhaps a late answer, perhaps noise."""
        if self._received and not self._recognise(bytes(self._received)):
            self.counts.stray_bytes += len(self._received)
        self._received.clear()

    def _recognise(self, said: bytes) -> bool:
        """Whether it holds the late answer to a question that had been given up; its station is then free again."""
        for who in self.respondents.values():
            question = who.unanswered
            if question is None or self._last_at - who.asked_at > _OLDEST_S:
                continue
            if isinstance(question.judge(said), Answered | Declined):
                who.late(max(0.0, self._last_at - who.asked_at - question.answer_length * self._characters.seconds))
                self.counts.late += 1
                return True
        return False

    async def _open(self) -> Wire:
        if self._packs and self._mute >= _MUTE:
            self._lost, self._mute = "nothing came any more", 0
        if self._wire is not None and self._lost is None:
            return self._wire
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        self._lost = None
        self._received.clear()
        if isinstance(self.address, SerialAddress):
            self._wire = SerialWire.open(self.address, self._heard, self._gone)
        else:
            self._wire = await SocketWire.open(self.address, self._heard, self._gone, self._timeout_s)
        return self._wire

    def _gone(self, why: str) -> None:
        self._lost = why
        self._came.set()

    async def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def __str__(self) -> str:
        return str(self.address)
