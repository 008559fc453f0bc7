"""A process that takes readings, one of several, and nothing else: started by tests, which kill it.

python -m tests.gateway.ingest_worker NAME BUS STORE LEDGER METERS
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.claims_postgres import PostgresClaims, open_claims
from adapters.clocks import SystemClock
from adapters.intake import Intake, open_intake
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.stores import open_stores
from adapters.wire import STATE, topic
from adapters.writers_postgres import open_postgres_writers
from energy.names import Text
from energy.ports import RegisterStore
from energy.quantities import Medium
from energy.readings import ReadingColumns
from energy.senders import Senders
from energy.sites import Meter
from gateway.edges.service import Edges
from gateway.foreign.service import Foreign
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.foreign_turn import ForeignTurn
from gateway.ingest.judge import Judge
from gateway.ingest.open_meters import OpenMeters
from gateway.ingest.service import Ingest
from gateway.ingest.sharing import Sharing
from gateway.metrics import Metrics

SESSION_S = 60


@dataclass(slots=True)
class Worker:
    """One of several, as far as a test wants to see it."""

    bus: MqttBus
    claims: PostgresClaims
    store: RegisterStore
    intake: Intake
    ingest: Ingest
    pushed: list[ReadingColumns]


def meter_of(edge: str) -> str:
    return f"meter-of-{edge}"


@asynccontextmanager
async def worker(
    name: str, bus: str, store: str, ledger: str, edges: int, *, look_s: float = 0.2, foreign: Foreign | None = None
) -> AsyncIterator[Worker]:
    """Working, in this loop."""
    clock, metrics, foreign = SystemClock(), Metrics(), foreign or Foreign()
    names = [f"edge-{n}" for n in range(edges)]
    meters = [Meter(meter_of(edge), Text("表", "Meter"), Medium.ELECTRICITY) for edge in [*names, "others"]]
    judge = Judge(meters, Senders({meter_of(edge): edge for edge in names}), foreign)
    async with AsyncExitStack() as stack:
        readings, _ = await stack.enter_async_context(open_stores(store, ledger))
        kept = await stack.enter_async_context(open_intake(ledger, Path("/nonexistent")))
        claims = await stack.enter_async_context(open_claims(ledger, name, look_s=look_s))
        subscribe = [topic("+", STATE), *Sharing.subscriptions(name)]
        opened = open_bus(bus, f"jieneng-gateway-{name}", subscribe=subscribe, session_s=SESSION_S)
        mqtt = await stack.enter_async_context(opened)
        pushed: list[ReadingColumns] = []
        deliveries = Deliveries(kept.deliveries, clock, metrics)
        ingest = Ingest(
            mqtt, readings, kept.quarantine, judge, Edges(clock), clock, metrics, lambda _: None, lambda: None,
            deliveries=deliveries, came=lambda live, waited: pushed.extend((live, waited)),
        )  # fmt: skip
        writers = await stack.enter_async_context(open_postgres_writers(ledger))
        ingest.alone = OpenMeters(writers, readings, judge).alone
        ingest.shared = Sharing(mqtt, claims, readings, deliveries, judge, ingest.keep)

        @asynccontextmanager
        async def foreign_bus() -> AsyncIterator[MqttBus]:
            async with open_bus(
                bus,
                "jieneng-gateway",
                subscribe=foreign.subscriptions,
                unsubscribe=[topic("+", STATE)],
                keep_session=True,
            ) as opened:
                yield opened

        turn = ForeignTurn(claims, readings, judge, foreign_bus, [ingest.run_beside])
        tasks = [asyncio.create_task(t()) for t in (ingest.run, ingest.ask, ingest.shared.run, turn.run)]
        try:
            yield Worker(mqtt, claims, readings, kept, ingest, pushed)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def main() -> None:
    name, bus, store, ledger, edges = sys.argv[1:]
    async with worker(name, bus, store, ledger, int(edges)):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
