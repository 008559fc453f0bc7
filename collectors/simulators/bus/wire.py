"""The wire itself: who speaks is heard character by character, and two that speak at once garble each other.

Nothing here waits or reads a clock. What the asking side sends is put on the wire with its time; `advance` tells what
that side has received by a time, `due` when there is something to be told. So it runs against any clock, a stepped one
too, and lateness of the machine that drives it never adds up: every character has its own time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from collectors.lines.address import Characters

# Characters that follow each other touch, whatever the rounding of their times says.
_TOUCH_S = 1e-9


@dataclass(frozen=True, slots=True)
class Saying:
    """Bytes that a meter says, so long after the request ended; `gap_s` is the silence between its characters.

    `hangs_up` resets the connection behind the last byte, where there is one.
    """

    data: bytes
    after_s: float
    gap_s: float = 0.0
    hangs_up: bool = False


class Station(Protocol):
    """Whatever hears the asking side: all that came between two silences, and what is said to it."""

    def hear(self, burst: bytes, at: float) -> Sequence[Saying]:
        """What is said to a burst that ended at a time; pure of waiting, never raises."""


class Delivered(NamedTuple):
    """What the asking side has received; and whether the connection is reset now."""

    data: bytes
    hang_up: bool


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A character on the wire, and when the asking side has it out of its UART; `value` None is the end of a talk."""

    start: float
    end: float
    given: float
    value: int | None


class Wire:
    """Two strands between one that asks and many that answer.

    Parameters
    ----------
    station : who listens.
    characters : how long each takes; None for a network, where bytes take no time and each write is a burst.
    uart : how many characters the receiving UART collects before it hands them out; the last of a talk come at once.
    echo : the asking side hears itself, as behind some converters.
    collisions : whether two that speak at once garble each other; not on four strands.
    """

    def __init__(
        self,
        station: Station,
        characters: Characters | None,
        *,
        uart: int = 1,
        echo: bool = False,
        collisions: bool = True,
        seed: int = 0,
    ) -> None:
        self._station = station
        self._character_s = characters.seconds if characters else 0.0
        self._silence_s = characters.silence_s if characters else 0.0
        self._uart, self._echo, self._collisions = max(1, uart), echo, collisions and characters is not None
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._burst = bytearray()
        self._asked_until = float("-inf")
        self._talks: list[_Spoken] = []
        self._ready = bytearray()
        self._hang_up = False

    def put(self, data: bytes, at: float) -> None:
        """The asking side wrote these bytes at a time; they go out one after another."""
        self._run(at)
        asked: list[_Spoken] = []
        for value in data:
            start = max(at, self._asked_until)
            self._asked_until = start + self._character_s
            asked.append(_Spoken(start, self._asked_until, self._asked_until, value))
        if self._collisions:
            asked, self._talks = self._collided(asked, self._talks)
        self._burst += bytes(c.value for c in asked if c.value is not None)
        if self._echo:
            self._talks = sorted([*self._talks, *asked], key=_given)

    def due(self) -> float | None:
        """When there is something to be done; None while all is quiet."""
        times = [self._talks[0].given] if self._talks else []
        if self._burst:
            times.append(self._asked_until + self._silence_s)
        if self._ready or self._hang_up:
            times.append(float("-inf"))
        return min(times, default=None)

    def advance(self, to: float) -> Delivered:
        """What the asking side received up to a time since it was last told."""
        self._run(to)
        delivered = Delivered(bytes(self._ready), self._hang_up)
        self._ready.clear()
        self._hang_up = False
        return delivered

    def _run(self, to: float) -> None:
        ended = self._asked_until + self._silence_s
        if self._burst and ended <= to:
            burst, self._burst = bytes(self._burst), bytearray()
            for saying in self._station.hear(burst, ended):
                self._say(saying, ended)
        while self._talks and self._talks[0].given <= to:
            spoken = self._talks.pop(0)
            if spoken.value is not None:
                self._ready.append(spoken.value)
            else:
                self._hang_up = True

    def _say(self, saying: Saying, now: float) -> None:
        talk = self._timed(saying, now)
        if self._collisions:
            talk, self._talks = self._collided(talk, self._talks)
        self._talks = sorted([*self._talks, *talk], key=_given)

    def _timed(self, saying: Saying, now: float) -> list[_Spoken]:
        step = self._character_s + saying.gap_s
        first = now + saying.after_s
        ends = [first + i * step + self._character_s for i in range(len(saying.data))]
        talk = [
            _Spoken(end - self._character_s, end, ends[self._handed_out(i, len(ends), saying)], value)
            for i, (value, end) in enumerate(zip(saying.data, ends, strict=True))
        ]
        if saying.hangs_up:
            last = ends[-1] if ends else first
            talk.append(_Spoken(last, last, last, None))
        return talk

    def _handed_out(self, i: int, count: int, saying: Saying) -> int:
        """With which character the i-th is handed out: the one that fills the UART, or the last of its run."""
        if saying.gap_s:
            return i
        return min(i - i % self._uart + self._uart, count) - 1

    def _collided(self, new: list[_Spoken], old: list[_Spoken]) -> tuple[list[_Spoken], list[_Spoken]]:
        """Both, with every character garbled that was on the wire together with another one's."""
        if not new or not old or new[0].start >= max(c.end for c in old) or new[-1].end <= min(c.start for c in old):
            return new, old
        return [self._garbled(c, old) for c in new], [self._garbled(c, new) for c in old]

    def _garbled(self, character: _Spoken, others: list[_Spoken]) -> _Spoken:
        met = any(o.start + _TOUCH_S < character.end and character.start + _TOUCH_S < o.end for o in others)
        if not met or character.value is None:
            return character
        return replace(character, value=character.value ^ self._random.randint(1, 255))


def _given(spoken: _Spoken) -> float:
    return spoken.given
