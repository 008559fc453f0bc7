"""Registers of the last weeks in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.registers_recent import RecentRegisters, Registers

DAY = 86_400_000
NOW = 20_000 * DAY
WINDOW = NOW - 14 * DAY
POINTS = np.array([3, 7, 8], np.int64)

Step = tuple[str, int, int]


class Store:
    """A plain list of readings, that counts what is read of it."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[int, float]] = {}
        self.asked = self.told = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.fails = False

    def put(self, point: int, t_ms: int, value: float) -> None:
        self.rows.setdefault(point, {}).setdefault(t_ms, value)

    def since(self, points: Sequence[int], from_ms: int) -> list[tuple[int, int, float]]:
        rows = [(p, t, v) for p in points for t, v in self.rows.get(p, {}).items() if t >= from_ms]
        return sorted(rows)

    async def read(self, points: Sequence[int], from_ms: int) -> Registers:
        found = self.since(points, from_ms)
        self.meanwhile()
        if self.fails:
            raise OSError("the server is away")
        self.asked, self.told = self.asked + 1, self.told + len(found)
        number, t_ms, value = zip(*found, strict=True) if found else ((), (), ())
        return np.array(number, np.int32), np.array(t_ms, np.int64), np.array(value, np.float64)


@pytest.fixture
def store() -> Store:
    made = Store()
    for point in POINTS.tolist():
        for i in range(100):
            made.put(point, NOW - (100 - i) * DAY // 10, float(i))
    return made


def rows(found: Registers) -> list[tuple[int, int, float]]:
    return list(zip(*(column.tolist() for column in found), strict=True))


async def held(recent: RecentRegisters, from_ms: int = WINDOW) -> list[tuple[int, int, float]]:
    known = await recent.look(POINTS, from_ms)
    assert known.tolist() == POINTS.tolist()
    return rows(recent.registers(known, from_ms))


async def test_a_new_reading_costs_one_row_and_not_two_weeks(store: Store) -> None:
    recent = RecentRegisters(store.read)
    assert await held(recent) == store.since(POINTS.tolist(), WINDOW)
    store.told = 0
    store.put(7, NOW + 1, 100.0)
    recent.changed([7], [NOW + 1])
    assert await held(recent) == store.since(POINTS.tolist(), WINDOW)
    assert store.told == 1


async def test_what_comes_while_it_is_read_is_read_again(store: Store) -> None:
    recent = RecentRegisters(store.read)

    def late() -> None:
        store.meanwhile = lambda: None
        store.put(8, NOW - DAY // 7, 0.5)
        recent.changed([8], [NOW - DAY // 7])

    store.meanwhile = late
    assert (await recent.look(POINTS, WINDOW)).tolist() == [3, 7, 8]
    assert rows(recent.registers(POINTS, WINDOW)) == store.since(POINTS.tolist(), WINDOW)


async def test_a_late_reading_of_last_week_is_found(store: Store) -> None:
    recent = RecentRegisters(store.read)
    await held(recent)
    store.put(3, NOW - 5 * DAY + 1, 7.5)
    recent.changed([3], [NOW - 5 * DAY + 1])
    assert await held(recent) == store.since(POINTS.tolist(), WINDOW)


async def test_a_store_that_fails_leaves_nothing_half_remembered(store: Store) -> None:
    recent = RecentRegisters(store.read)
    await held(recent)
    store.put(3, NOW + 5, 101.0)
    recent.changed([3], [NOW + 5])
    store.fails = True
    with pytest.raises(OSError, match="away"):
        await recent.look(POINTS, WINDOW)
    store.fails = False
    assert await held(recent) == store.since(POINTS.tolist(), WINDOW)


async def test_what_is_forgotten_while_it_is_read_is_not_believed(store: Store) -> None:
    recent = RecentRegisters(store.read)
    await held(recent)
    store.put(3, NOW + 5, 101.0)
    recent.changed([3], [NOW + 5])

    def held_elsewhere() -> None:
        # Another process held the points for a moment, and nobody told here of what it stored.
        recent.forget()
        store.put(7, NOW - DAY // 9, 0.25)

    store.meanwhile = held_elsewhere
    assert 3 not in (await recent.remembered(POINTS, WINDOW)).tolist()
    store.meanwhile = lambda: None
    assert await held(recent) == store.since(POINTS.tolist(), WINDOW)


async def test_a_longer_look_back_reads_more_and_a_shorter_one_nothing(store: Store) -> None:
    recent = RecentRegisters(store.read)
    await held(recent, NOW - 5 * DAY)
    assert await held(recent, WINDOW) == store.since(POINTS.tolist(), WINDOW)
    store.told = 0
    assert await held(recent, NOW - 5 * DAY) == store.since(POINTS.tolist(), NOW - 5 * DAY)
    assert store.told == 0


async def test_no_more_is_remembered_than_may_be(store: Store) -> None:
    recent = RecentRegisters(store.read, most_mb=0)
    assert (await recent.look(POINTS, WINDOW)).tolist() == []


async def test_what_was_remembered_for_hours_is_read_anew(store: Store) -> None:
    now = [0.0]
    recent = RecentRegisters(store.read, clock=lambda: now[0])
    await held(recent)
    store.put(7, NOW - 3 * DAY + 1, 0.125)  # and nobody told
    now[0] = 6 * 3600.0
    assert await held(recent) == store.since(POINTS.tolist(), WINDOW)


async def test_instants_of_a_distant_future_are_not_remembered_wrong(store: Store) -> None:
    recent = RecentRegisters(store.read)
    await held(recent)
    store.put(7, 250_000_000_000_000, 1.0)
    recent.changed([7], [250_000_000_000_000])
    assert (await recent.look(POINTS, WINDOW)).tolist() == [3, 8]


async def test_how_far_remembered_readings_reach(store: Store) -> None:
    recent = RecentRegisters(store.read)
    number, n, first_ms, last_ms = recent.spans(await recent.look(POINTS, NOW - DAY), NOW - DAY)
    assert number.tolist() == [3, 7, 8]
    assert n.tolist() == [10, 10, 10]
    assert first_ms.tolist() == [NOW - DAY] * 3
    assert last_ms.tolist() == [NOW - DAY // 10] * 3


OPERATIONS: dict[str, Callable[[Store, RecentRegisters, int, int], Awaitable[None]]] = {}


def operation(run: Callable[[Store, RecentRegisters, int, int], Awaitable[None]]) -> None:
    OPERATIONS[run.__name__] = run


@operation
async def write(store: Store, recent: RecentRegisters, point: int, t_ms: int) -> None:
    store.put(point, t_ms, float(t_ms % 1000))
    recent.changed([point], [t_ms])


@operation
async def look(store: Store, recent: RecentRegisters, _point: int, from_ms: int) -> None:
    known = await recent.look(POINTS, from_ms)
    assert rows(recent.registers(known, from_ms)) == store.since(known.tolist(), from_ms)


@operation
async def ask(store: Store, recent: RecentRegisters, _point: int, from_ms: int) -> None:
    known = await recent.remembered(POINTS, from_ms)
    assert rows(recent.registers(known, from_ms)) == store.since(known.tolist(), from_ms)


@operation
async def forget(_store: Store, recent: RecentRegisters, _point: int, _from_ms: int) -> None:
    recent.forget()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(OPERATIONS)),
            st.sampled_from(POINTS.tolist()),
            st.integers(-60 * 24, 24).map(lambda hours: NOW + hours * 3_600_000),
        ),
        max_size=40,
    )
)
def test_whatever_is_written_and_asked_it_is_as_in_the_store(steps: list[Step]) -> None:
    async def run() -> None:
        store = Store()
        recent = RecentRegisters(store.read)
        for name, point, t_ms in steps:
            await OPERATIONS[name](store, recent, point, t_ms)

    asyncio.run(run())
