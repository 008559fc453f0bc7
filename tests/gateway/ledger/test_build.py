"""The ledger is the same, however its readings came."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.hours import Hours
from energy.life import EventKind, MeterEvent
from energy.readings import Point, to_ms
from gateway.ledger.books import Books
from tests.gateway.ledger.books import MAIN, START, Rows, books, columns, kwh, over, quarters

_EVER = 1 << 30
HOUR = timedelta(hours=1)


async def whole(kept: Books) -> Hours:
    return await kept.ledger.hours(range(len(kept.ledger.points)), 0, _EVER)


def same(one: Hours, other: Hours) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.columns().values(), other.columns().values(), strict=True))


def troubled(days: int, seed: int) -> Rows:
    """A meter with a bad life: night and day, a spike, zeros, an outage, standstills, an exchange nobody told of."""
    rng = np.random.default_rng(seed)
    load = np.where((np.arange(days * 96) % 96 > 30) & (np.arange(days * 96) % 96 < 76), 3.0, 0.3)
    rows = quarters(days * 96, (load * rng.uniform(0.5, 1.5, days * 96)).round(2).tolist())
    at = list(rows)

    def somewhere() -> int:
        return int(rng.integers(4, len(at) - 40))

    for _ in range(days // 4):
        rows[at[somewhere()]] += 1000.0
        begin = somewhere()
        for i in range(begin, begin + int(rng.integers(1, 3))):
            rows[at[i]] = 0.0
        begin = somewhere()
        held = rows[at[begin]]
        for i in range(begin, begin + int(rng.integers(4, 30))):
            rows[at[i]] = held
    other = float(rng.choice([-900.0, 5000.0]))
    for i in range(somewhere(), len(at)):
        rows[at[i]] += other
    gone = somewhere()
    for i in range(gone, gone + int(rng.integers(2, 36))):
        rows.pop(at[i], None)
    long = int(rng.integers(96, len(at) - 96 * 14)) if days > 20 else None
    for i in range(long, long + 96 * int(rng.integers(1, 13))) if long else ():
        rows.pop(at[i], None)
    return rows


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), days=st.sampled_from([4, 12, 30]), cuts=st.integers(2, 9), data=st.data())
async def test_any_order_of_arrival_gives_the_same_ledger(seed: int, days: int, cuts: int, data: st.DataObject) -> None:
    """Live in slices, late, all at once as a backlog, some of it twice: row by row the same."""
    rows = troubled(days, seed)
    at = list(rows)
    edges = [0, *sorted(data.draw(st.sets(st.integers(1, len(at) - 1), max_size=cuts))), len(at)]
    slices = [{t: rows[t] for t in at[a:b]} for a, b in pairwise(edges)]
    order = data.draw(st.permutations(range(len(slices))))
    async with books() as (at_once, store):
        await store.write(columns(rows))
        await at_once.catch_up()
        wanted = await whole(at_once)
    async with books() as (live, store):
        for i in order:
            await store.write(columns(slices[i]))
            await live.catch_up()
            if data.draw(st.booleans()):
                await store.write(columns(slices[i]))
        found = await whole(live)
        rebuilt = await live.builder.rebuild()

    assert same(found, wanted)
    assert rebuilt.rows == 0


async def test_single_readings_in_their_order_give_what_the_backlog_gives() -> None:
    rows = troubled(4, 7)
    async with books() as (at_once, store):
        await store.write(columns(rows))
        await at_once.catch_up()
        wanted = await whole(at_once)
    async with books() as (live, store):
        for at, value in rows.items():
            await store.write(columns({at: value}))
            await live.catch_up()
        found = await whole(live)

    assert same(found, wanted)


async def test_only_what_differs_is_written() -> None:
    rows = quarters(96 * 10)
    late = START + timedelta(days=4, hours=3, minutes=15)
    async with books() as (kept, store):
        await store.write(columns({t: v for t, v in rows.items() if not late <= t < late + 2 * HOUR}))
        await kept.catch_up()
        await store.write(columns({t: v for t, v in rows.items() if late <= t < late + 2 * HOUR}))
        built = await kept.catch_up()
        nothing = await kept.catch_up()

    assert built.rows == 3  # the hours of the gap were estimated, and are measured now
    assert (nothing.points, nothing.rows) == (0, 0)


async def test_an_event_that_comes_late_makes_its_meter_anew_and_no_other() -> None:
    at = START + timedelta(hours=12, minutes=7, seconds=30)
    rows = {t: v if t < at else v - 1121.25 for t, v in quarters(96).items()}
    exchange = MeterEvent("main", EventKind.EXCHANGED, to_ms(at), final_register=1121.25, initial_register=0.0)
    async with books() as (kept, store):
        await store.write(columns(rows))
        await store.write(columns(quarters(96), Point("other", "active_energy_import")))
        await kept.catch_up()
        before = await kept.consumption.of_point(MAIN, over(24))
        kept.take(type(kept.kept)(kept.kept.site, [exchange]))
        built = await kept.catch_up()
        after = await kept.consumption.of_point(MAIN, over(24))

    assert before.amount.sum() == 237_500_000
    assert kwh(after) == [10.0] * 24
    assert (built.points, built.rows) == (1, 1)


async def test_a_ledger_whose_program_died_before_it_was_made_is_made_at_the_next_start() -> None:
    rows = quarters(96)
    async with books() as (first, store):
        await store.write(columns({t: v for t, v in rows.items() if t <= START + 12 * HOUR}))
        await first.catch_up()
        await store.write(columns({t: v for t, v in rows.items() if t > START + 12 * HOUR}))
        # Nothing is told to these books: what must be made anew stands beside the readings.
        second = type(first)(first.ledger, first.kept, first.factors)
        await second.catch_up()
        found = await second.consumption.of_point(MAIN, over(24))

    assert kwh(found) == [10.0] * 24


async def test_gauges_are_not_in_the_ledger() -> None:
    async with books() as (kept, store):
        await store.write(columns(quarters(8), Point("main", "active_power")))
        built = await kept.catch_up()

    assert built.points == 0
