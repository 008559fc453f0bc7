"""What the routes work with, put together once at the start."""

from __future__ import annotations

from dataclasses import dataclass

from energy.ports import Clock, Quarantine, ReadingStore
from gateway.edges.service import Edges
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.sites.service import Directory


@dataclass(frozen=True, slots=True)
class Services:
    """One of each."""

    clock: Clock
    store: ReadingStore
    quarantine: Quarantine
    directory: Directory
    edges: Edges
    present: Present
    hub: Hub
    metrics: Metrics
