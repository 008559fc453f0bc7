"""What Prometheus is told: what was counted, and how everything stands at the moment it asks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator
from importlib.metadata import version
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from adapters.metric_families import Once, gauge, gauges
from energy.errors import StoreError
from energy.ports import Marks
from gateway.alerts.counts import AlarmCounts, alarm_counts
from gateway.api.words import OngoingProblem
from gateway.edges.words import FleetEdge
from gateway.process.words import ProcessWords
from gateway.services import Services

# Whoever reaches the broker names edges as he likes: no more than these are told one by one.
MOST_EDGES = 2_000
# Prometheus waits for 10 s; what does not answer in this time is not there.
_WAIT_S = 3.0

T = TypeVar("T")


async def exposition(services: Services) -> bytes:
    """All of it in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Once(await standing(services)))
    return generate_latest(services.metrics.registry) + generate_latest(registry)


async def standing(services: Services) -> list[Metric]:
    """How everything stands now."""
    marks, alarms = await asyncio.gather(
        _in_time(services.books.ledger.marks()), _in_time(alarm_counts(services.alerts.outbox.records))
    )
    fleet = services.edges.fleet()
    return [
        gauges("jieneng_build_info", "1, with the version as label", {version("jieneng"): 1.0}, "version"),
        gauge("jieneng_broker_reachable", "1 while the gateway is connected to its broker", services.edges.reachable()),
        gauge("jieneng_ledger_reachable", "1 while the ledger can be read", marks is not None),
        gauge("jieneng_records_reachable", "1 while the records can be read", alarms is not None),
        *_problems(services.present.problems()),
        *_fleet(fleet),
        *_edges(fleet[:MOST_EDGES]),
        gauge("jieneng_ledger_points_waiting", "Points with readings that are not in the ledger yet", _size(marks)),
        gauge(
            "jieneng_ledger_oldest_change_seconds",
            "How long the oldest change has waited to be worked into the ledger; 0 where none waits",
            services.books.waiting_s(),
        ),
        *_alarms(alarms),
        *_processes(services.processes.all()),
        gauges(
            "jieneng_certificate_expiry_timestamp_seconds",
            "When a certificate ends",
            {who: until / 1000 for who, until in services.metrics.certificates().items()},
            "identity",
        ),
        gauge(
            "jieneng_backup_timestamp_seconds",
            "When the newest backup became whole",
            services.metrics.backed_up_at(),
        ),
    ]


async def _in_time(asked: Awaitable[T]) -> T | None:
    """None where it cannot be told, or not in time."""
    try:
        async with asyncio.timeout(_WAIT_S):
            return await asked
    except (StoreError, TimeoutError):
        return None


def _size(marks: Marks | None) -> float | None:
    return None if marks is None else float(len(marks.point))


def _problems(problems: list[OngoingProblem]) -> Iterator[Metric]:
    kinds = Counter(problem.kind for problem in problems)
    told = "What is wrong now anywhere, by kind as in /health: of several processes each tells all, take the greatest"
    yield gauges("jieneng_problems", told, {k: float(n) for k, n in kinds.items()}, "kind")


def _processes(processes: list[ProcessWords]) -> Iterator[Metric]:
    """Where there are several: each as this one hears of it."""
    up = GaugeMetricFamily("jieneng_process_up", "1 while the process runs and says so", labels=["process", "roles"])
    waiting = GaugeMetricFamily(
        "jieneng_process_ledger_waiting_seconds",
        "How long the oldest reading waits to be worked in, as the process says that keeps the ledger",
        labels=["process"],
    )
    for one in processes:
        up.add_metric([one.process, ",".join(one.roles)], float(one.state == "running"))
        if one.ledger_waiting_s is not None:
            waiting.add_metric([one.process], one.ledger_waiting_s)
    yield up
    yield waiting


def _fleet(fleet: list[FleetEdge]) -> Iterator[Metric]:
    yield gauge("jieneng_edges_online", "Edges that are online", sum(one.state == "online" for one in fleet))
    yield gauge("jieneng_edges_known", "Edges that have ever reported and were not revoked", len(fleet))


def _edges(fleet: list[FleetEdge]) -> Iterator[Metric]:
    """Of each edge; of one that is gone what it said last. What is not known of it is left out."""

    def of(name: str, told: str, values: Iterable[float | None]) -> Metric:
        found = zip(fleet, values, strict=True)
        return gauges(f"jieneng_edge_{name}", told, {e.edge: float(v) for e, v in found if v is not None}, "edge")

    def seconds(ms: int | None) -> float | None:
        return None if ms is None else ms / 1000

    yield of("online", "1 while the edge is online", (e.state == "online" for e in fleet))
    yield of("lag_seconds", "How old the oldest reading is that is not stored", (seconds(e.lag_ms) for e in fleet))
    yield of("outbox_batches", "Batches that wait in the outbox", (e.outbox_batches for e in fleet))
    yield of("outbox_bytes", "Size of what waits in the outbox", (e.outbox_bytes for e in fleet))
    yield of("outbox_full", "1 while the outbox is full", (e.outbox_full for e in fleet))
    yield of("meters", "Meters that it reads", (e.meters for e in fleet))
    yield of("meters_silent", "Meters that do not answer", (len(e.meters_silent) for e in fleet))
    yield of("clock_offset_seconds", "How far its clock is ahead", (seconds(e.clock.offset_ms) for e in fleet))
    yield of(
        "site_file_refused", "1 while it refuses its newest site file", (e.site_refused is not None for e in fleet)
    )


def _alarms(counts: AlarmCounts | None) -> Iterator[Metric]:
    open_ = counts.open if counts else {}
    untaken = counts.unacknowledged if counts else {}
    waiting = counts.notices_waiting if counts else None
    yield gauges("jieneng_alarms_open", "Alarms that are not closed", {k: float(n) for k, n in open_.items()}, "level")
    yield gauges(
        "jieneng_alarms_unacknowledged",
        "Alarms that go on and that nobody has acknowledged",
        {k: float(n) for k, n in untaken.items()},
        "level",
    )
    yield gauge("jieneng_notices_waiting", "Messages about alarms that are still to be sent", waiting)
    refused = CounterMetricFamily(
        "jieneng_notices_refused", "Messages about alarms that their channel refused for good"
    )
    if counts is not None:
        refused.add_metric([], counts.notices_refused)
    yield refused
