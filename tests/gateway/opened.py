"""The services of a gateway over a database and books, put together in one place for all tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TypeAlias

from energy.ports import Clock, Quarantine, ReadingStore
from gateway.access.door import Door
from gateway.accounts.service import Accounts
from gateway.alerts.opening import open_alerts
from gateway.audit.service import Audit
from gateway.backups.service import StoreCopies
from gateway.billing.service import Bills
from gateway.closing.service import Closings
from gateway.contracts.service import Contracts
from gateway.edges.service import Edges
from gateway.findings.service import Findings
from gateway.ledger.books import Books
from gateway.life.service import Lives
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.quotas.books import quota_books
from gateway.records.database import Records
from gateway.services import Services
from gateway.sites.service import Directory
from gateway.stock.service import Stock
from gateway.tariffs.service import Tariffs
from tests.gateway.reporting.shipped import statistics
from tests.working_days import CHINA

Frame: TypeAlias = tuple[Clock, ReadingStore, Quarantine, Directory, Edges, Present, Hub, Metrics]


def opened(frame: Frame, records: Records, books: Books, accounts: Accounts, door: Door) -> Services:
    """Services of which all but the frame and the accounts are the real ones over the records."""
    clock, stock = frame[0], Stock(records, frame[0])
    return Services(
        *frame,
        lives=Lives(records, clock),
        books=books,
        tariffs=Tariffs(records, clock),
        bills=Bills(records, clock),
        stock=stock,
        closings=Closings(records, clock, books),
        findings=Findings(records, clock, books.kept.site.id),
        working_days=CHINA,
        statistics=statistics(records, clock, books, stock),
        quotas=quota_books(records, clock, books),
        contracts=Contracts(records, clock, books, frame[1]),
        accounts=accounts,
        audit=Audit(records, clock),
        door=door,
        copies=StoreCopies(frame[1], Path(tempfile.gettempdir()) / "no-copies", clock),
        alerts=open_alerts(records, clock, lambda: books.kept.site, bytes(32), channels={"log": "log"}),
    )
