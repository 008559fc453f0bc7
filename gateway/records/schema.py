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
from gateway.alerts.tables import AlarmMemberRow, AlarmMessageRow, AlarmRow, AlarmRulesRow, AlarmStepRow
from gateway.audit.tables import AuditHeadRow, AuditRow
from gateway.billing.tables import BillRow
from gateway.closing.tables import ClosingEntryRow, ClosingFigureRow, ClosingRow
from gateway.duty.tables import DutyRosterRow
from gateway.life.tables import MeterEventRow
from gateway.records.base import Base
from gateway.records.tables import ChangeRow
from gateway.sites.tables import SiteRow
from gateway.stock.tables import StockMoveRow
from gateway.tariffs.tables import TariffRow

METADATA = Base.metadata
TABLES = (
    AlarmMemberRow,
    AlarmMessageRow,
    AlarmRow,
    AlarmRulesRow,
    AlarmStepRow,
    AuditHeadRow,
    AuditRow,
    BillRow,
    ChangeRow,
    ClosingEntryRow,
    ClosingFigureRow,
    ClosingRow,
    DutyRosterRow,
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
