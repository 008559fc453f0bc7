"""What every store of readings promises, over each of them."""

from __future__ import annotations

import asyncio
import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.readings_duckdb import open_duckdb
from adapters.stores import open_store
from energy.errors import EnergyError, StoreError
from energy.ports import ReadingStore, Written
from energy.quantities import Kind
from energy.readings import Point, Quality, ReadingColumns, Reason
from energy.series import Curve
from tests.adapters.reading_stores import (
    BAD,
    DAY,
    ENERGY,
    OTHER,
    POWER,
    Row,
    columns,
    expected_curve,
    good,
    rows_of,
    shown,
)
from tests.adapters.readings_memory import MemoryReadings

ROOT = Path(__file__).parents[2]


async def everything(store: ReadingStore) -> list[Row]:
    return rows_of(await store.readings(await store.points(), -(2**62), 2**62))


# -- writing ---------------------------------------------------------------------------------------------------------


async def test_what_is_written_is_there(store: ReadingStore) -> None:
    written = await store.write(columns([good(POWER, 1000, 1.5), good(OTHER, 1000, 2.5), good(POWER, 2000, 1.75)]))

    assert written == Written(3, 0)
    found = await store.readings([POWER, OTHER], 0, 10_000)
    assert rows_of(found) == [good(POWER, 1000, 1.5), good(POWER, 2000, 1.75), good(OTHER, 1000, 2.5)]


async def test_writing_the_same_twice_keeps_one(store: ReadingStore) -> None:
    batch = columns([good(POWER, 1000, 1.5), good(POWER, 2000, 1.75)])

    assert await store.write(batch) == Written(2, 0)
    assert await store.write(batch) == Written(0, 2)
    assert len(await everything(store)) == 2


async def test_the_same_twice_in_a_batch_is_one(store: ReadingStore) -> None:
    assert await store.write(columns([good(POWER, 1000, 1.5), good(POWER, 1000, 1.5)])) == Written(1, 1)


async def test_the_first_value_of_an_instant_stays_and_the_others_are_told_by_position(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1000, 1.0), good(POWER, 2000, 2.0)]))

    written = await store.write(columns([good(POWER, 2000, 9.0), good(POWER, 3000, 3.0), good(POWER, 1000, 1.0)]))

    assert written == Written(1, 1, [0])
    assert [r[2] for r in await everything(store)] == [1.0, 2.0, 3.0]


async def test_within_a_batch_the_first_of_an_instant_stays(store: ReadingStore) -> None:
    assert await store.write(columns([good(POWER, 1000, 1.0), good(POWER, 1000, 2.0)])) == Written(1, 0, [1])
    assert [r[2] for r in await everything(store)] == [1.0]


async def test_every_row_is_judged_by_what_is_stored_and_not_by_its_batch(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1000, 5.0)]))

    assert await store.write(columns([good(POWER, 1000, 7.0), good(POWER, 1000, 7.0)])) == Written(0, 0, [0, 1])
    assert await store.write(columns([good(POWER, 1000, 7.0), good(POWER, 1000, 5.0)])) == Written(0, 1, [0])


async def test_another_quality_is_another_value(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1000, 5.0)]))

    uncertain = (POWER, 1000, 5.0, int(Quality.UNCERTAIN), Reason.CLOCK_NOT_SET.code)
    assert await store.write(columns([uncertain])) == Written(0, 0, [0])


async def test_a_bad_reading_without_a_value_comes_back_as_it_was(store: ReadingStore) -> None:
    batch = columns([(POWER, 1000, *BAD)])

    assert await store.write(batch) == Written(1, 0)
    assert await store.write(batch) == Written(0, 1)
    [(point, t_ms, value, quality, reason)] = await everything(store)
    assert (point, t_ms, quality, Reason.of(reason)) == (POWER, 1000, Quality.BAD, Reason.NOT_A_NUMBER)
    assert math.isnan(value)


async def test_zero_is_zero_whatever_its_sign(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1000, 0.0)]))

    assert await store.write(columns([good(POWER, 1000, -0.0)])) == Written(0, 1)


async def test_values_are_kept_to_the_last_bit(store: ReadingStore) -> None:
    values = [0.1, 1 / 3, 184250.251, 5e-324, -1.7976931348623157e308, 2.0**53 + 2]
    await store.write(columns([good(POWER, t, v) for t, v in enumerate(values)]))

    assert [r[2] for r in await everything(store)] == values


