"""What every ledger promises: in the file of the readings, and in PostgreSQL beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.stores import open_ledger, open_store
from energy.errors import StoreError
from energy.hours import HOUR_MS, UNPRICED, Doubt, Hours, Sums
from energy.ports import Basis
from energy.readings import Point, Quality, ReadingColumns, Reason
from tests.adapters.ledgers import Opened

ROOT = Path(__file__).parents[2]
POINTS = [Point(f"m{i}", "active_energy_import") for i in range(6)]
EVER = 1 << 30


def readings(*rows: tuple[int, int, float], quality: int = 0) -> ReadingColumns:
    """(number of the point, instant, value) each."""
    index, t_ms, value = (np.array(c) for c in zip(*rows, strict=True))
    return ReadingColumns.of(POINTS, index.astype(np.int32), t_ms, value.astype(float), np.full(len(rows), quality))


def hours(*rows: tuple[int, int, int], cost: int = UNPRICED) -> Hours:
    """(number of the point, hour, amount) each, the whole hour measured."""
    point, hour, amount = (np.array(c, np.int64) for c in zip(*rows, strict=True))
    n = len(rows)
    return Hours(
        point.astype(np.int32),
        hour.astype(np.int32),
        amount,
        amount // 3,
        np.zeros(n, np.int64),
        np.full(n, cost),
        np.full(n, HOUR_MS, np.int32),
        *(np.zeros(n, np.int32) for _ in range(3)),
    )


def told(found: Hours) -> list[tuple[int, int, int]]:
    return list(zip(found.point.tolist(), found.hour.tolist(), found.amount.tolist(), strict=True))


def same(one: Hours, other: Hours) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.columns().values(), other.columns().values(), strict=True))


NONE: tuple[list[int], list[int]] = ([], [])


# -- what is kept ------------------------------------------------------------------------------------------------------


async def test_all_that_the_ledger_holds_is_there_when_it_is_opened_again(opened: Opened) -> None:
    doubts = [Doubt(0, "fall", 5 * HOUR_MS, 6 * HOUR_MS), Doubt(1, "strayed", 7, 7)]
    rows = replace(hours((0, 5, 10), (0, 6, 20), (1, 5, 30)), cost=np.array([7, UNPRICED, 0]))
    async with opened() as (ledger, store):
        await store.write(readings((0, 10, 1.0), (1, 20, 2.0)))
        await ledger.revise(NONE, rows)
        await ledger.settle(0, {0: Basis("r", "p"), 1: Basis("s", "")})
        await ledger.doubt({0: 0, 1: 0}, doubts)
    async with opened() as (ledger, _):
        assert same(await ledger.hours([0, 1], 0, EVER), rows)
        assert await ledger.bases() == {0: Basis("r", "p"), 1: Basis("s", "")}
        assert await ledger.doubts([0, 1], 0, 1 << 50) == doubts[::-1]
        marks = await ledger.marks()
        assert (marks.point.tolist(), marks.from_ms.tolist()) == ([0, 1], [10, 20])
        assert list(ledger.points) == POINTS[:2]
        assert ledger.number(POINTS[1]) == 1
        assert ledger.number(POINTS[5]) is None


async def test_a_memory_store_keeps_a_ledger_too() -> None:
    async with open_store("memory:") as store:
        ledger = open_ledger(store)
        await ledger.revise(NONE, hours((0, 1, 5)))

        assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 5)]


# -- marks -------------------------------------------------------------------------------------------------------------


async def test_each_point_is_marked_since_its_first_new_reading_until_it_is_settled(opened: Opened) -> None:
    async with opened() as (ledger, store):
        await store.write(readings((0, 50, 1.0), (0, 60, 2.0), (1, 40, 1.0)))
        await store.write(readings((0, 20, 0.5)))
        first = await ledger.marks()
        await store.write(readings((1, 90, 3.0)))
        await ledger.settle(first.last, {})
        left = await ledger.marks()
        await ledger.settle(left.last, {})
        none = await ledger.marks()

    assert (first.point.tolist(), first.from_ms.tolist()) == ([0, 1], [20, 40])
    assert (left.point.tolist(), left.from_ms.tolist()) == ([1], [90])
    assert len(none.point) == 0


async def test_marks_that_come_after_all_were_settled_are_not_taken_for_settled_ones(opened: Opened) -> None:
    """Also after a restart, when none is left to count on from."""
    async with opened() as (ledger, store):
        await store.write(readings((0, 50, 1.0)))
        before = await ledger.marks()
        await ledger.settle(before.last, {})
    async with opened() as (ledger, store):
        await store.write(readings((0, 60, 2.0)))
        after = await ledger.marks()
        await ledger.settle(after.last, {})

        assert after.point.tolist() == [0]
        assert (await ledger.marks()).point.tolist() == []


async def test_what_was_there_already_marks_nothing(opened: Opened) -> None:
    async with opened() as (ledger, store):
        await store.write(readings((0, 50, 1.0)))
        await ledger.settle((await ledger.marks()).last, {})
        await store.write(readings((0, 50, 1.0)))

        assert (await ledger.marks()).point.tolist() == []


_DYING = """
import asyncio, sys
from adapters.stores import open_stores
from tests.adapters.test_ledger import NONE, hours, readings

