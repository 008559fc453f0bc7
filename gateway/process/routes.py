"""Everything that the API answers, subject by subject."""

from __future__ import annotations

from gateway.accounts.openid_routes import ROUTES as OPENID_ROUTES
from gateway.accounts.routes import ROUTES as ACCOUNTS_ROUTES
from gateway.alerts.routes import ROUTES as ALERTS_ROUTES
from gateway.api.route import Route
from gateway.audit.routes import ROUTES as AUDIT_ROUTES
from gateway.backups.routes import ROUTES as BACKUPS_ROUTES
from gateway.billing.routes import ROUTES as BILLING_ROUTES
from gateway.closing.routes import ROUTES as CLOSING_ROUTES
from gateway.contracts.routes import ROUTES as CONTRACTS_ROUTES
from gateway.duty.routes import ROUTES as DUTY_ROUTES
from gateway.edges.routes import ROUTES as EDGES_ROUTES
from gateway.findings.routes import ROUTES as FINDINGS_ROUTES
from gateway.ingest.routes import ROUTES as INGEST_ROUTES
from gateway.ledger.routes import ROUTES as LEDGER_ROUTES
from gateway.life.routes import ROUTES as LIFE_ROUTES
from gateway.live.routes import ROUTES as LIVE_ROUTES
from gateway.overview.routes import ROUTES as OVERVIEW_ROUTES
from gateway.quotas.routes import ROUTES as QUOTAS_ROUTES
from gateway.reporting.routes import ROUTES as REPORTING_ROUTES
from gateway.services import Services
from gateway.sites.administration import ROUTES as ADMINISTRATION_ROUTES
from gateway.sites.routes import ROUTES as SITES_ROUTES
from gateway.stock.routes import ROUTES as STOCK_ROUTES
from gateway.tariffs.routes import ROUTES as TARIFFS_ROUTES

ROUTES: tuple[Route[Services], ...] = (
    *ACCOUNTS_ROUTES,
    *OPENID_ROUTES,
    *SITES_ROUTES,
    *ADMINISTRATION_ROUTES,
    *LIVE_ROUTES,
    *EDGES_ROUTES,
    *INGEST_ROUTES,
    *LIFE_ROUTES,
    *LEDGER_ROUTES,
    *TARIFFS_ROUTES,
    *BILLING_ROUTES,
    *STOCK_ROUTES,
    *CLOSING_ROUTES,
    *OVERVIEW_ROUTES,
    *FINDINGS_ROUTES,
    *QUOTAS_ROUTES,
    *CONTRACTS_ROUTES,
    *REPORTING_ROUTES,
    *AUDIT_ROUTES,
    *BACKUPS_ROUTES,
    *ALERTS_ROUTES,
    *DUTY_ROUTES,
)
