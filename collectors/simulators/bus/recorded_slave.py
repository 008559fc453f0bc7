"""Meters that answer as they did when they were recorded: a bus of somewhere else, to try against."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from statistics import median

from collectors.exchanges import Exchange
from collectors.lines.address import TcpAddress, parse_address
from collectors.simulators.bus.misbehaviour import Misbehaviour

_NUMBER = re.compile(r"unit (\d+)")
_TRANSACTION = 2


class RecordedSlave:
    """One station of a recording: to a question it says what it said, the next time what it said next, then the last.

    What it was never asked it does not answer; neither what it did not answer then. `latency_s` is the median of its
    answers. A transaction of Modbus TCP is not compared, and is that of the question.
    """

    def __init__(self, station: str, exchanges: Sequence[Exchange]) -> None:
        self._station, self._framed = station, is_framed(exchanges)
        self._said: dict[bytes, list[bytes]] = defaultdict(list)
        for exchange in exchanges:
            self._said[self._key(exchange.asked)].append(exchange.came)
        self._next: dict[bytes, int] = defaultdict(int)
        thought = [_thought_s(exchange) for exchange in exchanges if exchange.came]
        self.latency_s = median(thought) if thought else 0.0
        number = _NUMBER.fullmatch(station)
        self._unit = int(number[1]) if number else 1

    @property
    def name(self) -> str:
        return self._station

    @property
    def unit(self) -> int:
        return self._unit

    def answer(self, burst: bytes) -> bytes | None:
        said = self._said.get(self._key(burst))
        if said is None:
            return None
        turn = min(self._next[self._key(burst)], len(said) - 1)
        self._next[self._key(burst)] += 1
        came = said[turn]
        if not came:
            return None
        return burst[:_TRANSACTION] + came[_TRANSACTION:] if self._framed else came

    def _key(self, asked: bytes) -> bytes:
        return asked[_TRANSACTION:] if self._framed else asked

    def twisted(self, misbehaviour: Misbehaviour, request: bytes, reply: bytes, chance: Random) -> bytes:
        """The reply itself: what was recorded is of any protocol."""
        return reply

    def reboot(self) -> None:
        """It begins from the first answers again."""
        self._next.clear()


def recorded_slaves(exchanges: Sequence[Exchange]) -> list[RecordedSlave]:
    """The stations of a recording at the speed at which most was answered; one of any station is there, too."""
    line = _line_of(exchanges)
    of: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        if exchange.line == line:
            of[exchange.station].append(exchange)
    return [RecordedSlave(station, own) for station, own in of.items() if any(e.came for e in own)]


def is_framed(exchanges: Sequence[Exchange]) -> bool:
    """Whether a recording is of Modbus TCP."""
    line = _line_of(exchanges)
    return line is not None and isinstance(parse_address(line), TcpAddress)


def _line_of(exchanges: Sequence[Exchange]) -> str | None:
    lines = [e.line for e in exchanges if e.came] or [e.line for e in exchanges]
    return max(sorted(set(lines)), key=lines.count) if lines else None


def _thought_s(exchange: Exchange) -> float:
    """How long the meter thought: without what the characters took."""
    characters = getattr(parse_address(exchange.line), "characters", None)
    travelled_s = characters.seconds * len(exchange.asked + exchange.came) if characters else 0.0
    return max(0.0, exchange.took_s - travelled_s)
