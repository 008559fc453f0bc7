"""Sets of sequences as ranges: what has come of an outbox, and what is missing between."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Sequences:
    """Whole numbers from 1 on, as ranges [first, last] in rising order that do not touch."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        return list(zip(self._firsts, self._lasts, strict=True))

    @property
    def highest(self) -> int:
        return self._lasts[-1] if self._lasts else 0

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._firsts)

    def add(self, first: int, last: int) -> None:
        """Take [first, last] in; what it touches becomes one with it."""
        # Those from `low` on end at first - 1 or later, those before `high` begin at last + 1 or earlier.
        low, high = bisect_left(self._lasts, first - 1), bisect_right(self._firsts, last + 1)
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high], self._lasts[low:high] = [first], [last]

    def missing(self, first: int = 1, last: int | None = None) -> list[tuple[int, int]]:
        """The ranges of [first, last] that are not there; `last` is the highest that is, if nothing is said."""
        last = self.highest if last is None else last
        gaps = []
        for i in range(bisect_left(self._lasts, first), len(self._firsts)):
            if self._firsts[i] > last:
                break
            if self._firsts[i] > first:
                gaps.append((first, self._firsts[i] - 1))
            first = self._lasts[i] + 1
        return [*gaps, (first, last)] if first <= last else gaps
