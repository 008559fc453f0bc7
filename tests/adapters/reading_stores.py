"""The stores of readings, one after the other: a line in `STORES` or `ON_SERVERS` puts a new one under every test that
says what a store promises."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.readings_duckdb import open_duckdb
from adapters.readings_forwarded import ForwardedReadings
from adapters.stores import open_store
from energy.ports import RegisterStore, Spans, Written
from energy.quantities import quantity
from energy.readings import Point, Quality, ReadingColumns, Reason
from energy.series import Curve, reduce, step_for
from tests.adapters.readings_memory import MemoryReadings
from tests.given import any_victoria
from tests.influx import InfluxServer, real_influx, stub_of_influx
from tests.victoria import VictoriaServer

DAY = 86_400_000
POWER, ENERGY, OTHER = Point("a", "active_power"), Point("a", "active_energy_import"), Point("b", "active_power")
BAD = (math.nan, int(Quality.BAD), Reason.NOT_A_NUMBER.code)

Row = tuple[Point, int, float, int, int]


def good(point: Point, t_ms: int, value: float) -> Row:
    return point, t_ms, value, 0, 0


def columns(rows: Sequence[Row]) -> ReadingColumns:
    points = list(dict.fromkeys(r[0] for r in rows))
    index = [points.index(r[0]) for r in rows]
    return ReadingColumns.of(points, index, *([r[i] for r in rows] for i in range(1, 5)))  # type: ignore[arg-type]


def rows_of(found: ReadingColumns) -> list[Row]:
    return [
        (found.points[i], t, v, q, r)
        for i, t, v, q, r in zip(
            found.index.tolist(),
            found.taken_at_ms.tolist(),
            found.value.tolist(),
            found.quality.tolist(),
            found.reason.tolist(),
            strict=True,
        )
    ]


def shown(rows: Sequence[Row]) -> list[str]:
    """Rows that can be compared, NaN too."""
    return [repr(r) for r in rows]


def expected_curve(rows: Sequence[Row], point: Point, from_ms: int, to_ms: int, most: int, origin_ms: int) -> Curve:
    """What the port promises, from the rows themselves."""
    own = sorted(
        (r for r in rows if r[0] == point and from_ms <= r[1] < to_ms and r[3] < Quality.BAD), key=lambda r: r[1]
    )
    t_ms, value = np.array([r[1] for r in own], np.int64), np.array([r[2] for r in own], np.float64)
    uncertain = any(r[3] == Quality.UNCERTAIN for r in own)
    kind = quantity(point.quantity).kind
    if len(own) <= most:
        return Curve.raw(point, kind, t_ms, value, uncertain=uncertain)
    step_ms = step_for(from_ms, to_ms, most)
    return reduce(point, kind, t_ms, value, step_ms=step_ms, origin_ms=origin_ms, uncertain=uncertain)


# -- the stores ------------------------------------------------------------------------------------------------------


class Restarted:
    """A store whose process ends after everything that is asked of it."""

    shown_after_s = 0.0

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[RegisterStore]]) -> None:
        self._opened = opened

    async def write(self, given_: ReadingColumns) -> Written:
        async with self._opened() as store:
            return await store.write(given_)

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        async with self._opened() as store:
            return await store.latest(points)

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        async with self._opened() as store:
            return await store.curves(points, from_ms, to_ms, rows, origin_ms=origin_ms)

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        async with self._opened() as store:
            return await store.readings(points, from_ms, to_ms)

    async def points(self) -> list[Point]:
        async with self._opened() as store:
            return await store.points()

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        async with self._opened() as store:
            return await store.spans(points, from_ms)

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        async with self._opened() as store:
            return await store.last_before(point, before_ms)

    def heard(self, columns: ReadingColumns) -> None: ...

    async def learn(self, meters: Sequence[str]) -> None:
        """Nobody else writes there."""

    async def maintain(self, now_ms: int) -> None:
        async with self._opened() as store:
            await store.maintain(now_ms)


class Maintained(ForwardedReadings):
    """A store that is put in order after everything that is written."""

    async def write(self, columns: ReadingColumns) -> Written:
        written = await super().write(columns)
        await self.maintain(2**50)
        return written


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[RegisterStore]:
    yield MemoryReadings()


@asynccontextmanager
async def duckdb(folder: Path) -> AsyncIterator[RegisterStore]:
    async with open_duckdb(folder / "readings.duckdb") as store:
        yield store


@asynccontextmanager
async def duckdb_in_memory(_: Path) -> AsyncIterator[RegisterStore]:
    async with open_store("memory:") as store:
        yield store


@asynccontextmanager
async def duckdb_maintained(folder: Path) -> AsyncIterator[RegisterStore]:
    async with open_duckdb(folder / "readings.duckdb") as store:
        yield Maintained(store)


@asynccontextmanager
async def duckdb_restarted(folder: Path) -> AsyncIterator[RegisterStore]:
    yield Restarted(partial(open_duckdb, folder / "readings.duckdb"))


@asynccontextmanager
async def victoria(folder: Path, server: VictoriaServer) -> AsyncIterator[RegisterStore]:
    async with open_store(server.address(folder / "journal")) as store:
        yield store


@asynccontextmanager
async def victoria_restarted(folder: Path, server: VictoriaServer) -> AsyncIterator[RegisterStore]:
    """What is written is seen on the server alone: no journal is left to a process."""
    name, numbers = server.new_name(), itertools.count()

    @asynccontextmanager
    async def opened() -> AsyncIterator[RegisterStore]:
        async with open_store(server.address(folder / f"journal-{next(numbers)}", name)) as store:
            yield store
        server.show_all()

    yield Restarted(opened)


@asynccontextmanager
async def influx(_: Path, server: InfluxServer) -> AsyncIterator[RegisterStore]:
    async with open_store(server.address()) as store:
        yield store


@asynccontextmanager
async def influx_restarted(_: Path, server: InfluxServer) -> AsyncIterator[RegisterStore]:
    yield Restarted(partial(open_store, server.address()))


STORES: list[Callable[[Path], AbstractAsyncContextManager[RegisterStore]]] = [
    memory,
    duckdb,
    duckdb_in_memory,
    duckdb_maintained,
    duckdb_restarted,
]


@pytest.fixture(scope="module")
def victoria_metrics() -> Iterator[VictoriaServer]:
    with any_victoria() as server:
        yield server


@pytest.fixture(scope="module")
def influxdb() -> Iterator[InfluxServer]:
    with real_influx() as server:
        yield server


@pytest.fixture(scope="module")
def influxdb_stub() -> Iterator[InfluxServer]:
    with stub_of_influx() as server:
        yield server


ON_SERVERS: dict[str, tuple[Callable[[Path, Any], AbstractAsyncContextManager[RegisterStore]], str]] = {
    "victoria": (victoria, "victoria_metrics"),
    "victoria_restarted": (victoria_restarted, "victoria_metrics"),
    "influx": (influx, "influxdb"),
    "influx_restarted": (influx_restarted, "influxdb"),
    # Not InfluxDB, but a stub of what its HTTP API documents.
    "influx_stub": (influx, "influxdb_stub"),
    "influx_stub_restarted": (influx_restarted, "influxdb_stub"),
}


@pytest.fixture(params=[*(s.__name__ for s in STORES), *ON_SERVERS])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RegisterStore]:
    if request.param in ON_SERVERS:
        opened, server = ON_SERVERS[request.param]
        made = opened(tmp_path, request.getfixturevalue(server))
    else:
        [of_itself] = [s for s in STORES if s.__name__ == request.param]
        made = of_itself(tmp_path)
    async with made as given:
        yield given
