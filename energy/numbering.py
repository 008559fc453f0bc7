"""Points by numbers: a name is looked up once, and arrays tell of it from then on.

What is known of each of a city's points does not fit into the caches of a processor as objects and dictionaries; as
arrays by number it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import overload

import numpy as np
import numpy.typing as npt

from energy.readings import Point, ReadingColumns

UNKNOWN = -1
_FIRST_LENGTH = 1024
_METER, _QUANTITY = itemgetter(0), itemgetter(1)
# Where rows are that much fewer than points, it costs less to sort them than to look through all points.
_FEW = 16


class Numbering(Sequence[Point]):
    """Points in the order in which they became known; the place of a point is its number for good."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._points: list[Point] = []
        # (meters, quantities) the number of each point: a dictionary of all points would take ten times the room.
        self._numbers = _unknown((0, 0))
        self._rows: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        for point in points:
            self.number(point)

    def number(self, point: Point) -> int:
        """The number of a point; the next one, where it had none."""
        known = self.find(point)
        if known != UNKNOWN:
            return known
        row = self._rows.get(point.meter, len(self._rows))
        column = self._columns.get(point.quantity, len(self._columns))
        self._make_room(row, column)
        # Other threads look: what has a number is in its place.
        self._points.append(point)
        self._numbers[row, column] = len(self._points) - 1
        self._rows[point.meter], self._columns[point.quantity] = row, column
        return len(self._points) - 1

    def _make_room(self, row: int, column: int) -> None:
        rows, columns = self._numbers.shape
        if row >= rows or column >= columns:
            larger = _unknown((max(rows, (row + 1) * 5 // 4), max(columns, column + 1)))
            larger[:rows, :columns] = self._numbers
            self._numbers = larger

    def find(self, point: Point) -> int:
        """The number of a point, `UNKNOWN` where it has none."""
        row, column = self._rows.get(point.meter), self._columns.get(point.quantity)
        return UNKNOWN if row is None or column is None else int(self._numbers[row, column])

    def numbers(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        """(n,) the number of each of some points; the next ones, where they had none."""
        found = self.find_all(points)
        for i in np.flatnonzero(found == UNKNOWN).tolist():
            found[i] = self.number(points[i])
        return found

    def find_all(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        """(n,) the number of each of some points, `UNKNOWN` where it has none; many at a time."""
        row = _looked_up(self._rows, map(_METER, points), len(points))
        column = _looked_up(self._columns, map(_QUANTITY, points), len(points))
        there = (row != UNKNOWN) & (column != UNKNOWN)
        found = _unknown(len(points))
        found[there] = self._numbers[row[there], column[there]]
        return found

    def among(self, points: Iterable[Point]) -> tuple[list[Point], npt.NDArray[np.int32]]:
        """Those of some points that have a number, and their numbers."""
        found = [(point, number) for point in points if (number := self.find(point)) != UNKNOWN]
        return [point for point, _ in found], np.array([number for _, number in found], np.int32)

    def __contains__(self, point: object) -> bool:
        return isinstance(point, Point) and self.find(point) != UNKNOWN

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
    """One's own numbers of points that others tell of: for points of a numbering each is looked up once, and for a list
    of them as long as nothing else is told in between.

    `look_up` gives the own number of each of some points, `UNKNOWN` where it has none yet: then it is looked up again
    next time.
    """

    def __init__(self, look_up: Callable[[list[Point]], Sequence[int] | npt.NDArray[np.int32]]) -> None:
        self._look_up = look_up
        self._of: Numbering | None = None
        self._own = _unknown(0)
        self._list: list[Point] = []
        self._own_of_list = _unknown(0)

    def rows(self, columns: ReadingColumns) -> npt.NDArray[np.int32]:
        """(n,) own number of the point of each row; what has no row is not looked up."""
        table = self._table(columns.points)
        own = table[columns.index]
        missing = own == UNKNOWN
        if missing.any():
            used = _used(columns.index[missing], len(columns.points))
            table[used] = self._look_up([columns.points[i] for i in used.tolist()])
            own = table[columns.index]
        return own

    def _table(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        """Own numbers by the position among these points, as far as they are known."""
        if not isinstance(points, Numbering):
            return self._table_of_list(points)
        if points is not self._of:
            self._of, self._own = points, _unknown(_FIRST_LENGTH)
        if len(self._own) < len(points):
            # Some more than there are: a growing numbering has its table copied now and then.
            self._own = np.r_[self._own, _unknown(len(points) * 5 // 4 - len(self._own))]
        return self._own

    def _table_of_list(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        # A list may be another one next time: a copy is kept. To compare them costs a fraction of looking up.
        told = list(points)
        if told != self._list:
            self._list, self._own_of_list = told, _unknown(len(told))
        return self._own_of_list


def _looked_up(places: dict[str, int], names: Iterable[str], n: int) -> npt.NDArray[np.intp]:
    return np.fromiter(map(places.get, names, repeat(UNKNOWN)), np.intp, n)


def _used(index: npt.NDArray[np.int32], length: int) -> npt.NDArray[np.intp]:
    """Which of so many positions there are in an index, in ascending order."""
    if length > _FEW * len(index):
        return np.unique(index).astype(np.intp)
    there = np.zeros(length, bool)
    there[index] = True
    return np.flatnonzero(there)


def _unknown(shape: int | tuple[int, int]) -> npt.NDArray[np.int32]:
    return np.full(shape, UNKNOWN, np.int32)
