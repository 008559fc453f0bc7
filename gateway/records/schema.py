"""The tables of all subjects, for migrations and for the test that compares them."""

from __future__ import annotations

from gateway.accounts.tables import (
    UserAccountRow,
    UserFailureRow,
    UserGrantRow,
    UserLinkRow,
    UserPasswordRow,
    UserRecoveryRow,
    UserSessionRow,
    UserTokenRow,
)
from gateway.audit.tables import AuditHeadRow, AuditRow
from gateway.billing.tables import BillRow
from gateway.closing.tables import ClosingEntryRow, ClosingFigureRow, ClosingRow
from gateway.life.tables import MeterEventRow
from gateway.records.base import Base
from gateway.records.tables import ChangeRow
from gateway.reporting.tables import FilingRow, FilingStepRow
from gateway.sites.tables import SiteRow
from gateway.stock.tables import StockMoveRow
from gateway.tariffs.tables import TariffRow

METADATA = Base.metadata
TABLES = (
    AuditHeadRow,
    AuditRow,
    BillRow,
    ChangeRow,
    ClosingEntryRow,
    ClosingFigureRow,
    ClosingRow,
    FilingRow,
    FilingStepRow,
    MeterEventRow,
    SiteRow,
    StockMoveRow,
    TariffRow,
    UserAccountRow,
    UserFailureRow,
    UserGrantRow,
    UserLinkRow,
    UserPasswordRow,
    UserRecoveryRow,
    UserSessionRow,
    UserTokenRow,
)
