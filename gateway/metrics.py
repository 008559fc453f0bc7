"""Figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The gateway's own figures, in a registry of its own so that several gateways fit in a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._stored = Counter("jieneng_values_stored", "Values stored", registry=self.registry)
        self._refused = Counter("jieneng_values_refused", "Values refused", ["reason"], registry=self.registry)
        self._batches = Counter("jieneng_batches_received", "Messages of readings received", registry=self.registry)
        self._lost = Counter("jieneng_readings_lost", "Readings that never come", ["cause"], registry=self.registry)
        self._seconds = Histogram(
            "jieneng_store_write_seconds",
            "Time to commit what came together",
            registry=self.registry,
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
        )
        self._listeners = Gauge("jieneng_live_listeners", "Open WebSockets", registry=self.registry)
        self._edges = Gauge("jieneng_edges_online", "Edges that are online", registry=self.registry)

    def written(self, stored: int, seconds: float) -> None:
        self._stored.inc(stored)
        self._seconds.observe(seconds)

    def refused(self, reason: str, n: int) -> None:
        if n:
            self._refused.labels(reason).inc(n)

    def lost(self, cause: str, n: int) -> None:
        self._lost.labels(cause).inc(n)

    def batches(self, n: int) -> None:
        self._batches.inc(n)

    def listeners(self, n: int) -> None:
        self._listeners.set(n)

    def edges_online(self, n: int) -> None:
        self._edges.set(n)

    def text(self) -> bytes:
        return generate_latest(self.registry)
