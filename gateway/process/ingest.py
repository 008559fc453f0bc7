"""The role that takes readings: from the broker, judged, stored, answered.

Claims, shared subscriptions and what is handed on between processes plug in here, and so does what tells other
processes what was stored (`parts.arrivals` is who needs to know in this one).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from adapters.mqtt_bus import MqttBus
from adapters.wire import READINGS, STATE, topic
from energy.ports import Message
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.foreign.host import HostState
from gateway.foreign.service import Foreign
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge
from gateway.ingest.service import Ingest
from gateway.process.parts import Parts
from gateway.process.role import Task
from gateway.sites.moving import senders_of


class IngestRole:
    """Fulfils `Role`."""

    def __init__(self, parts: Parts, judge: Judge, foreign: Foreign) -> None:
        self._parts, self._judge = parts, judge
        self._host = HostState(foreign.host, to_ms(parts.clock.now()))
        self._deliveries = Deliveries(parts.delivered, parts.clock, parts.metrics, parts.started.site.zone)
        self._intake: Ingest | None = None
        self.subscriptions: Sequence[str] = [topic("+", READINGS), topic("+", STATE), *foreign.subscriptions]

    @property
    def will(self) -> Message | None:
        return self._host.will

    def connected(self) -> None:
        self._host.connected()

    async def begin(self, bus: MqttBus, stack: AsyncExitStack) -> Sequence[Task]:
        stack.push_async_callback(self._host.leave, bus)
        parts = self._parts
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
            came=parts.arrivals.came,
        )
        return [intake.run, partial(self._host.run, bus), intake.ask]

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
