"""Two processes that make a ledger over PostgreSQL and VictoriaMetrics, killed at random: it is that of one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from adapters.claims_postgres import open_claims
from adapters.clocks import SystemClock
from adapters.stores import open_stores
from energy.ports import LEDGER_PARTS
from gateway.ledger.books import Books, Kept
from gateway.process.claimed import LEDGER
from tests.adapters.test_ledger import same
from tests.gateway.ledger.books import FACTORS, Rows, columns
from tests.gateway.ledger.test_build import troubled
from tests.gateway.ledger.test_several import POINTS, SITE, alone, by_name
from tests.killing import Killed
from tests.postgresql import PostgresServer
from tests.victoria import VictoriaServer, victoria_server
from tests.waiting import PATIENCE_S

_DAYS, _SLICES, _KILLS = 20, 6, 5


async def main() -> None:
    """A process that makes its share of the ledger until it is killed."""
    name, readings_at, ledger_at = sys.argv[1:]
    async with building(name, readings_at, ledger_at):
        await asyncio.Event().wait()


@asynccontextmanager
async def building(name: str, readings_at: str, ledger_at: str) -> AsyncIterator[Books]:
    """The share of a process of that name, made for as long as the context lasts."""
    async with open_stores(readings_at, ledger_at) as (_, ledger), open_claims(ledger_at, name, look_s=0.1) as claims:
        books = Books(ledger, Kept(SITE), FACTORS)

        async def gained(numbers: frozenset[int]) -> None:
            await ledger.hold(numbers)
            books.changed()

        claims.take_part(LEDGER, LEDGER_PARTS, gained=gained)
        share = partial(claims.work, LEDGER, range(LEDGER_PARTS))
        tasks = [
            asyncio.create_task(books.run(SystemClock(), share)),
            asyncio.create_task(books.keep_following(SystemClock())),
        ]
        yield books
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def victoria() -> Iterator[VictoriaServer]:
    with victoria_server() as server:
        yield server


def slices(rows: list[Rows], rng: np.random.Generator) -> list[tuple[int, Rows]]:
    """What was read, in pieces in any order."""
    cut = [[dict(part) for part in np.array_split(np.array(list(own.items()), dtype=object), _SLICES)] for own in rows]
    pieces = list(chain.from_iterable(((i, part) for part in parts) for i, parts in enumerate(cut)))
    return [pieces[i] for i in rng.permutation(len(pieces)).tolist()]


async def test_two_that_are_killed_at_random_make_the_ledger_of_one_row_by_row(
    postgres: PostgresServer, victoria: VictoriaServer, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    rows = [troubled(_DAYS, 50 + i) for i in range(len(POINTS))]
    ledger_at, store = postgres.address(postgres.copy("template1")), victoria.new_name()
    builders = [Killed(__name__, name, victoria.address(tmp_path / name, store), ledger_at) for name in ("one", "two")]
    try:
        async with open_stores(victoria.address(tmp_path / "ingest", store), ledger_at) as (through, ledger):
            pieces = slices(rows, rng)
            every = len(pieces) // _KILLS
            for i, (number, piece) in enumerate(pieces):
                await through.write(columns(piece, POINTS[number]))
                await asyncio.sleep(0.2)
                if i % every == every - 1:
                    builders[int(rng.integers(2))].begin_again()
            books = Books(ledger, Kept(SITE), FACTORS)
            async with asyncio.timeout(PATIENCE_S):
                while len((await ledger.marks()).point) or not await books.builder.is_as_entered():
                    await asyncio.sleep(0.2)
            found = await by_name(books)
    finally:
        for builder in builders:
            builder.kill()

    assert same(found, await alone(rows, []))
