"""How quickly a station answers, learnt from its answers; what follows for how long it is waited for."""

from __future__ import annotations

from dataclasses import dataclass

# Over how many answers the mean follows, and how slowly the largest is forgotten: to a half in some 700.
_MEAN_OVER = 16
_FORGET = 0.999
# Learnt times count from so many answers on.
_ENOUGH = 3
# No answer takes longer.
_LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class KnownLatency:
    """What was learnt of one kind of time, to be kept over a restart [s]."""

    mean_s: float
    deviation_s: float
    high_s: float
    count: int


@dataclass(frozen=True, slots=True)
class Timing:
    """What a line knows of the times of a station; `gap` and `latest_s` are those of a line of bytes.

    answering : whether it answered the last time it was asked.
    """

    first_byte: KnownLatency
    gap: KnownLatency | None = None
    latest_s: float = 0.0
    answering: bool = True


@dataclass(slots=True)
class Latency:
    """Times of one kind of one station: mean, mean deviation, and a high quantile as a slowly sinking maximum [s].

    A station that was never heard has `start_s`; whatever is learnt, `timeout_s` lies within `floor_s` and `ceiling_s`.
    """

    start_s: float
    floor_s: float
    ceiling_s: float
    mean_s: float = 0.0
    deviation_s: float = 0.0
    high_s: float = 0.0
    count: int = 0

    def learn(self, took_s: float) -> None:
        """Take in how long an answer took."""
        took_s = max(0.0, took_s)
        self.count += 1
        if self.count == 1:
            self.mean_s, self.deviation_s, self.high_s = took_s, took_s / 2, took_s
            return
        share = max(1 / self.count, 1 / _MEAN_OVER)
        self.deviation_s += share * (abs(took_s - self.mean_s) - self.deviation_s)
        self.mean_s += share * (took_s - self.mean_s)
        self.high_s = max(took_s, self.high_s * _FORGET)

    @property
    def known(self) -> KnownLatency:
        """What was learnt so far."""
        return KnownLatency(self.mean_s, self.deviation_s, self.high_s, self.count)

    def recall(self, known: KnownLatency) -> None:
        """Begin with what was learnt before; a few new answers weigh as much as all of it."""
        times = (known.mean_s, known.deviation_s, known.high_s)
        if not all(0 <= time <= _LONGEST_S for time in times) or known.count < 0:
            raise ValueError(f"times of {times} s are none of an answer")
        self.mean_s, self.deviation_s, self.high_s = times
        self.count = min(known.count, _MEAN_OVER)

    @property
    def is_learnt(self) -> bool:
        return self.count >= _ENOUGH

    @property
    def timeout_s(self) -> float:
        """How long an answer is waited for: half as long again as the longest known, and four deviations at least."""
        if not self.is_learnt:
            return min(max(self.start_s, 1.5 * self.high_s), self.ceiling_s)
        wanted = max(self.mean_s + 4 * self.deviation_s, 1.5 * self.high_s)
        return min(max(wanted, self.floor_s), self.ceiling_s)
