"""Two processes with an alarm desk and a sender, killed at random while things ring: each rings once."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import select

from adapters.claims_postgres import open_claims
from adapters.clocks import SystemClock
from adapters.ledger_postgres import open_postgres_ledger
from adapters.notify_log import LogChannel
from adapters.stores import open_store
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Meter, Site, Text
from gateway.alerts.alerts import Alerts
from gateway.alerts.desk import Desk
from gateway.alerts.opening import open_alerts
from gateway.alerts.sender import Sender
from gateway.alerts.tables import AlarmMessageRow
from gateway.edges.service import Edges
from gateway.ledger.books import Books, Kept
from gateway.process.claimed import ClaimedJobs
from gateway.records.base import table_of
from gateway.records.database import Records, open_records
from tests.gateway.ledger.books import FACTORS, NOBODY
from tests.killing import Killed
from tests.postgresql import PostgresServer
from tests.victoria import victoria_server

_METERS, _STEP_S, _BURST, _KILL_EVERY = 5, 0.25, 8, 9
POINTS = [Point(f"m{i}", "active_power") for i in range(_METERS)]
SITE: Site = replace(
    NOBODY,
    meters=tuple(
        Meter(p.meter, Text(p.meter, p.meter), Medium.ELECTRICITY, interval_s=1.0, quantities=(p.quantity,))
        for p in POINTS
    ),
)
RULES = """
rules:
  - {id: high, kind: threshold, name: {zh: 过载, en: Overload}, every: active_power, above: 10 kW, back: 9 kW, for: 1 s,
     level: urgent}
escalation:
  urgent: {rungs: [{after: 0 s, call: main}]}
"""
ROSTER = """
persons:
  - {id: wang, name: 王强, reach: [{channel: log, address: wang}]}
rota:
  - {from: 2026-01-01, to: 2099-12-31, turns: [{main: wang}]}
"""


async def main() -> None:
    """A process that watches and sends, when it is its turn, until it is killed."""
    name, readings_at, ledger_at = sys.argv[1:]
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(readings_at))
        _, ledger = await stack.enter_async_context(open_postgres_ledger(ledger_at, store))
        alerts, records = await stack.enter_async_context(opened(ledger_at))
        clock, books = SystemClock(), Books(ledger, Kept(SITE), FACTORS)
        desk = Desk(alerts.alarms, alerts.rules, alerts.duty, books, store, Edges(clock), clock, several=True)
        sender = Sender(records, clock, alerts.outbox, alerts.alarms, {"log": LogChannel("log")}, alerts.links)
        claims = await stack.enter_async_context(open_claims(ledger_at, name, look_s=0.1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ClaimedJobs(claims, {"desk": desk.run, "sender": sender.run}).run())
            tasks.create_task(_hear_of_nothing(desk))


async def _hear_of_nothing(desk: Desk) -> None:
    """Nobody tells this desk what was stored: it has to look for itself, as after the bus was away."""
    while True:
        await asyncio.sleep(0.5)
        desk.heard_again()
        if desk._at_work:
            with suppress(Exception):
                await desk.tick()


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[tuple[Alerts, Records]]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_records(address, Path(folder)) as records:
            yield open_alerts(records, SystemClock(), lambda: SITE, bytes(32), channels={"log": "log"}), records


def readings(step: int) -> ReadingColumns:
    """One of each meter: they are high one after the other, each for so many steps."""
    high = [_BURST * i <= step < _BURST * (i + 1) for i in range(_METERS)]
    now_ms = to_ms(SystemClock().now())
    return ReadingColumns.of(POINTS, range(_METERS), [now_ms] * _METERS, [20.0 if one else 1.0 for one in high])


async def test_what_rings_while_desks_are_killed_rings_once(postgres: PostgresServer, tmp_path: Path) -> None:
    rng, address = np.random.default_rng(3), postgres.address(postgres.copy("template1"))
    async with opened(address) as (alerts, records):
        await alerts.rules.save(RULES, "officer")
        await alerts.duty.save(ROSTER, "officer")
        with victoria_server() as victoria:
            name, module = victoria.new_name(), "tests.gateway.alerts.test_killed_desks"
            desks = [Killed(module, who, victoria.address(tmp_path / who, name), address) for who in ("one", "two")]
            try:
                async with open_store(victoria.address(tmp_path / "ingest", name)) as store:
                    step, steps = 0, _BURST * _METERS
                    async with asyncio.timeout(400):
                        while step < steps or not await _all_over(alerts):
                            await store.write(readings(step))
                            step += 1
                            if step % _KILL_EVERY == 0 and step < steps:
                                desks[int(rng.integers(2))].begin_again()
                            await asyncio.sleep(_STEP_S)
            finally:
                for desk in desks:
                    desk.kill()
        found = await alerts.alarms.alarms()
        async with records.reading() as connection:
            keys = (await connection.execute(select(table_of(AlarmMessageRow).c.key))).scalars().all()

    assert sorted(alarm.raised.cause for alarm in found) == [f"high/{p}" for p in POINTS]
    assert {(alarm.life.round, alarm.life.flaps) for alarm in found} == {(1, 0)}
    assert sorted(key for key in keys if "~" not in key and key.endswith(".0.wang")) == [
        f"{i}.1.0.wang" for i in sorted(alarm.id for alarm in found)
    ]
    assert len(keys) == len(set(keys))


async def _all_over(alerts: Alerts) -> bool:
    found = await alerts.alarms.alarms()
    return len(found) >= _METERS and all(alarm.life.recovered_ms is not None for alarm in found)
