"""What another process has just stored is found at once, though the server shows it some seconds later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from adapters.stores import open_store
from energy.ports import RegisterStore
from energy.readings import Point, ReadingColumns
from tests.victoria import VictoriaServer, victoria_server

POINT, OTHER = Point("main", "active_power"), Point("hall", "active_power")
T_MS = 1_795_132_800_000


@pytest.fixture(scope="module")
def server() -> Iterator[VictoriaServer]:
    with victoria_server() as made:
        yield made


@pytest.fixture
async def both(server: VictoriaServer, tmp_path: Path) -> AsyncIterator[tuple[RegisterStore, RegisterStore]]:
    """The stores of two processes over the same server: one that writes, and one that hears of it."""
    name = server.new_name()
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(open_store(server.address(tmp_path / "writes", name))),
            await stack.enter_async_context(open_store(server.address(tmp_path / "hears", name))),
        )


def columns(*rows: tuple[int, float], point: Point = POINT) -> ReadingColumns:
    return ReadingColumns.of([point], [0] * len(rows), [T_MS + t for t, _ in rows], [value for _, value in rows])


async def test_it_is_newest_and_in_curves_and_readings_at_once(both: tuple[RegisterStore, RegisterStore]) -> None:
    writes, hears = both
    stored = columns((0, 1.0), (1000, 2.0))
    await writes.write(stored)
    hears.heard(stored)

    assert await hears.points() == [POINT]
    assert (await hears.latest([POINT])).value.tolist() == [2.0]
    [curve] = await hears.curves([POINT], T_MS, T_MS + 10_000, 100)
    assert curve.mean.tolist() == [1.0, 2.0]
    assert (await hears.readings([POINT], T_MS, T_MS + 10_000)).taken_at_ms.tolist() == [T_MS, T_MS + 1000]


async def test_it_is_there_once_when_the_server_shows_it_too(
    both: tuple[RegisterStore, RegisterStore], server: VictoriaServer
) -> None:
    writes, hears = both
    stored = columns((0, 1.0), (1000, 2.0))
    await writes.write(stored)
    hears.heard(stored)
    server.show_all()

    assert (await hears.readings([POINT], T_MS, T_MS + 10_000)).value.tolist() == [1.0, 2.0]


async def test_what_is_late_does_not_become_the_newest(both: tuple[RegisterStore, RegisterStore]) -> None:
    _, hears = both
    hears.heard(columns((5000, 5.0)))
    hears.heard(columns((0, 1.0)))
    hears.heard(columns((0, 9.0), point=OTHER))

    assert (await hears.latest([POINT, OTHER])).value.tolist() == [5.0, 9.0]
    assert (await hears.readings([POINT], T_MS, T_MS + 10_000)).value.tolist() == [1.0, 5.0]


async def test_who_has_heard_nothing_learns_it_from_the_server(both: tuple[RegisterStore, RegisterStore]) -> None:
    writes, hears = both
    await writes.write(columns((0, 1.0), (1000, 2.0)))
    await hears.learn(["main"])

    assert (await hears.latest([POINT])).value.tolist() == [2.0]
