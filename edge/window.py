"""How much history may be on its way: as much as is answered promptly, so that live readings never wait behind it."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_BYTES, MOST_BYTES = 16_384, 8_388_608
# Brokers queue a thousand messages for a receiver where nothing else is set, and drop what is beyond without a word.
MOST_BATCHES = 256
# An answer that takes longer than this above the quickest one shows a queue before us.
_PROMPT_S = 0.5
_LATE_S = 1.0


@dataclass(slots=True)
class HistoryWindow:
    """Bytes of history that may be unanswered; grows by what is answered promptly, halves when answers are late."""

    limit_bytes: int = LEAST_BYTES
    in_flight: int = 0
    batches: int = 0
    quickest_s: float = float("inf")
    _shrunk_for: float = 0.0

    @property
    def room(self) -> bool:
        return self.in_flight < self.limit_bytes and self.batches < MOST_BATCHES

    def sent(self, n_bytes: int) -> None:
        self.in_flight += n_bytes
        self.batches += 1

    def gone(self, n_bytes: int) -> None:
        """A batch is no longer on its way."""
        self.in_flight, self.batches = max(0, self.in_flight - n_bytes), max(0, self.batches - 1)

    def answered(self, n_bytes: int, sent_at: float, now: float) -> None:
        """A batch of history sent then is stored now [s of a monotonic clock]."""
        self.gone(n_bytes)
        took_s = now - sent_at
        self.quickest_s = min(self.quickest_s, took_s)
        if took_s <= self.quickest_s + _PROMPT_S:
            self.limit_bytes = min(MOST_BYTES, self.limit_bytes + n_bytes)
        elif took_s > self.quickest_s + _LATE_S and sent_at > self._shrunk_for:
            # What was sent before it shrank says nothing about the smaller window.
            self.limit_bytes = max(LEAST_BYTES, self.limit_bytes // 2)
            self._shrunk_for = now

    def empty(self) -> None:
        """Nothing is on its way any more."""
        self.in_flight = self.batches = 0

    def reset(self) -> None:
        """Begin anew, on a line of which nothing is known."""
        self.empty()
        self.limit_bytes, self.quickest_s = LEAST_BYTES, float("inf")


@dataclass(slots=True)
class Allowance:
    """Bytes a second that history may take; None for as many as there is room for."""

    bytes_per_s: int | None
    _have: float = 0.0
    _at: float = 0.0

    def wait_s(self, now: float) -> float:
        """How long to wait before the next batch."""
        if self.bytes_per_s is None:
            return 0.0
        self._have = min(float(self.bytes_per_s), self._have + (now - self._at) * self.bytes_per_s)
        self._at = now
        return max(0.0, -self._have / self.bytes_per_s)

    def took(self, n_bytes: int) -> None:
        if self.bytes_per_s is not None:
            self._have -= n_bytes
