"""The tables of all subjects, for migrations and for the test that compares them."""

from __future__ import annotations

from gateway.accounts.tables import (
    UserAccountRow,
    UserFailureRow,
    UserFlowRow,
    UserGrantRow,
    UserLinkRow,
    UserPasswordRow,
    UserRecoveryRow,
    UserSessionRow,
    UserSubjectRow,
    UserTokenRow,
)
from gateway.alerts.tables import AlarmMemberRow, AlarmMessageRow, AlarmRow, AlarmRulesRow, AlarmStepRow
from gateway.audit.tables import AuditHeadRow, AuditRow
from gateway.billing.tables import BillRow
from gateway.closing.tables import ClosingEntryRow, ClosingFigureRow, ClosingRow
from gateway.contracts.tables import (
    BaselineAdjustmentRow,
    BaselineRow,
    ContractRow,
    StatementRow,
    StatementStepRow,
    WeatherDayRow,
)
from gateway.duty.tables import DutyRosterRow
from gateway.findings.tables import FindingRow, LearntRow
from gateway.life.tables import MeterEventRow
from gateway.quotas.tables import QuotaCrossingRow, QuotaRow
from gateway.records.base import Base
from gateway.records.tables import AskedKeyRow, ChangeRow
from gateway.reporting.tables import FilingRow, FilingStepRow
from gateway.sites.tables import EdgeSiteRow, SiteFileRow, SiteRow
from gateway.stock.tables import StockMoveRow
from gateway.tariffs.tables import TariffRow

METADATA = Base.metadata
TABLES = (
    AlarmMemberRow,
    AlarmMessageRow,
    AlarmRow,
    AlarmRulesRow,
    AlarmStepRow,
    AskedKeyRow,
    AuditHeadRow,
    AuditRow,
    BaselineAdjustmentRow,
    BaselineRow,
    BillRow,
    ChangeRow,
    ClosingEntryRow,
    ClosingFigureRow,
    ClosingRow,
    FindingRow,
    DutyRosterRow,
    EdgeSiteRow,
    ContractRow,
    FilingRow,
    FilingStepRow,
    LearntRow,
    MeterEventRow,
    QuotaCrossingRow,
    QuotaRow,
    SiteFileRow,
    SiteRow,
    StatementRow,
    StatementStepRow,
    StockMoveRow,
    TariffRow,
    UserAccountRow,
    UserFailureRow,
    UserFlowRow,
    UserGrantRow,
    UserLinkRow,
    UserPasswordRow,
    UserRecoveryRow,
    UserSessionRow,
    UserSubjectRow,
    UserTokenRow,
    WeatherDayRow,
)