async def main():
    async with open_stores(sys.argv[1], *sys.argv[2:]) as (store, ledger):
        await store.write(readings((0, 50, 1.0), (1, 70, 1.0)))
        await ledger.revise(NONE, hours((0, 1, 5), (1, 1, 6)))
        print("written", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_program_killed_before_it_settled_leaves_what_it_wrote_and_its_marks(
    opened: Opened, addresses: tuple[str, str | None]
) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", _DYING, *(a for a in addresses if a is not None)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == b"written\n"
    finally:
        program.send_signal(signal.SIGKILL)
        program.communicate()

    async with opened() as (ledger, _):
        marks = await ledger.marks()
        assert (marks.point.tolist(), marks.from_ms.tolist()) == ([0, 1], [50, 70])
        assert told(await ledger.hours([0, 1], 0, EVER)) == [(0, 1, 5), (1, 1, 6)]
        assert await ledger.bases() == {}


# -- registers ---------------------------------------------------------------------------------------------------------


async def test_registers_are_given_by_point_and_instant_without_bad_ones(opened: Opened) -> None:
    async with opened() as (ledger, store):
        await store.write(readings((1, 20, 2.0), (0, 30, 3.0)))
        await store.write(readings((0, 10, 1.0), (2, 5, 9.0)))
        await store.write(readings((0, 20, 2.5), quality=int(Quality.BAD)))
        point, t_ms, value = await ledger.registers([0, 1], 10)
        number, n, first_ms, last_ms = await ledger.counts([0, 1], 20)

        assert (point.tolist(), t_ms.tolist(), value.tolist()) == ([0, 0, 1], [10, 30, 20], [1.0, 3.0, 2.0])
        # The bad one is counted or not.
        assert (number.tolist(), last_ms.tolist()) == ([0, 1], [30, 20])
        assert (n.tolist(), first_ms.tolist()) in (([2, 1], [20, 20]), ([1, 1], [30, 20]))
        assert [await ledger.last_before(0, t) for t in (10, 11, 31)] == [None, 10, 30]


async def test_a_reading_whose_place_in_the_order_nobody_knows_is_no_register(opened: Opened) -> None:
    async with opened() as (ledger, store):
        await store.write(readings((0, 10, 1.0), (0, 30, 3.0)))
        doubtful = readings((0, 20, 2.5), (0, 40, 2.6), quality=int(Quality.UNCERTAIN))
        await store.write(replace(doubtful, reason=np.full(2, Reason.CLOCK_STEPPED.code, np.uint8)))
        corrected = readings((0, 50, 4.0), quality=int(Quality.UNCERTAIN))
        await store.write(replace(corrected, reason=np.full(1, Reason.TIME_CORRECTED.code, np.uint8)))
        _, t_ms, value = await ledger.registers([0], 0)

        assert (t_ms.tolist(), value.tolist()) == ([10, 30, 50], [1.0, 3.0, 4.0])
        assert await ledger.last_before(0, 50) == 30


# -- revisions ---------------------------------------------------------------------------------------------------------


async def test_a_revision_takes_rows_away_and_adds_others(opened: Opened) -> None:
    async with opened() as (ledger, _):
        await ledger.revise(NONE, hours((0, 1, 5), (0, 2, 6), (1, 1, 7)))
        await ledger.revise(([0, 1], [2, 1]), hours((0, 2, 60), (1, 3, 70)))

        assert told(await ledger.hours([0, 1], 0, EVER)) == [(0, 1, 5), (0, 2, 60), (1, 3, 70)]


async def test_a_revision_that_fails_changes_nothing(opened: Opened) -> None:
    broken = replace(hours((0, 2, 60), (0, 3, 61)), amount=np.array([60], np.int64))
    async with opened() as (ledger, _):
        await ledger.revise(NONE, hours((0, 1, 5), (0, 2, 6)))
        with pytest.raises(StoreError):
            await ledger.revise(([0, 0], [1, 2]), broken)
        await ledger.revise(NONE, hours((0, 9, 1)))

        assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 5), (0, 2, 6), (0, 9, 1)]