async def test_nothing_written_changes_nothing(store: ReadingStore) -> None:
    assert await store.write(columns([])) == Written(0, 0)
    assert await store.write(ReadingColumns.of([POWER], [], [], [])) == Written(0, 0)
    assert await store.points() == []
    assert len(await store.latest()) == 0


async def test_a_point_without_a_reading_is_none(store: ReadingStore) -> None:
    await store.write(ReadingColumns.of([OTHER, POWER], [1], [1000], [1.0]))

    assert await store.points() == [POWER]


async def test_rows_that_come_late_take_their_place(store: ReadingStore) -> None:
    for t_ms in (5000, 1000, 3000, 2000, 4000):
        await store.write(columns([good(POWER, t_ms, t_ms / 1000)]))

    assert [(r[1], r[2]) for r in await everything(store)] == [(1000 * i, float(i)) for i in range(1, 6)]


# -- reading ---------------------------------------------------------------------------------------------------------


async def test_readings_come_in_the_order_of_the_points_asked_and_then_of_time(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 2, 1), good(OTHER, 2, 2), good(OTHER, 1, 3), good(POWER, 1, 4)]))

    forwards = await store.readings([POWER, OTHER], 0, 10)
    backwards = await store.readings([OTHER, POWER], 0, 10)

    assert [(r[0], r[1]) for r in rows_of(forwards)] == [(POWER, 1), (POWER, 2), (OTHER, 1), (OTHER, 2)]
    assert [(r[0], r[1]) for r in rows_of(backwards)] == [(OTHER, 1), (OTHER, 2), (POWER, 1), (POWER, 2)]


async def test_a_range_holds_its_begin_and_not_its_end(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, t, t) for t in (1, 2, 3)]))

    assert [r[1] for r in rows_of(await store.readings([POWER], 1, 3))] == [1, 2]
    assert [r[1] for r in rows_of(await store.readings([POWER], 3, 4))] == [3]


@pytest.mark.parametrize(("from_ms", "to_ms"), [(5, 5), (9, 2), (100, 200)])
async def test_an_empty_range_is_empty(store: ReadingStore, from_ms: int, to_ms: int) -> None:
    await store.write(columns([good(POWER, t, t) for t in range(1, 9)]))

    assert len(await store.readings([POWER], from_ms, to_ms)) == 0
    [curve] = await store.curves([POWER], from_ms, to_ms, 100)
    assert len(curve) == 0


async def test_a_range_longer_than_any_life_is_answered(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, t * DAY, t) for t in range(100)]))

    assert len(await store.readings([POWER], -(2**62), 2**62)) == 100
    [curve] = await store.curves([POWER], -(2**62), 2**62, 50)
    assert curve.mean.tolist() == [49.5]


async def test_an_unknown_point_has_no_readings_and_an_empty_curve(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1, 1)]))

    assert len(await store.readings([OTHER], 0, 10)) == 0
    curves = await store.curves([OTHER, POWER, Point("b", "active_energy_import")], 0, 10, 5)
    assert [len(c) for c in curves] == [0, 1, 0]
    assert [c.point for c in curves] == [OTHER, POWER, Point("b", "active_energy_import")]


async def test_no_points_are_no_curves(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1, 1)]))

    assert await store.curves([], 0, 10, 5) == []
    assert len(await store.readings([], 0, 10)) == 0


# -- latest ----------------------------------------------------------------------------------------------------------


async def test_latest_is_the_newest_of_every_point_bad_ones_too(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1000, 1.0), good(POWER, 3000, 3.0), good(OTHER, 1000, 7.0)]))
    await store.write(columns([(OTHER, 2000, *BAD), good(POWER, 2000, 2.0)]))

    found = sorted(shown(rows_of(await store.latest())))

    assert found == sorted(shown([good(POWER, 3000, 3.0), (OTHER, 2000, *BAD)]))


async def test_latest_of_some_points_comes_in_their_order_without_those_that_were_never_read(
    store: ReadingStore,
) -> None:
    await store.write(columns([good(POWER, 1000, 1.0), good(OTHER, 2000, 2.0)]))

    found = await store.latest([Point("nobody", "active_power"), OTHER, POWER])

    assert rows_of(found) == [good(OTHER, 2000, 2.0), good(POWER, 1000, 1.0)]


