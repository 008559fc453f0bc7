"""Readings and the ledger as far as they are seen: of other points they answer as of points that are not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NoReturn, overload

import numpy as np

from energy.errors import UnknownName
from energy.hours import Doubt, Hours, Small, Sums, Whole
from energy.ports import Basis, Ledger, Marks, Numbers, Quarantine, ReadingStore, Refusal, Revisions, Written
from energy.readings import Point, ReadingColumns
from energy.series import Curve, Floats
from gateway.access.sight import Sight
from gateway.api.problems import RequestError

_NOBODY = Point("", "")


def unknown_meter(meter: str) -> UnknownName:
    """In the words of the directory."""
    return UnknownName(f"meter {meter!r} is not known")


def only_read() -> NoReturn:
    raise TypeError("what is seen of readings is read, not written")


class SeenStore:
    """Fulfils `ReadingStore` over the points that are seen."""

    def __init__(self, store: ReadingStore, sight: Sight, points: Callable[[], list[Point]]) -> None:
        self._store, self._sight, self._points = store, sight, points

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        wanted = self._points() if points is None else [p for p in points if self._sight.sees(p.meter)]
        return await self._store.latest(wanted)

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        return await self._store.curves(self._seen(points), from_ms, to_ms, rows, origin_ms=origin_ms)

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        return await self._store.readings(self._seen(points), from_ms, to_ms)

    async def points(self) -> list[Point]:
        return [p for p in await self._store.points() if self._sight.sees(p.meter)]

    async def write(self, columns: ReadingColumns) -> Written:
        only_read()

    async def maintain(self, now_ms: int) -> None:
        only_read()

    def _seen(self, points: Sequence[Point]) -> Sequence[Point]:
        for point in points:
            if not self._sight.sees(point.meter):
                raise unknown_meter(point.meter)
        return points


class _SeenPoints(Sequence[Point]):
    """All points at their numbers; where one is not seen stands nobody."""

    def __init__(self, points: Sequence[Point], sight: Sight) -> None:
        self._points, self._sight = points, sight

    @overload
    def __getitem__(self, at: int) -> Point: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Point]: ...
    def __getitem__(self, at: int | slice) -> Point | Sequence[Point]:
        if isinstance(at, slice):
            return [self._one(p) for p in self._points[at]]
        return self._one(self._points[at])

    def __iter__(self) -> Iterator[Point]:
        return (self._one(p) for p in self._points)

    def __len__(self) -> int:
        return len(self._points)

    def _one(self, point: Point) -> Point:
        return point if self._sight.sees(point.meter) else _NOBODY


class SeenLedger:
    """Fulfils `Ledger` over the points that are seen."""

    def __init__(self, ledger: Ledger, sight: Sight) -> None:
        self._ledger, self._sight = ledger, sight

    @property
    def points(self) -> Sequence[Point]:
        return _SeenPoints(self._ledger.points, self._sight)

    def number(self, point: Point) -> int | None:
        return self._ledger.number(point) if self._sight.sees(point.meter) else None

    async def bases(self) -> dict[int, Basis]:
        return {n: basis for n, basis in (await self._ledger.bases()).items() if self._sees(n)}

    async def counts(self, points: Numbers, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        return await self._ledger.counts(self.seen(points), from_ms)

    async def registers(self, points: Numbers, from_ms: int) -> tuple[Small, Whole, Floats]:
        return await self._ledger.registers(self.seen(points), from_ms)

    async def last_before(self, point: int, before_ms: int) -> int | None:
        return await self._ledger.last_before(point, before_ms) if self._sees(point) else None

    async def hours(self, points: Numbers, from_hour: int, to_hour: int) -> Hours:
        return await self._ledger.hours(self.seen(points), from_hour, to_hour)

    async def amounts(self, points: Numbers, from_hour: int, to_hour: int, known_ms: int) -> tuple[Small, Small, Whole]:
        return await self._ledger.amounts(self.seen(points), from_hour, to_hour, known_ms)

    async def totals(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        return await self._ledger.totals(self.seen(points), from_hour, to_hour)

    async def curve(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        return await self._ledger.curve(self.seen(points), from_hour, to_hour)

    async def days(self, points: Numbers, from_day: int, to_day: int) -> Sums:
        return await self._ledger.days(self.seen(points), from_day, to_day)

    async def doubts(self, points: Numbers, from_ms: int, to_ms: int) -> list[Doubt]:
        return await self._ledger.doubts(self.seen(points), from_ms, to_ms)

    async def hold(self, parts: Collection[int]) -> None:
        only_read()

    async def revisions(self, after: int | None) -> Revisions:
        only_read()

    async def marks(self, parts: Collection[int] | None = None, *, shown: bool = False) -> Marks:
        only_read()

    async def settle(self, upto: int, bases: Mapping[int, Basis], parts: Collection[int] | None = None) -> None:
        only_read()

    async def revise(self, stale: tuple[Numbers, Numbers], fresh: Hours) -> None:
        only_read()

    async def reached(self, job: str) -> int | None:
        only_read()

    async def reach(self, jobs: Mapping[str, int]) -> None:
        only_read()

    async def doubt(self, from_ms: Mapping[int, int], doubts: Sequence[Doubt]) -> None:
        only_read()

    async def maintain(self, now_ms: int) -> None:
        only_read()

    def _sees(self, number: int) -> bool:
        return self._sight.sees(self._ledger.points[number].meter)

    def seen(self, points: Numbers) -> Whole:
        """Of these numbers those of points that are seen."""
        return np.array([n for n in points if self._sees(int(n))], np.int64)


class SeenQuarantine:
    """Fulfils `Quarantine` for those who operate everywhere, and refuses all others."""

    def __init__(self, quarantine: Quarantine, *, open_to: bool) -> None:
        self._quarantine, self._open = quarantine, open_to

    async def counts(self) -> dict[str, int]:
        self._must_be_open()
        return await self._quarantine.counts()

    async def newest(self, limit: int) -> list[Refusal]:
        self._must_be_open()
        return await self._quarantine.newest(limit)

    async def put(self, refusals: Sequence[Refusal]) -> None:
        only_read()

    async def count(self, reason: str, n: int) -> None:
        only_read()

    def _must_be_open(self) -> None:
        if not self._open:
            raise not_of_all("refused readings")


def not_of_all(what: str) -> RequestError:
    return RequestError(f"{what} are those of the whole installation; a role for all of it is needed", status=403)
