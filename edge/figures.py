"""What an edge tells Prometheus of itself: the state that it publishes, and how its way to the gateway is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric

from adapters.edge_troubles import Trouble, lag_ms
from adapters.metric_families import Once, gauge, gauges
from adapters.wire import ClockState, EdgeState, SiteState

_METER_STATES = ("reporting", "silent", "unread")


@dataclass(frozen=True, slots=True)
class Uplink:
    """The way from an edge to its gateway.

    lost_for_s : how long there has been no broker; None while there is one. refused : why it does not let us in.
    unanswered : batches on their way. silent_for_s : how long nobody has answered; None while somebody does.
    """

    lost_for_s: float | None = None
    refused: str | None = None
    unanswered: int = 0
    silent_for_s: float | None = None


def figures(
    said: EdgeState, uplink: Uplink, behind_s: Mapping[str, float], wrong: Iterable[Trouble], process: CollectorRegistry
) -> bytes:
    """All of it in Prometheus' text format. behind_s : of each line, for how long the oldest tick waits."""
    registry = CollectorRegistry()
    kinds = Counter(one.kind for one in wrong)
    registry.register(
        Once(
            [
                gauges("jieneng_build_info", "1, with the version as label", {said.version or "": 1}, "version"),
                gauges("jieneng_problems", "What is wrong now, by kind as in /health", kinds, "kind"),
                *_meters_and_lines(said, behind_s),
                *_outbox(said),
                *_uplink(uplink),
                *_clock(said.clock),
                *_site(said.site),
            ]
        )
    )
    return generate_latest(process) + generate_latest(registry)


def process_registry() -> CollectorRegistry:
    """What the machine says of this process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def _meters_and_lines(said: EdgeState, behind_s: Mapping[str, float]) -> Iterator[Metric]:
    states = Counter[str](meter.state for meter in said.meters.values())
    yield gauges("jieneng_meters", "Meters by how they answer", {s: states[s] for s in _METER_STATES}, "state")
    loads = {line: found.load for line, found in said.lines.items()}
    yield gauges("jieneng_line_load", "Seconds of each second that the meters of a line need", loads, "line")
    yield gauges("jieneng_line_behind_seconds", "For how long the oldest tick of a line waits", behind_s, "line")
    late = CounterMetricFamily("jieneng_line_late_ticks", "Readings skipped since a line was busy", labels=["line"])
    for line, found in said.lines.items():
        late.add_metric([line], found.late_ticks)
    yield late


def _outbox(said: EdgeState) -> Iterator[Metric]:
    lag = lag_ms(said)
    yield gauge("jieneng_outbox_batches", "Batches that the gateway has not stored", said.outbox_batches)
    yield gauge("jieneng_outbox_bytes", "How large the outbox is", said.outbox_bytes)
    yield gauge("jieneng_outbox_oldest_seconds", "Age of the oldest reading in it", None if lag is None else lag / 1000)
    yield gauge("jieneng_outbox_full", "1 while the outbox is full", said.outbox_full)
    yield gauge("jieneng_outbox_failing", "1 while the disk takes no readings", bool(said.outbox_failing))
    yield gauge("jieneng_outbox_in_memory", "Readings that wait in memory for the disk", said.outbox_waiting)
    yield gauge("jieneng_reading_stopped", "1 while meters are not read since the outbox is full", said.reading_stopped)
    for name, told, value in (
        ("dropped_batches", "Batches that a full outbox dropped", said.outbox_dropped),
        ("thinned_readings", "Readings that a full outbox thinned out", said.outbox_thinned),
        ("damaged", "Batches and files that could not be read", said.outbox_damaged),
    ):
        counter = CounterMetricFamily(f"jieneng_outbox_{name}", told)
        if value is not None:
            counter.add_metric([], value)
        yield counter


def _uplink(uplink: Uplink) -> Iterator[Metric]:
    yield gauge("jieneng_broker_connected", "1 while the edge is connected to its broker", uplink.lost_for_s is None)
    yield gauge("jieneng_batches_unanswered", "Batches on their way that are not answered", uplink.unanswered)
    yield gauge("jieneng_unanswered_seconds", "For how long nobody has answered", uplink.silent_for_s or 0.0)


def _clock(clock: ClockState | None) -> Iterator[Metric]:
    """Whether the clock is set has no value where nobody knows."""
    clock = clock or ClockState()
    step, at = (None if ms is None else ms / 1000 for ms in (clock.step_ms, clock.stepped_at))
    yield gauge("jieneng_clock_synchronized", "1 where the clock was set since the machine woke", clock.synchronized)
    yield gauge("jieneng_clock_step_seconds", "The last step of the clock, + forwards", step)
    yield gauge("jieneng_clock_stepped_timestamp_seconds", "When it was", at)


def _site(site: SiteState | None) -> Iterator[Metric]:
    version = {} if site is None else {site.version: 1}
    yield gauges(
        "jieneng_site_file_info", "1, with the version of the site file that runs as label", version, "version"
    )
    yield gauge(
        "jieneng_site_file_refused", "1 while the newest site file is refused", bool(site is not None and site.refused)
    )
