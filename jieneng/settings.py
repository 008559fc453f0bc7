"""Settings of the processes: a YAML file, options of the command line above it, defaults below it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from adapters.outbox_sqlite import LIMIT_BYTES, LIMIT_DAYS, WhenFull
from adapters.scalars import Id
from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError

BROKER_PORT = 18830
# Days of the audit log: half a year at least (网络安全法, article 21).
LEAST_DAYS, KEPT_DAYS = 180, 365
LEAST_OUTBOX_BYTES = 1_000_000


def _listening(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be of the form HOST:PORT, such as 127.0.0.1:8080")
    return text


class SettingsWords(Words):
    """What may stand in a settings file."""

    site: str | None = None
    data: str | None = None
    edge: Id | None = None
    bus: str | None = None
    broker_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    store: str | None = None
    records: str | None = None
    listen: Annotated[str, AfterValidator(_listening)] | None = None
    clock: str | None = None
    accounts: Literal["required", "off"] | None = None
    behind_tls: bool | None = None
    token_file: str | None = None
    meter_clock_s: Annotated[int, Field(ge=1)] | None = None
    audit_days: Annotated[int, Field(ge=LEAST_DAYS)] | None = None
    audit_folder: str | None = None
    password_days: Annotated[int, Field(ge=1)] | None = None
    providers: str | None = None
    channels: str | None = None
    outbox_bytes: Annotated[int, Field(ge=LEAST_OUTBOX_BYTES)] | None = None
    outbox_days: Annotated[int, Field(ge=1)] | None = None
    outbox_when_full: WhenFull | None = None
    history_bytes_per_s: Annotated[int, Field(ge=1000)] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is. `bus` is `embedded` for the broker that `run` starts.

    accounts : `required`, or `off` where whoever reaches the gateway is `local`. behind_tls : a proxy with TLS stands
    before it. token_file : holds the token that commands show to a running gateway. audit_folder : of key and head of
    the audit log, where these lie neither beside the records nor in `data`. outbox_bytes, outbox_days : how much an
    edge holds that the gateway has not stored, and for how long; outbox_when_full : `thin` the old and then drop the
    oldest, or `stop` reading. history_bytes_per_s : what may go out of what has waited; None for as much as is answered
    promptly.
    """

    site: Path | None = None
    data: Path = Path("var")
    edge: str = "edge"
    bus: str = "embedded"
    broker_port: int = BROKER_PORT
    store: str = ""
    records: str = ""
    listen: str = "127.0.0.1:8080"
    clock: str = "system"
    accounts: str = "required"
    behind_tls: bool = False
    token_file: Path | None = None
    meter_clock_s: int = 300
    audit_days: int = KEPT_DAYS
    audit_folder: Path | None = None
    password_days: int | None = None
    providers: Path | None = None
    channels: Path | None = None
    outbox_bytes: int = LIMIT_BYTES
    outbox_days: int = LIMIT_DAYS
    outbox_when_full: WhenFull = "thin"
    history_bytes_per_s: int | None = None

    @property
    def bus_address(self) -> str:
        return f"mqtt://127.0.0.1:{self.broker_port}" if self.bus == "embedded" else self.bus

    @property
    def store_address(self) -> str:
        return self.store or f"duckdb:{self.data / 'readings.duckdb'}"

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
    def host_and_port(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

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
        for name in ("site", "data", "token_file", "audit_folder", "channels", "providers"):
            if name in given:
                given[name] = file.parent / given[name]
        settings = replace(settings, **given)
    chosen = {name: value for name, value in options.items() if value is not None}
    if "listen" in chosen:
        try:
            _listening(chosen["listen"])
        except ValueError as error:
            raise ConfigurationError([f"--listen {chosen['listen']}: {error}"]) from error
    return replace(settings, **chosen)
