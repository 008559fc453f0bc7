"""What every store keeps, and how it reduces it, judged by the plain list of the same rows: any value, any instant, any
question."""

from __future__ import annotations

import math
import random
from dataclasses import fields
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy.periods import of_days
from energy.ports import RegisterStore, Written
from energy.readings import LAST_MS, Point, Quality, ReadingColumns, Reason, to_ms
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

POINTS = [POWER, ENERGY, OTHER, Point("b", "volume")]
HOUR = 3_600_000
DOUBTFUL = (int(Quality.UNCERTAIN), Reason.CLOCK_NOT_SET.code)
STEPPED = (int(Quality.UNCERTAIN), Reason.CLOCK_STEPPED.code)


def assert_alike(found: Curve, wanted: Curve) -> None:
    """The same but for the last bits of a mean, whose order of adding nobody promises."""
    for name in ("point", "kind", "step_ms", "uncertain"):
        assert getattr(found, name) == getattr(wanted, name), name
    for name in ("t_ms", "low", "high", "first", "last"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist(), name
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-12)


def many(seed: int, n: int) -> list[Row]:
    """Rows as meters give them, of four points over 40 days, now and then doubtful or bad."""
    by_chance = random.Random(seed)
    rows = {}
    for _ in range(n):
        point, t_ms = by_chance.choice(POINTS), by_chance.randrange(40 * DAY // 1000) * 1000
        quality = by_chance.choice([(0, 0)] * 20 + [DOUBTFUL, STEPPED, BAD[1:]])
        value = math.nan if quality == BAD[1:] else round(by_chance.uniform(0, 1e6), by_chance.randrange(5))
        rows[point, t_ms] = (point, t_ms, value, *quality)
    return list(rows.values())


# -- any question ----------------------------------------------------------------------------------------------------


async def test_any_question_is_answered_as_by_a_list_of_the_rows(store: RegisterStore) -> None:
    rows = many(1, 3000)
    reference = MemoryReadings()
    # As they come: the newer two thirds, then what is late, half of it again.
    for part in (rows[1000:], rows[:1000], rows[500:1500]):
        assert await store.write(columns(part)) == await reference.write(columns(part))
        await store.maintain(20 * DAY)

    by_chance = random.Random(2)
    for _ in range(8):
        from_ms = by_chance.randrange(-5 * DAY, 39 * DAY)
        to_ms = from_ms + by_chance.choice([HOUR, DAY, 10 * DAY, 100 * DAY])
        points = by_chance.sample(POINTS, by_chance.randrange(1, 5))
        most, origin_ms = by_chance.randrange(2, 400), by_chance.randrange(-DAY, DAY)
        found = await store.readings(points, from_ms, to_ms)
        assert shown(rows_of(found)) == shown(rows_of(await reference.readings(points, from_ms, to_ms)))
        for curve in await store.curves(points, from_ms, to_ms, most, origin_ms=origin_ms):
            wanted = expected_curve(rows, curve.point, from_ms, to_ms, most, origin_ms)
            if len(wanted) or len(curve):
                assert_alike(curve, wanted)


async def test_how_far_readings_reach_is_told_as_by_a_list_of_the_rows(store: RegisterStore) -> None:
    rows, reference, nobody = many(3, 400), MemoryReadings(), Point("nobody", "volume")
    # The last of one point counts for nothing, and of another nothing does.
    rows += [(POWER, 41 * DAY, *BAD), (POWER, 42 * DAY, 1.0, *STEPPED), (Point("c", "volume"), 5, *BAD)]
    await store.write(columns(rows))
    await reference.write(columns(rows))
    asked = [nobody, *POINTS[::-1], Point("c", "volume")]

    for from_ms in (0, 20 * DAY + 1, 43 * DAY):
        found, wanted = await store.spans(asked, from_ms), await reference.spans(asked, from_ms)
        for of in fields(wanted):
            assert getattr(found, of.name).tolist() == getattr(wanted, of.name).tolist(), of.name
    for point in asked:
        for before_ms in (0, 6, 20 * DAY, 50 * DAY):
            assert await store.last_before(point, before_ms) == await reference.last_before(point, before_ms)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Asia/Shanghai", date(2024, 3, 1)),
        ("Asia/Kathmandu", date(2024, 3, 1)),
        # The night in which an hour is missing, and the one that has an hour twice.
        ("Europe/Berlin", date(2024, 3, 30)),
        ("Europe/Berlin", date(2024, 10, 26)),
    ],
)
async def test_days_begin_at_the_midnight_of_the_place(store: RegisterStore, zone: str, first: date) -> None:
    three = of_days(first, first + timedelta(days=3), ZoneInfo(zone))
    from_ms, end_ms = to_ms(three.start), to_ms(three.end)
    rows = [good(POWER, t, float(t // HOUR % 100)) for t in range(from_ms - DAY, end_ms + DAY, 15 * 60_000)]
    await store.write(columns(rows))

    found = await store.readings([POWER], from_ms, end_ms)
    [curve] = await store.curves([POWER], from_ms, end_ms, 5, origin_ms=from_ms)

    assert len(found) == (end_ms - from_ms) // (15 * 60_000)
    assert curve.t_ms[0] == from_ms
    assert_alike(curve, expected_curve(rows, POWER, from_ms, end_ms, 5, from_ms))


# -- any value -------------------------------------------------------------------------------------------------------

HARD = [
    5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, math.inf, -math.inf,
    0.1 + 0.2, 9007199254740993.0, 1e-7, 123456789.123456789, 0.0,
]  # fmt: skip


async def test_infinite_tiny_and_huge_values_come_back_to_the_last_bit(store: RegisterStore) -> None:
    rows = [good(POWER, i, v) for i, v in enumerate(HARD)]
    rows += [(OTHER, i, v, int(Quality.BAD), Reason.SENTINEL.code) for i, v in enumerate([*HARD, math.nan])]

    assert await store.write(columns(rows)) == Written(len(rows), 0)
    assert await store.write(columns(rows)) == Written(0, len(rows))
    assert shown(rows_of(await store.readings([POWER, OTHER], 0, 100))) == shown(rows)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("of", [[5e-324], [1.7e308], [math.inf, 1.0], [math.inf, -math.inf], [0.0, -0.0], [-1e-300]])
async def test_a_curve_of_such_values_is_what_the_reference_makes_of_it(store: RegisterStore, of: list[float]) -> None:
    rows = [good(p, 1000 * i, of[i % len(of)]) for p in (POWER, ENERGY) for i in range(60)]
    await store.write(columns(rows))

    for curve in await store.curves([POWER, ENERGY], 0, 60_000, 13):
        assert_alike(curve, expected_curve(rows, curve.point, 0, 60_000, 13, 0))


# -- any instant -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("far_ms", [2**43 - 1, 2**43, 2**43 + 1000, 9_300_000_000_000, LAST_MS])
async def test_far_instants_are_kept_or_refused_and_confuse_no_others(store: RegisterStore, far_ms: int) -> None:
    written = await store.write(columns([good(POWER, far_ms, 1.0), good(OTHER, 1000, 2.0), good(ENERGY, 0, 3.0)]))

    assert (written.stored + len(written.refused), written.repeated, written.conflicting) == (3, 0, [])
    assert [row for row, _ in written.refused] in ([], [0])
    kept = [] if written.refused else [good(POWER, far_ms, 1.0)]
    asked = await store.readings([POWER, OTHER, ENERGY], 0, LAST_MS + 1)
    assert rows_of(asked) == [*kept, good(OTHER, 1000, 2.0), good(ENERGY, 0, 3.0)]

    again = await store.write(columns([good(POWER, far_ms, 1.0), good(OTHER, 1000, 7.0), good(ENERGY, 0, 3.0)]))
    assert (again.stored, again.repeated, again.conflicting) == (0, 1 + len(kept), [1])
    assert [row for row, _ in again.refused] == [row for row, _ in written.refused]


# -- many ------------------------------------------------------------------------------------------------------------


async def test_a_batch_of_many_points_and_rows_in_no_order_is_kept_like_a_small_one(store: RegisterStore) -> None:
    points = [Point(f"meter-{i}", "active_power") for i in range(300)]
    place = np.random.default_rng(4).permutation(300 * 20)
    t_ms, value = 1000 * (place % 20), (place * 0.25).astype(np.float64)
    batch = ReadingColumns.of(points, (place // 20).tolist(), t_ms, value)

    assert await store.write(batch) == Written(len(batch), 0)
    assert await store.write(batch) == Written(0, len(batch))
    found = await store.readings(points, 0, DAY)
    assert found.value.tolist() == [0.25 * i for i in range(300 * 20)]
    assert len(await store.latest()) == 300
