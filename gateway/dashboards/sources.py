"""The data sources that dashboards ask: which there are, and how Grafana is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from energy.errors import EnergyError
from gateway.dashboards.panels import UID_PREFIX, DataSource, Model

LEDGER = DataSource("postgres", f"{UID_PREFIX}ledger")
RECORDS = DataSource("postgres", f"{UID_PREFIX}records")
READINGS = DataSource("prometheus", f"{UID_PREFIX}readings")
METRICS = DataSource("prometheus", f"{UID_PREFIX}metrics")
_TITLES = {LEDGER: "Ledger", RECORDS: "Records", READINGS: "Readings", METRICS: "Metrics"}


@dataclass(frozen=True, slots=True)
class Secret:
    """What a file holds, after a word such as `Bearer `; never a part of what is written here."""

    file: str
    before: str = ""

    @property
    def in_files(self) -> str:
        """How Grafana reads it itself, where the same file lies on its machine."""
        return f"{self.before}$__file{{{self.file}}}"

    def read(self) -> str:
        try:
            return self.before + Path(self.file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise EnergyError(f"{self.file}: cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Source:
    """A data source: where it is, what Grafana is told beside, and what it keeps to itself (`secret`).

    secret : by the name that Grafana has for it. basic_user : who is named by HTTP, where somebody is.
    """

    of: DataSource
    url: str
    user: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    secret: Mapping[str, Secret] = field(default_factory=dict)
    basic_user: str = ""

    @property
    def model(self) -> Model:
        """As the HTTP API takes it."""
        return {
            "uid": self.of.uid,
            "name": f"Jieneng {_TITLES[self.of]}",
            "type": self.of.kind,
            "access": "proxy",
            "url": self.url,
            "user": self.user,
            "basicAuth": bool(self.basic_user),
            "basicAuthUser": self.basic_user,
            "isDefault": False,
            "jsonData": dict(self.told),
        }


@dataclass(frozen=True, slots=True)
class Sources:
    """The data sources of an installation; `series` is how the names of the series of readings begin.

    missing : what is not shown, and why, in words.
    """

    all: tuple[Source, ...]
    series: str = "jieneng"
    missing: tuple[str, ...] = ()

    def has(self, source: DataSource) -> bool:
        return any(one.of == source for one in self.all)