async def test_rows_of_a_large_backlog_can_be_revised_like_any_other(opened: Opened) -> None:
    """70,000 rows go another way into the file than a few."""
    n = 70_000
    many = hours(*((0, h, h) for h in range(n)))
    async with opened() as (ledger, _):
        await ledger.revise(NONE, many)
        await ledger.revise(([0], [12_345]), hours((0, 12_345, -1)))
        found = await ledger.hours([0], 0, EVER)

    assert len(found) == n
    assert found.amount[12_344:12_347].tolist() == [12_344, -1, 12_346]


async def test_hours_are_given_in_the_order_of_point_and_hour_over_a_half_open_range(opened: Opened) -> None:
    async with opened() as (ledger, _):
        await ledger.revise(NONE, hours((3, 2, 1), (0, 5, 2)))
        await ledger.revise(NONE, hours((0, 2, 3), (0, 1, 4), (3, 1, 5)))

        assert told(await ledger.hours([0, 3], 1, 5)) == [(0, 1, 4), (0, 2, 3), (3, 1, 5), (3, 2, 1)]
        assert told(await ledger.hours([], 0, EVER)) == []


async def test_amounts_are_those_of_hours_that_are_known_well_enough(opened: Opened) -> None:
    rows = hours((0, 1, 4), (0, 2, 3), (1, 1, 9), (3, 1, 5), (3, 2, 1), (3, 5, 7))
    measured, manual = np.array([0, 9, 9, 10, 0, 10], np.int32), np.array([0, 0, 9, 0, 10, 0], np.int32)
    async with opened() as (ledger, _):
        await ledger.revise(NONE, replace(rows, measured_ms=measured, manual_ms=manual))

        point, hour, amount = await ledger.amounts([0, 1, 3], 1, 5, 10)
        assert sorted(zip(point.tolist(), hour.tolist(), amount.tolist(), strict=True)) == [
            (1, 1, 9),
            (3, 1, 5),
            (3, 2, 1),
        ]
        assert len((await ledger.amounts([], 0, EVER, 0))[0]) == 0


# -- order -------------------------------------------------------------------------------------------------------------


async def test_maintaining_keeps_every_row_as_it_is(opened: Opened) -> None:
    rows = hours(*((p, h, 100 * p + h) for p in range(3) for h in range(100)), cost=42)
    async with opened() as (ledger, _):
        for part in (slice(200, 300), slice(0, 100), slice(100, 200)):
            await ledger.revise(NONE, rows.take(part))
        for now_hour in (50, 90, 90, 1000):
            await ledger.maintain(now_hour * HOUR_MS)
            assert same(await ledger.hours(range(3), 0, EVER), rows)
        await ledger.revise(([1], [7]), hours((1, 7, 0), cost=42))

        assert len(await ledger.hours(range(3), 0, EVER)) == 300


# -- sums --------------------------------------------------------------------------------------------------------------

