"""Settings of the processes: a YAML file, options of the command line above it, defaults below it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from adapters.outbox_bounds import LIMIT_BYTES, LIMIT_DAYS, WhenFull
from adapters.registers_recent import REMEMBERED_MB
from adapters.scalars import Id
from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError, EnergyError
from gateway.process.role_names import ROLES, RoleName
from jieneng.roles import process_name, roles_of

BROKER_PORT = 18830
LOOPBACK = "127.0.0.1"
# Days of the audit log: half a year at least (网络安全法, article 21).
LEAST_DAYS, KEPT_DAYS = 180, 365
LEAST_OUTBOX_BYTES = 1_000_000
LEAST_TOKEN = 20
# Who says more than 1 TB has counted in another unit.
MOST_MEMORY_MB = 1_000_000


def _listening(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be of the form HOST:PORT, such as 127.0.0.1:8080")
    return text


def _roles(text: str) -> str:
    roles_of(text)
    return text


def _listening_here(text: str) -> str:
    """A port alone is one of this machine."""
    return _listening(f"{LOOPBACK}:{text}" if text.isdigit() else text)


_FILES = (
    "site", "data", "token_file", "metrics_token_file", "audit_folder", "channels", "providers", "identity", "mappings",
)  # fmt: skip
_ADDRESSES = {"listen": _listening, "broker_listen": _listening, "listen_health": _listening_here}


class SettingsWords(Words):
    """What may stand in a settings file."""

    site: str | None = None
    data: str | None = None
    edge: Id | None = None
    bus: str | None = None
    broker_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    broker_listen: Annotated[str, AfterValidator(_listening)] | None = None
    identity: str | None = None
    store: str | None = None
    ledger: str | None = None
    ledger_memory_mb: Annotated[int, Field(ge=0, le=MOST_MEMORY_MB)] | None = None
    records: str | None = None
    listen: Annotated[str, AfterValidator(_listening)] | None = None
    roles: Annotated[str, AfterValidator(_roles)] | None = None
    name: Id | None = None
    clock: str | None = None
    accounts: Literal["required", "off"] | None = None
    behind_tls: bool | None = None
    token_file: str | None = None
    metrics_token_file: str | None = None
    meter_clock_s: Annotated[int, Field(ge=1)] | None = None
    audit_days: Annotated[int, Field(ge=LEAST_DAYS)] | None = None
    audit_folder: str | None = None
    password_days: Annotated[int, Field(ge=1)] | None = None
    providers: str | None = None
    channels: str | None = None
    mappings: str | None = None
    outbox_bytes: Annotated[int, Field(ge=LEAST_OUTBOX_BYTES)] | None = None
    outbox_days: Annotated[int, Field(ge=1)] | None = None
    outbox_when_full: WhenFull | None = None
    history_bytes_per_s: Annotated[int, Field(ge=1000)] | None = None
    listen_health: Annotated[str, AfterValidator(_listening_here)] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is. `bus` is `embedded` for the broker that `run` starts; `ledger` is None where it lies in the
    file of the readings.

    ledger_memory_mb : how much memory the registers of the last weeks may take, where the ledger has a database of its
    own. accounts : `required`, or `off` where whoever reaches the gateway is `local`. behind_tls : a proxy with TLS
    stands before it. token_file : holds the token that commands show to a running gateway, metrics_token_file the one
    by which /metrics, and nothing else, may be fetched from another machine. audit_folder : of key and head of the
    audit log, where these lie neither beside the records nor in `data`. outbox_bytes, outbox_days : how much an edge
    holds that the gateway has not stored, and for how long; outbox_when_full : `thin` the old and then drop the oldest,
    or `stop` reading. history_bytes_per_s : what may go out of what has waited; None for as much as is answered
    promptly. broker_listen : where the embedded broker listens by TLS, beyond this machine too; without it on loopback
    at `broker_port`. identity : the folder made by `jieneng edge enroll` with which this process comes to its broker.
    mappings : the folder of mapping files. listen_health : where an edge tells how it is; None: nowhere. roles : what a
    gateway process is there for, `ingest,jobs,api` where it is alone. name : what it is called among several; None for
    its machine's name with its roles.
    """

    site: Path | None = None
    data: Path = Path("var")
    edge: str = "edge"
    bus: str = "embedded"
    broker_port: int = BROKER_PORT
    broker_listen: str | None = None
    identity: Path | None = None
    store: str = ""
    ledger: str | None = None
    ledger_memory_mb: int = REMEMBERED_MB
    records: str = ""
    listen: str = "127.0.0.1:8080"
    roles: str = ",".join(ROLES)
    name: str | None = None
    clock: str = "system"
    accounts: str = "required"
    behind_tls: bool = False
    token_file: Path | None = None
    metrics_token_file: Path | None = None
    meter_clock_s: int = 300
    audit_days: int = KEPT_DAYS
    audit_folder: Path | None = None
    password_days: int | None = None
    providers: Path | None = None
    channels: Path | None = None
    mappings: Path | None = None
    outbox_bytes: int = LIMIT_BYTES
    outbox_days: int = LIMIT_DAYS
    outbox_when_full: WhenFull = "thin"
    history_bytes_per_s: int | None = None
    listen_health: str | None = None

    @property
    def bus_address(self) -> str:
        """Where the broker is, without as whom one comes."""
        if self.bus != "embedded":
            return self.bus
        if self.broker_listen is None:
            return f"mqtt://{LOOPBACK}:{self.broker_port}"
        host, port = self.broker_at
        return f"mqtts://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def broker_at(self) -> tuple[str, int]:
        """Where the embedded broker is reached from this machine."""
        host, port = self.broker_listens
        return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host), port  # noqa: S104 - where it is called

    @property
    def broker_listens(self) -> tuple[str, int]:
        """Host and port of the embedded broker."""
        if self.broker_listen is None:
            return LOOPBACK, self.broker_port
        host, _, port = self.broker_listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def identities(self) -> Path:
        """The folder that tells who may come to the broker."""
        return self.data / "identities"

    def identity_of(self, name: str) -> Path:
        """The folder with which a process of this machine comes to its broker as `name`; there may be none."""
        return self.identity or self.identities / "own" / name

    @property
    def checking_keys(self) -> list[Path]:
        """The folders in which the edge finds the key of its gateway: its own one, else that of a gateway here."""
        return [self.identity_of(self.edge), self.identities / "keys"]

    def bus_of(self, name: str) -> str:
        """The address of the broker for who comes as `name`; secrets stay in the files that it names."""
        # Certificates take long to import, and most commands need none.
        from adapters.identity_folders import with_identity

        return with_identity(self.bus_address, self.identity_of(name), name)

    @property
    def gateway_roles(self) -> tuple[RoleName, ...]:
        return roles_of(self.roles)

    @property
    def process_name(self) -> str:
        """What a gateway process is called."""
        return process_name(self.name, self.gateway_roles)

    @property
    def store_address(self) -> str:
        if self.store.startswith("victoria+") and "journal=" not in self.store:
            journal = self.data / "victoria"
            if set(self.gateway_roles) != set(ROLES):
                # Each process has its own, also where several share a folder.
                journal /= self.process_name
            return f"{self.store}{'&' if '?' in self.store else '?'}journal={journal}"
        return self.store or f"duckdb:{self.data / 'readings.duckdb'}"

    @property
    def stores(self) -> tuple[str, str | None]:
        """Where the readings and the ledger are; the latter is None where it lies in the file of the readings."""
        return self.store_address, self.ledger

    @property
    def records_address(self) -> str:
        return self.records or f"sqlite:{self.data / 'records.sqlite'}"

    @property
    def of_records(self) -> tuple[str, Path, Path | None]:
        """What `open_records` needs to know."""
        return self.records_address, self.data, self.audit_folder

    @property
    def has_records(self) -> bool:
        """Whether there are records, so that asking for them makes none."""
        kind, _, file = self.records_address.partition(":")
        return kind != "sqlite" or Path(file).exists()

    @property
    def key(self) -> Path:
        return self.data / "secret.key"

    @property
    def mappings_folder(self) -> Path | None:
        """The folder of mapping files: the one named, else `mappings` of the data folder if it is there."""
        if self.mappings is not None:
            return self.mappings
        return self.data / "mappings" if (self.data / "mappings").is_dir() else None

    @property
    def host_and_port(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    @property
    def metrics_token(self) -> str | None:
        """What stands in metrics_token_file; EnergyError where that could be guessed, or is read by others."""
        if self.metrics_token_file is None:
            return None
        from adapters.secret_files import read_secret

        token = read_secret(self.metrics_token_file).decode(errors="replace").strip()
        if len(token) < LEAST_TOKEN:
            raise EnergyError(
                f"{self.metrics_token_file}: a token has {LEAST_TOKEN} characters at least; "
                "jieneng prepare --password FILE makes one where there is none"
            )
        return token

    @property
    def health_host_and_port(self) -> tuple[str, int] | None:
        """Where an edge tells how it is."""
        if self.listen_health is None:
            return None
        host, _, port = self.listen_health.rpartition(":")
        return host.strip("[]"), int(port)

    def site_file(self) -> Path:
        if self.site is None:
            raise ConfigurationError(["no site is given: name its file with --site, or under `site:` in the settings"])
        return self.site


def load_settings(file: Path | None, **options: Any) -> Settings:
    """Settings from a file and from options, which win; paths in a file are relative to it."""
    settings = Settings()
    if file is not None:
        words = checked(open_document(file), SettingsWords)
        given = {name: value for name, value in words.model_dump().items() if value is not None}
        for name in _FILES:
            if name in given:
                given[name] = file.parent / given[name]
        settings = replace(settings, **given)
    chosen = {name: value for name, value in options.items() if value is not None}
    for name, read in _ADDRESSES.items():
        try:
            chosen.update({name: read(chosen[name])} if name in chosen else {})
        except ValueError as error:
            raise ConfigurationError([f"--{name.replace('_', '-')} {chosen[name]}: {error}"]) from error
    try:
        roles_of(chosen.get("roles", settings.roles))
    except ValueError as error:
        raise ConfigurationError([f"--roles {chosen['roles']}: {error}"]) from error
    return replace(settings, **chosen)
