"""Points by numbers: a name is looked up once, and arrays tell of it from then on.

What is known of each of a city's points does not fit into the caches of a processor as objects and dictionaries; as
arrays by number it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from energy.readings import Point, ReadingColumns

UNKNOWN = -1
_FIRST_LENGTH = 1024


class Numbering(Sequence[Point]):
    """Points in the order in which they became known; the place of a point is its number for good."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._points = list(points)
        self._numbers = {point: i for i, point in enumerate(self._points)}

    def number(self, point: Point) -> int:
        """The number of a point; the next one, where it had none."""
        known = self._numbers.get(point)
        if known is not None:
            return known
        # Other threads look: what has a number is in its place.
        self._points.append(point)
        self._numbers[point] = len(self._points) - 1
        return len(self._points) - 1

    def find(self, point: Point) -> int:
        """The number of a point, `UNKNOWN` where it has none."""
        return self._numbers.get(point, UNKNOWN)

    def __contains__(self, point: object) -> bool:
        return point in self._numbers

    def __len__(self) -> int:
        return len(self._points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self._points)

    @overload
    def __getitem__(self, number: int) -> Point: ...

    @overload
    def __getitem__(self, number: slice) -> list[Point]: ...

    def __getitem__(self, number: int | slice) -> Point | list[Point]:
        return self._points[number]


class OwnNumbers:
    """One's own numbers of points that others tell of: for points of a numbering each is looked up once.

    `look_up` gives the own number of a point, `UNKNOWN` where it has none yet: then it is looked up again next time.
    """

    def __init__(self, look_up: Callable[[Point], int]) -> None:
        self._look_up = look_up
        self._of: Numbering | None = None
        self._own = _unknown(0)

    def rows(self, columns: ReadingColumns) -> npt.NDArray[np.int32]:
        """(n,) own number of the point of each row; what has no row is not looked up."""
        table = self._table(columns.points)
        own = table[columns.index]
        missing = own == UNKNOWN
        if missing.any():
            for i in np.unique(columns.index[missing]).tolist():
                table[i] = self._look_up(columns.points[i])
            own = table[columns.index]
        return own

    def _table(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        """Own numbers by the position among these points, as far as they are known."""
        if not isinstance(points, Numbering):
            return _unknown(len(points))
        if points is not self._of:
            self._of, self._own = points, _unknown(_FIRST_LENGTH)
        if len(self._own) < len(points):
            self._own = np.r_[self._own, _unknown(2 * len(points) - len(self._own))]
        return self._own


def _unknown(n: int) -> npt.NDArray[np.int32]:
    return np.full(n, UNKNOWN, np.int32)
