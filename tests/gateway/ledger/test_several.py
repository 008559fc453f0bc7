"""Several processes make one ledger: each its parts of the points, and all of them tell the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import numpy as np
import pytest

from adapters.ledger_postgres import open_postgres_ledger
from adapters.readings_marked import MarkedReadings
from energy.errors import NotHeld
from energy.hours import Hours
from energy.life import EventKind, MeterEvent
from energy.ports import LEDGER_PARTS
from energy.quantities import Medium
from energy.readings import Point, to_ms
from energy.sites import Meter, Text
from gateway.ledger import curves as module
from gateway.ledger.books import Books, Kept
from gateway.ledger.scope import Node, NodeKind
from tests.adapters.readings_memory import MemoryReadings
from tests.gateway.ledger.books import FACTORS, NOBODY, START, Rows, books, columns, kwh, over, quarters
from tests.gateway.ledger.test_build import same, troubled, whole
from tests.postgresql import PostgresServer

POINTS = [Point(f"m{i}", "active_energy_import") for i in range(4)]
SITE = replace(
    NOBODY,
    meters=tuple(Meter(p.meter, Text(p.meter, p.meter), Medium.ELECTRICITY, quantities=(p.quantity,)) for p in POINTS),
)
EVENS, ODDS = frozenset(range(0, LEDGER_PARTS, 2)), frozenset(range(1, LEDGER_PARTS, 2))
TOP = Node(NodeKind.SITE, SITE.id)
Process = tuple[Books, MarkedReadings]


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.address(postgres.copy("template1"))


@asynccontextmanager
async def processes(database: str, count: int) -> AsyncIterator[list[Process]]:
    """The books of each, over one ledger and one store, with what is written through."""
    store = MemoryReadings()
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_postgres_ledger(database, store)) for _ in range(count)]
        made = [(Books(ledger, Kept(SITE), FACTORS), through) for through, ledger in opened]
        for one, _ in made:
            await one.follow()
        yield made


async def alone(rows: list[Rows], events: list[MeterEvent]) -> Hours:
    """What one process makes of it all at once."""
    async with books(SITE, events) as (one, store):
        for point, own in zip(POINTS, rows, strict=True):
            await store.write(columns(own, point))
        await one.catch_up()
        return await whole(one)


async def by_name(kept: Books) -> Hours:
    """All hours, by the names of the points: their numbers go by who came first."""
    found = await whole(kept)
    number = np.array([POINTS.index(p) for p in kept.ledger.points], np.int32)
    found = replace(found, point=number[found.point])
    return found.take(np.argsort(found.key, kind="stable"))


async def of_site(kept: Books, days: int) -> list[float | None]:
    return kwh((await kept.consumption.of_node(TOP, over(24 * days)))[Medium.ELECTRICITY].figures)


@pytest.mark.parametrize("seed", [1, 2])
async def test_parts_that_change_hands_at_random_make_the_ledger_of_one_process(database: str, seed: int) -> None:
    rng, days = np.random.default_rng(seed), 22
    rows = [troubled(days, 10 * seed + i) for i in range(len(POINTS))]
    exchange = MeterEvent(
        "m1", EventKind.EXCHANGED, to_ms(START + timedelta(days=9)), final_register=1121.25, initial_register=0.0
    )
    cut = [[dict(part) for part in np.array_split(np.array(list(own.items()), dtype=object), 5)] for own in rows]
    slices = list(chain.from_iterable(((p, part) for part in parts) for p, parts in zip(POINTS, cut, strict=True)))
    async with processes(database, 2) as two:
        for i in rng.permutation(len(slices)).tolist():
            point, part = slices[i]
            await two[i % 2][1].write(columns(part, point))
            first = frozenset(rng.choice(LEDGER_PARTS, 32, replace=False).tolist())
            for (one, _), own in zip(two, (first, (EVENS | ODDS) - first), strict=True):
                await one.ledger.hold(own)
                await one.catch_up(parts=own)
        for one, _ in two:
            one.take(Kept(SITE, [exchange]))
        for (one, _), own in zip(two, (EVENS, ODDS), strict=True):
            await one.ledger.hold(own)
            await one.catch_up(parts=own)
        found = await by_name(two[0][0])
        left = await two[0][0].ledger.marks()
        entered = [await one.builder.is_as_entered() for one, _ in two]

    assert same(found, await alone(rows, [exchange]))
    assert left.point.tolist() == []
    assert entered == [True, True]


@pytest.mark.parametrize("many", [1, 400], ids=["kept by whole sums", "kept by single days"])
async def test_who_only_reads_tells_what_others_have_changed_as_soon_as_it_follows(
    database: str, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MANY", many)
    async with processes(database, 3) as ((one, through), (other, _), (reader, _)):
        for point in POINTS:
            await through.write(columns(quarters(96), point))
        await reader.follow()
        waited = reader.pending
        for built, own in ((one, EVENS), (other, ODDS)):
            await built.ledger.hold(own)
            await built.catch_up(parts=own)
        await reader.follow()
        before, revision = await of_site(reader, 2), reader.revision
        still, of_builder = await of_site(reader, 2), await of_site(one, 2)
        await through.write(columns(quarters(8, 10.0, first=1240.0, start=START + timedelta(days=1)), POINTS[1]))
        await other.catch_up(parts=ODDS)
        await reader.follow()
        after = await of_site(reader, 2)

        assert before == still == of_builder == [40.0] * 24 + [None] * 24
        assert after == [40.0] * 24 + [40.0, 40.0] + [None] * 22
        assert (waited, reader.pending) == (True, False)
        assert reader.revision > revision
        await one.follow()
        assert await of_site(one, 2) == after


async def test_what_was_entered_is_pending_until_those_who_build_have_worked_it_in(database: str) -> None:
    exchange = MeterEvent("m0", EventKind.EXCHANGED, to_ms(START), final_register=1000.0, initial_register=0.0)
    async with processes(database, 2) as ((one, through), (reader, _)):
        await through.write(columns(quarters(8), POINTS[0]))
        await one.ledger.hold(EVENS)
        await one.catch_up(parts=EVENS)
        await reader.follow()
        settled = reader.pending
        reader.take(Kept(SITE, [exchange]))
        await reader.follow()
        entered = reader.pending
        one.take(Kept(SITE, [exchange]))
        await one.catch_up(parts=EVENS)
        await reader.follow()

        assert (settled, entered, reader.pending) == (False, True, False)


async def test_who_has_lost_its_points_while_it_worked_writes_nothing_and_works_on(database: str) -> None:
    async with processes(database, 2) as ((one, through), (other, _)):
        await one.ledger.hold(EVENS | ODDS)
        await through.write(columns(quarters(8), POINTS[0]))
        await other.ledger.hold(EVENS)
        with pytest.raises(NotHeld):
            await one.catch_up(parts=EVENS | ODDS)
        await other.catch_up(parts=EVENS)
        await one.catch_up(parts=ODDS)

        assert len(await whole(other)) == 2
        assert (await one.ledger.marks()).point.tolist() == []


async def test_a_ledger_whose_first_making_was_killed_half_way_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with books() as (killed, store):
        await store.write(columns(quarters(8)))
        settle, settled = killed.ledger.settle, list[int]()

        async def dying(upto: int, bases: Any, parts: Any = None) -> None:
            if settled:
                raise RuntimeError("killed")
            settled.append(upto)
            await settle(upto, bases, parts)

        monkeypatch.setattr(killed.ledger, "settle", dying)
        with pytest.raises(RuntimeError, match="killed"):
            await killed.catch_up()
        monkeypatch.undo()
        again = Books(killed.ledger, killed.told, FACTORS)
        await again.catch_up()

        assert len(await whole(again)) == 2


async def test_rows_that_were_written_twice_are_there_once_after_a_rebuild() -> None:
    async with books() as (kept, store):
        await store.write(columns(quarters(8)))
        await kept.catch_up()
        once = await whole(kept)
        await kept.ledger.revise(([], []), once)
        await kept.builder.rebuild()

        assert same(await whole(kept), once)
