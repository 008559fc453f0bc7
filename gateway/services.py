"""What the routes work with, put together once at the start."""

from __future__ import annotations

from dataclasses import dataclass

from energy.ports import Clock, Quarantine, ReadingStore
from gateway.audit.service import Audit
from gateway.billing.service import Bills
from gateway.closing.service import Closings
from gateway.edges.service import Edges
from gateway.ledger.books import Books
from gateway.life.service import Lives
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.sites.service import Directory
from gateway.stock.service import Stock
from gateway.tariffs.service import Tariffs


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
    lives: Lives
    books: Books
    tariffs: Tariffs
    bills: Bills
    stock: Stock
    closings: Closings
    audit: Audit