AMOUNT = st.integers(-(10**15), 10**15)
ROW = st.tuples(
    st.integers(0, 5), st.integers(0, 30), AMOUNT, st.one_of(st.just(UNPRICED), AMOUNT), st.integers(0, HOUR_MS)
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(ROW, max_size=60, unique_by=lambda row: row[:2]),
    st.sets(st.integers(0, 6), max_size=6),
    st.integers(0, 30),
    st.integers(0, 31),
)
async def test_curves_and_totals_are_the_sums_of_the_rows(
    drawn: list[tuple[int, int, int, int, int]], points: set[int], low: int, high: int
) -> None:
    rows = hours(*((p, h, a) for p, h, a, _, _ in drawn)) if drawn else Hours.none()
    cost = np.array([c for *_, c, _ in drawn], np.int64)
    rows = replace(rows, cost=cost, measured_ms=np.array([ms for *_, ms in drawn], np.int32))
    async with open_store("memory:") as store:
        ledger = open_ledger(store)
        await ledger.revise(NONE, rows)
        await ledger.maintain(40 * HOUR_MS)
        wanted = rows.take(np.isin(rows.point, list(points)) & (rows.hour >= low) & (rows.hour < high))

        check(await ledger.curve(sorted(points), low, high), wanted, wanted.hour)
        check(await ledger.totals(sorted(points), low, high), wanted, wanted.point)


def check(found: Sums, rows: Hours, of: np.ndarray) -> None:
    priced = rows.cost != UNPRICED
    made = rows.columns() | {"cost": np.where(priced, rows.cost, 0), "unpriced": np.where(priced, 0, rows.amount)}
    assert found.of.tolist() == sorted(set(of.tolist()))
    assert found.rows.tolist() == [int((of == one).sum()) for one in found.of]
    for name in ("amount", "first_half", "estimated", "cost", "unpriced", "measured_ms", "disputed_ms"):
        sums = [int(made[name][of == one].astype(np.int64).sum()) for one in found.of]
        assert getattr(found, name).tolist() == sums, name


# -- what is doubtful --------------------------------------------------------------------------------------------------


async def test_doubts_since_an_instant_are_replaced_and_earlier_ones_stay(opened: Opened) -> None:
    early, late, fresh = Doubt(0, "strayed", 10, 10), Doubt(0, "fall", 90, 110), Doubt(0, "jump", 200, 210)
    other = Doubt(1, "held", 150, 160)
    async with opened() as (ledger, _):
        await ledger.doubt({0: 0, 1: 0}, [early, late, other])
        await ledger.doubt({0: 100}, [fresh, early])

        assert await ledger.doubts([0, 1], 0, 1000) == [early, other, fresh]


async def test_doubts_are_those_that_touch_the_time_that_is_asked(opened: Opened) -> None:
    fall = Doubt(0, "fall", 90, 110)
    async with opened() as (ledger, _):
        await ledger.doubt({0: 0}, [fall])

        assert await ledger.doubts([0], 100, 105) == [fall]
        assert await ledger.doubts([0], 0, 90) == []
        assert await ledger.doubts([0], 111, 200) == []
        assert await ledger.doubts([1], 0, 200) == []


async def test_a_basis_is_replaced_and_others_stay(opened: Opened) -> None:
    async with opened() as (ledger, _):
        await ledger.settle(0, {0: Basis("a", "x"), 1: Basis("b", "y")})
        await ledger.settle(0, {1: Basis("c", "z")})

        assert await ledger.bases() == {0: Basis("a", "x"), 1: Basis("c", "z")}


# -- several processes -------------------------------------------------------------------------------------------------


async def test_marks_are_told_and_settled_by_parts_of_the_points(opened: Opened) -> None:
    async with opened() as (ledger, store):
        await ledger.hold([0, 1, 2])
        await store.write(readings((0, 50, 1.0), (1, 60, 1.0)))
        first = await ledger.marks([0])
        await ledger.settle(first.last, {}, [0])
        others = await ledger.marks([1, 2])
        await store.write(readings((0, 90, 2.0)))

        assert (first.point.tolist(), first.from_ms.tolist()) == ([0], [50])
        assert (others.point.tolist(), others.from_ms.tolist()) == ([1], [60])
        assert (await ledger.marks()).point.tolist() == [0, 1]
        assert (await ledger.marks()).from_ms.tolist() == [90, 60]
        assert (await ledger.marks([])).point.tolist() == []


async def test_nobody_who_is_alone_is_told_of_revisions(opened: Opened) -> None:
    async with opened() as (ledger, _):
        begun = await ledger.revisions(None)
        await ledger.revise(NONE, hours((0, 1, 5)))
        found = await ledger.revisions(begun.upto)

        assert (list(found.made), found.lost) == ([], False)
