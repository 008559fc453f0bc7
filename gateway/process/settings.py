"""What a gateway process runs on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.addresses import store_file
from adapters.channel_files import LOG_ONLY, Channels
from adapters.mapping_files import MappingFile
from adapters.registers_recent import REMEMBERED_MB
from energy.sites import Site
from gateway.accounts.service import AccountRules
from gateway.audit.service import KEPT_DAYS
from gateway.process.role_names import ROLES, RoleName


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What a gateway runs on."""

    site: Site
    bus: str
    store: str
    quarantine: Path
    records: str
    factors: Path
    contract_rules: Path
    statistics: Path
    host: str = "127.0.0.1"
    port: int = 8080
    client_id: str = "jieneng-gateway"
    key: Path = Path("secret.key")
    accounts_required: bool = True
    behind_tls: bool = False
    account_rules: AccountRules = field(default_factory=AccountRules)
    audit_days: int = KEPT_DAYS
    meter_clock_s: int = 300
    audit: Path | None = None
    """Where key and head of the audit log lie, if not beside the records or in the folder of `key`."""
    calendars: tuple[Path, ...] = ()
    # Files of quota standards, and of what forecasts missed before.
    quota_standards: tuple[Path, ...] = ()
    forecast_misses: Path | None = None
    channels: Channels = LOG_ONLY
    # A database of its own for the ledger, if it does not lie in the file of the readings.
    ledger: str | None = None
    # How much memory registers of the last weeks may take, beside such a ledger.
    ledger_memory_mb: int = REMEMBERED_MB
    # The folder that tells who may come to the broker, and holds the key by which the site files of edges are signed.
    identities: Path | None = None
    # The edge of the lines that name none.
    edge: str = "edge"
    mappings: tuple[MappingFile, ...] = ()
    # By which a program may fetch /metrics from another machine, and nothing else.
    metrics_token: str | None = field(default=None, repr=False)
    # What this process is there for; with all of it, it is alone. What it is called, which no other one is.
    roles: tuple[RoleName, ...] = ROLES
    name: str = "gateway"

    @property
    def is_alone(self) -> bool:
        """Whether this process is the gateway, and not one of several."""
        return set(self.roles) == set(ROLES)

    @property
    def client(self) -> str:
        """As what it comes to the broker."""
        return self.client_id if self.is_alone else f"{self.client_id}-{self.name}"

    @property
    def store_file(self) -> Path | None:
        return store_file(self.store)
