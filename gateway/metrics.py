"""Figures for Prometheus: what the gateway counts while it works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from adapters.wire import Cause
from gateway.ingest.reasons import REASONS

# The jobs that run by themselves; each is told from the start, so that one that never ran can be seen.
JOBS = ("ledger", "findings", "quotas", "balance", "maintenance")

_WRITE_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
_REQUEST_S = (0.01, 0.03, 0.1, 0.3, 1, 3, 10)

# Nobody looks at when a figure was first told, and it would double all of them.
disable_created_metrics()  # type: ignore[no-untyped-call]

Timed = Callable[[], AbstractContextManager[None]]


class Metrics:
    """The gateway's own figures, in a registry of its own so that several gateways fit in a process.

    Instants are those of the machine's clock, as Prometheus compares them. certificates : when which certificate ends
    [ms since the epoch], by `authority`, `broker`, or the name of who has it. backed_up_at : when the newest
    backup became whole [s since the epoch].
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.certificates: Callable[[], Mapping[str, int]] = dict
        self.backed_up_at: Callable[[], float | None] = lambda: None
        ProcessCollector(registry=self.registry)
        self._stored = self._counter("jieneng_values_stored", "Values stored")
        self._refused = self._counter("jieneng_values_refused", "Values refused", "reason")
        self._batches = self._counter("jieneng_batches_received", "Messages of readings received")
        self._asked = self._counter(
            "jieneng_batches_asked", "Batches that edges were asked for since they were missing"
        )
        self._lost = self._counter("jieneng_readings_lost", "Readings that never come", "cause")
        self._requests = self._counter("jieneng_requests", "Requests answered", "route", "status")
        self._writes_s = self._histogram("jieneng_store_write_seconds", "Time to commit what came together", _WRITE_S)
        self._requests_s = self._histogram("jieneng_request_seconds", "Time to answer", _REQUEST_S, "route")
        self._failing = self._gauge("jieneng_store_failing", "1 while what came cannot be stored")
        self._listeners = self._gauge("jieneng_live_listeners", "Open WebSockets")
        self._job_failing = self._gauge("jieneng_job_failing", "1 while the last run of a job failed", "job_name")
        self._job_at = self._gauge(
            "jieneng_job_last_success_timestamp_seconds",
            "When a job last ended well; 0 not since the start",
            "job_name",
        )
        self._job_s = self._gauge("jieneng_job_duration_seconds", "How long the last run of a job took", "job_name")
        # What begins to be told by its first count is not seen to rise.
        for reason in REASONS:
            self._refused.labels(reason)
        for cause in get_args(Cause):
            self._lost.labels(cause)
        for name in JOBS:
            self._job_failing.labels(name).set(0)
            self._job_at.labels(name).set(0)

    def written(self, stored: int, seconds: float) -> None:
        self._stored.inc(stored)
        self._writes_s.observe(seconds)

    def failing(self, *, now: bool) -> None:
        self._failing.set(now)

    def refused(self, reason: str, n: int) -> None:
        if n:
            self._refused.labels(reason).inc(n)

    def lost(self, cause: str, n: int) -> None:
        self._lost.labels(cause).inc(n)

    def batches(self, n: int) -> None:
        self._batches.inc(n)

    def asked(self, n: int) -> None:
        self._asked.inc(n)

    def listeners(self, n: int) -> None:
        self._listeners.set(n)

    def answered(self, route: str, status: int, seconds: float | None) -> None:
        self._requests.labels(route, f"{status // 100}xx").inc()
        if seconds is not None:
            self._requests_s.labels(route).observe(seconds)

    def job(self, name: str) -> Timed:
        """What a run of a job is to be put into: how long it took, and whether it failed."""

        @contextmanager
        def run() -> Iterator[None]:
            began = time.perf_counter()
            try:
                yield
            except Exception:
                self._job_failing.labels(name).set(1)
                raise
            else:
                self._job_failing.labels(name).set(0)
                self._job_at.labels(name).set_to_current_time()
            finally:
                self._job_s.labels(name).set(time.perf_counter() - began)

        return run

    def given_up(self, name: str) -> None:
        """Another process does the job from now on: that its last run here failed says nothing any more."""
        if name in JOBS:
            self._job_failing.labels(name).set(0)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, told, labels, registry=self.registry, buckets=buckets)