async def test_a_late_row_is_not_the_latest(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 5 * DAY, 5.0)]))
    await store.maintain(7 * DAY)
    await store.write(columns([good(POWER, 3 * DAY, 3.0)]))

    assert rows_of(await store.latest()) == [good(POWER, 5 * DAY, 5.0)]


async def test_a_refused_value_is_not_the_latest(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 1000, 1.0)]))
    await store.write(columns([good(POWER, 1000, 2.0)]))

    assert rows_of(await store.latest()) == [good(POWER, 1000, 1.0)]


# -- curves ----------------------------------------------------------------------------------------------------------


def assert_same(found: Curve, wanted: Curve) -> None:
    assert (found.point, found.kind, found.step_ms, found.uncertain) == (
        wanted.point,
        wanted.kind,
        wanted.step_ms,
        wanted.uncertain,
    )
    for name in ("t_ms", "low", "mean", "high", "first", "last"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist(), name


async def test_few_readings_are_given_as_they_are(store: ReadingStore) -> None:
    await store.write(columns([good(POWER, 10, 1.0), good(POWER, 17, 3.0), good(ENERGY, 10, 100.0)]))

    gauge, counter = await store.curves([POWER, ENERGY], 0, 100, 2)

    assert gauge.step_ms is None
    assert gauge.t_ms.tolist() == [10, 17]
    assert gauge.low.tolist() == gauge.mean.tolist() == gauge.high.tolist() == [1, 3]
    assert (counter.kind, counter.first.tolist(), counter.mean.tolist()) == (Kind.COUNTER, [100], [])


async def test_many_readings_are_reduced_a_gauge_to_its_spread_and_a_counter_to_its_ends(store: ReadingStore) -> None:
    # Every second for a minute, in at most 13 rows: by 5 seconds.
    await store.write(columns([good(p, 1000 * i, i) for p in (POWER, ENERGY) for i in range(60)]))

    gauge, counter = await store.curves([POWER, ENERGY], 0, 60_000, 13)

    assert gauge.step_ms == counter.step_ms == 5000
    assert gauge.t_ms.tolist() == counter.t_ms.tolist() == list(range(0, 60_000, 5000))
    assert gauge.low.tolist() == counter.first.tolist() == list(range(0, 60, 5))
    assert gauge.high.tolist() == counter.last.tolist() == list(range(4, 60, 5))
    assert gauge.mean.tolist() == list(range(2, 60, 5))


async def test_bad_readings_are_no_part_of_a_curve(store: ReadingStore) -> None:
    rows = [good(POWER, 1000 * i, i) for i in range(0, 60, 2)] + [(POWER, 1000 * i, *BAD) for i in range(1, 60, 2)]
    await store.write(columns(rows))

    [few] = await store.curves([POWER], 0, 60_000, 30)
    [many] = await store.curves([POWER], 0, 60_000, 13)

    assert few.step_ms is None
    assert few.mean.tolist() == list(range(0, 60, 2))
    assert len(many) == 12
    assert not np.isnan(many.mean).any()


async def test_a_point_of_which_all_is_bad_has_an_empty_curve(store: ReadingStore) -> None:
    await store.write(columns([(POWER, 1000 * i, *BAD) for i in range(60)]))

    [curve] = await store.curves([POWER], 0, 60_000, 13)

    assert len(curve) == 0


async def test_a_curve_says_that_some_of_it_is_uncertain(store: ReadingStore) -> None:
    doubtful = (POWER, 30_000, 30.0, int(Quality.UNCERTAIN), Reason.CLOCK_NOT_SET.code)
    await store.write(columns([good(POWER, 1000 * i, i) for i in range(60) if i != 30] + [doubtful]))

    assert [c.uncertain for c in await store.curves([POWER], 0, 60_000, 13)] == [True]
    assert [c.uncertain for c in await store.curves([POWER], 0, 60_000, 100)] == [True]
    assert [c.uncertain for c in await store.curves([POWER], 0, 29_000, 5)] == [False]


@pytest.mark.parametrize("origin_ms", [0, 1, 57_600_000, -57_600_000, 30_500, 10**12])
async def test_steps_begin_at_the_origin(store: ReadingStore, origin_ms: int) -> None:
    rows = [good(p, 1000 * i, i * 0.25) for p in (POWER, ENERGY) for i in range(60)]
    await store.write(columns(rows))

    for found in await store.curves([POWER, ENERGY], 0, 60_000, 13, origin_ms=origin_ms):
        assert_same(found, expected_curve(rows, found.point, 0, 60_000, 13, origin_ms))
        assert len(found) <= 13


# -- maintenance -----------------------------------------------------------------------------------------------------


async def seen(store: ReadingStore) -> list[object]:
    points = [POWER, OTHER, ENERGY]
    curves = [
        curve
        for from_ms, to_ms, most in ((0, 10 * DAY, 20), (0, 10 * DAY, 1000), (2 * DAY, 3 * DAY, 7))
        for curve in await store.curves(points, from_ms, to_ms, most, origin_ms=57_600_000)
    ]
    return [
        sorted(shown(await everything(store))),
        sorted(shown(rows_of(await store.latest()))),
        sorted(await store.points()),
        [[getattr(c, n).tolist() for n in ("t_ms", "low", "mean", "high", "first", "last")] for c in curves],
    ]


async def test_maintenance_changes_nothing_that_is_seen_however_often_and_with_late_rows_too(
    store: ReadingStore,
) -> None:
    hours = [good(p, 3_600_000 * i, i * 0.5) for p in (POWER, OTHER, ENERGY) for i in range(0, 200, 2)]
    late = [good(p, 3_600_000 * i, i * 0.5) for p in (POWER, ENERGY) for i in range(1, 100, 6)]
    reference = MemoryReadings()
    for batch in (hours, late):
        await store.write(columns(batch))
        await reference.write(columns(batch))
        wanted = await seen(reference)

        for now_ms in (4 * DAY + 5, 4 * DAY + 5, 0, 9 * DAY, 9 * DAY):
            await store.maintain(now_ms)
            assert await seen(store) == wanted

    assert await store.write(columns(hours + late)) == Written(0, len(hours) + len(late))


# -- any order, any slicing ------------------------------------------------------------------------------------------

some_points = st.sampled_from([POWER, ENERGY, OTHER])
some_values = st.integers(-8, 8).map(lambda n: n / 4)
some_qualities = st.sampled_from([(0, 0), (0, 0), (1, Reason.CLOCK_NOT_SET.code)])
some_rows = st.one_of(
    st.tuples(some_points, st.integers(0, 12 * 24), some_values, some_qualities),
    st.tuples(some_points, st.integers(0, 12 * 24), st.just(math.nan), st.just(BAD[1:])),
).map(lambda r: (r[0], r[1] * 3_600_000 // 4, r[2], *r[3]))


@settings(max_examples=40)
@given(st.lists(some_rows, max_size=60, unique_by=lambda r: r[:2]), st.data())
def test_any_order_and_slicing_of_the_same_rows_gives_the_same_content(rows: list[Row], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows + rows[: len(rows) // 3]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=6)))
    maintained = data.draw(st.sets(st.integers(0, len(cuts))))

    async def content() -> list[str]:
        async with open_duckdb(Path(":memory:")) as store:
            for i, (begin, end) in enumerate(itertools.pairwise([0, *cuts, len(shuffled)])):
                await store.write(columns(shuffled[begin:end]))
                if i in maintained:
                    await store.maintain(data.draw(st.integers(0, 4)) * DAY)
            return shown(rows_of(await store.readings([POWER, ENERGY, OTHER], 0, 10 * DAY)))

    order = [POWER, ENERGY, OTHER]
    assert asyncio.run(content()) == shown(sorted(rows, key=lambda r: (order.index(r[0]), r[1])))


@settings(max_examples=40)
@given(
    st.lists(st.lists(some_rows, max_size=25), max_size=5),
    st.integers(-DAY, 4 * DAY),
    st.integers(1, 4 * DAY),
    st.integers(2, 30),
    st.integers(-2 * DAY, 10 * DAY),
)
@example([[good(POWER, 0, 5.0)], [good(POWER, 0, 7.0), good(POWER, 0, 7.0), good(POWER, 0, 5.0)]], 0, DAY, 2, 0)
def test_the_file_says_what_the_plain_statement_of_a_store_says(
    batches: list[list[Row]], from_ms: int, length: int, most: int, origin_ms: int
) -> None:
    points = [OTHER, POWER, ENERGY]

    async def said(store: ReadingStore, maintained: bool) -> tuple[object, list[Curve]]:
        written = []
        for batch in batches:
            written.append(await store.write(columns(batch)))
            if maintained:
                await store.maintain(2 * DAY)
        return (
            written,
            sorted(shown(rows_of(await store.latest()))),
            shown(rows_of(await store.readings(points, from_ms, from_ms + length))),
        ), await store.curves(points, from_ms, from_ms + length, most, origin_ms=origin_ms)

    async def compare() -> None:
        wanted, curves = await said(MemoryReadings(), maintained=False)
        rows = {(r[0], r[1]): r for batch in reversed(batches) for r in reversed(batch)}
        for curve in curves:
            reference = expected_curve(list(rows.values()), curve.point, from_ms, from_ms + length, most, origin_ms)
            if len(reference) or len(curve):
                assert_same(curve, reference)
            assert len(curve) <= most
        for maintained in (False, True):
            async with open_duckdb(Path(":memory:")) as store:
                found, own = await said(store, maintained)
                assert found == wanted
                for mine, reference in zip(own, curves, strict=True):
                    assert_same(mine, reference)

    asyncio.run(compare())


async def test_a_large_batch_is_stored_as_a_small_one_is(tmp_path: Path) -> None:
    n = 70_000
    t_ms = np.arange(n, dtype=np.int64)[::-1] * 1000
    batch = ReadingColumns.of([POWER], np.zeros(n, np.int32), t_ms, np.arange(n, dtype=np.float64) * 0.25)
    async with open_duckdb(tmp_path / "readings.duckdb") as store:
        assert await store.write(batch) == Written(n, 0)
        assert await store.write(batch) == Written(0, n)
        assert await store.write(columns([good(POWER, 5000, -1.0), good(POWER, 5500, 1.0)])) == Written(1, 0, [0])
    async with open_duckdb(tmp_path / "readings.duckdb") as store:
        assert rows_of(await store.latest()) == [good(POWER, (n - 1) * 1000, 0.0)]
        await store.maintain(10 * DAY)
        assert len(await store.readings([POWER], 0, 10 * DAY)) == n + 1


async def test_writers_and_readers_at_once_see_whole_batches(tmp_path: Path) -> None:
    async with open_duckdb(tmp_path / "readings.duckdb") as store:

        async def write() -> None:
            for i in range(20):
                await store.write(columns([good(POWER, 1000 * i + j, i) for j in range(10)]))
                if i % 5 == 4:
                    await store.maintain(DAY)

        async def read() -> list[int]:
            return [len(await store.readings([POWER], 0, DAY)) for _ in range(20)]

        _, *lengths = await asyncio.gather(write(), read(), read())

    assert all(n % 10 == 0 for seen_ in lengths if seen_ is not None for n in seen_)


# -- the file --------------------------------------------------------------------------------------------------------


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that runs a script with our packages."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


_OPEN = """
import asyncio, sys
from pathlib import Path
from adapters.readings_duckdb import open_duckdb
from energy.errors import StoreError

async def main():
    try:
        async with open_duckdb(Path(sys.argv[1])):
            print("opened")
    except StoreError as error:
        print(error)

asyncio.run(main())
"""


async def test_a_second_process_is_refused_in_words_and_let_in_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "readings.duckdb"
    async with open_duckdb(path) as store:
        await store.write(columns([good(POWER, 1, 1.0)]))
        refused = await asyncio.to_thread(run(_OPEN, path).communicate)

        assert f"{path} is in use by another process" in refused[0]
        assert "one process owns the file" in refused[0]
        assert await store.write(columns([good(POWER, 2, 2.0)])) == Written(1, 0)

    assert run(_OPEN, path).communicate()[0] == "opened\n"


async def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "readings.duckdb"
    path.write_text("dear diary, " * 1000)

    with pytest.raises(StoreError, match=r"readings\.duckdb cannot be opened"):
        async with open_duckdb(path):
            pass
    assert path.read_text().startswith("dear diary")


# -- addresses -------------------------------------------------------------------------------------------------------


async def test_an_address_chooses_the_store(tmp_path: Path) -> None:
    async with open_store("memory:") as store:
        assert await store.points() == []
    async with open_store(f"duckdb:{tmp_path}/deep/readings.duckdb") as store:
        await store.write(columns([good(POWER, 1, 1.0)]))
    assert (tmp_path / "deep" / "readings.duckdb").exists()


@pytest.mark.parametrize("address", ["", "duckdb:", "redis://x", "readings.duckdb"])
async def test_an_address_that_names_no_store_is_refused(address: str) -> None:
    with pytest.raises(EnergyError, match="must be of the form duckdb:FILE or memory:"):
        async with open_store(address):
            pass
