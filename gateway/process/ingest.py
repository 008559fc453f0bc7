"""The role that takes readings: from the broker, judged, stored, answered.

A process that is alone takes all there is. One of several takes its share (`gateway/ingest/sharing.py`), listens to
gateways of others when it is its turn, and tells the other processes what it has stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from adapters.mqtt_bus import MqttBus, open_bus
from adapters.wire import READINGS, STATE, topic
from energy.ports import Bus, Message
from energy.readings import ReadingColumns, to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.foreign.host import HostState
from gateway.foreign.service import Foreign
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.foreign_turn import ForeignTurn
from gateway.ingest.judge import Judge
from gateway.ingest.open_meters import OpenMeters
from gateway.ingest.service import Ingest
from gateway.ingest.sharing import Sharing
from gateway.ingest.telling import Telling
from gateway.process.parts import Parts
from gateway.process.role import Task
from gateway.sites.moving import senders_of

_OF_EDGES = topic("+", READINGS), topic("+", STATE)


class IngestRole:
    """Fulfils `Role`."""

    def __init__(self, parts: Parts, judge: Judge, foreign: Foreign) -> None:
        self._parts, self._judge = parts, judge
        self._host = HostState(foreign.host, to_ms(parts.clock.now()))
        self._deliveries = Deliveries(parts.delivered, parts.clock, parts.metrics, parts.started.site.zone)
        self._intake: Ingest | None = None
        self._foreign = foreign
        self.subscriptions: Sequence[str] = (
            [*_OF_EDGES, *foreign.subscriptions]
            if parts.settings.is_alone
            else [topic("+", STATE), *Sharing.subscriptions(parts.settings.name)]
        )

    @property
    def will(self) -> Message | None:
        return self._host.will if self._parts.settings.is_alone else None

    def connected(self) -> None:
        if self._parts.settings.is_alone:
            self._host.connected()

    async def begin(self, bus: Bus, stack: AsyncExitStack) -> Sequence[Task]:
        parts, telling = self._parts, Telling(bus, self._parts.settings.name)

        def came(live: ReadingColumns, waited: ReadingColumns) -> None:
            parts.arrivals.came(live, waited)
            # What is heard of others comes to the arrivals too, and is not told again.
            if not parts.settings.is_alone:
                telling.came(live, waited)

        intake = self._intake = Ingest(
            bus,
            parts.store,
            parts.quarantine,
            self._judge,
            parts.edges,
            parts.clock,
            parts.metrics,
            parts.arrivals.stored,
            parts.hub.changed,
            deliveries=self._deliveries,
            came=came,
        )
        if not parts.settings.is_alone:
            return await self._begin_with_others(bus, intake, stack)
        await self._deliveries.gain()
        stack.push_async_callback(self._host.leave, bus)
        return [intake.run, partial(self._host.run, bus), intake.ask]

    async def _begin_with_others(self, bus: Bus, intake: Ingest, stack: AsyncExitStack) -> Sequence[Task]:
        parts, judge = self._parts, self._judge
        if parts.settings.ledger is not None:
            from adapters.writers_postgres import open_postgres_writers

            writers = await stack.enter_async_context(open_postgres_writers(parts.settings.ledger))
            intake.alone = OpenMeters(writers, parts.store, judge).alone
        intake.shared = sharing = Sharing(bus, parts.claims, parts.store, self._deliveries, judge, intake.keep)
        turn = ForeignTurn(parts.claims, parts.store, judge, self._foreign_bus, [intake.run_beside, self._host.run])
        return [intake.run, intake.ask, sharing.run, turn.run]

    @asynccontextmanager
    async def _foreign_bus(self) -> AsyncIterator[MqttBus]:
        """What gateways of others say, in the session of a gateway that is alone."""
        settings = self._parts.settings
        async with open_bus(
            settings.bus,
            settings.client_id,
            subscribe=self._foreign.subscriptions,
            unsubscribe=_OF_EDGES,
            will=self._host.will,
            keep_session=True,
            connected=self._host.connected,
        ) as bus:
            try:
                yield bus
            finally:
                await self._host.leave(bus)

    def problems(self) -> list[OngoingProblem]:
        return [*self._failing(), *self._deliveries.problems()]

    def _failing(self) -> list[OngoingProblem]:
        trouble = self._intake.trouble if self._intake is not None else None
        if trouble is None:
            return []
        text = TextWords(
            f"存储无法写入，新读数暂存在现场采集端：{trouble.cause}",
            f"The store refuses; new readings wait at the edges: {trouble.cause}",
        )
        return [OngoingProblem("store.failing", "store", trouble.since_ms, text)]


async def ingest_role(parts: Parts) -> IngestRole:
    """The role, knowing the meters of the site and who sends readings of them."""
    site = parts.started.site
    foreign = Foreign(parts.settings.mappings)
    judge = Judge(site.meters, await senders_of(parts.records, site), foreign)
    parts.followers.judge = judge
    return IngestRole(parts, judge, foreign)
