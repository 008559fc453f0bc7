"""What the routes work with, put together once at the start."""

from __future__ import annotations

from dataclasses import dataclass, field

from energy.ports import Clock, Quarantine, ReadingStore
from energy.working_days import WorkingDays
from gateway.access.door import Door
from gateway.access.roles import Identity, Permission
from gateway.access.seen_copies import CLOSED_COPIES
from gateway.access.seen_processes import CLOSED_PROCESSES
from gateway.access.seen_sites import CLOSED_SITES
from gateway.access.sights import Sights
from gateway.accounts.service import Accounts
from gateway.alerts.alerts import Alerts
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
from gateway.process.others import Processes
from gateway.quotas.books import QuotaBooks
from gateway.reporting.service import Statistics
from gateway.sites.files import SiteFiles
from gateway.sites.service import Directory
from gateway.stock.service import Stock
from gateway.tariffs.service import Tariffs


@dataclass(frozen=True, slots=True)
class Services:
    """One of each; `seen_by` makes them tell what somebody may see, and nothing else."""

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
    findings: Findings
    working_days: WorkingDays
    quotas: QuotaBooks
    contracts: Contracts
    statistics: Statistics
    accounts: Accounts
    audit: Audit
    door: Door
    alerts: Alerts = field(kw_only=True)
    sights: Sights = field(default_factory=Sights, compare=False)
    sites: SiteFiles = CLOSED_SITES
    copies: StoreCopies = CLOSED_COPIES
    processes: Processes = CLOSED_PROCESSES

    def seen_by(self, identity: Identity, permission: Permission) -> Services:
        """The same services for one who asks under a permission: what he does not see is not there."""
        return self.sights.of(self, identity, permission)
