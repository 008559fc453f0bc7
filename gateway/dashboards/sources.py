"""The data sources that dashboards ask: which there are, and how Grafana is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.dashboards.panels import UID_PREFIX, DataSource, Model

LEDGER = DataSource("postgres", f"{UID_PREFIX}ledger")
RECORDS = DataSource("postgres", f"{UID_PREFIX}records")
READINGS = DataSource("prometheus", f"{UID_PREFIX}readings")
METRICS = DataSource("prometheus", f"{UID_PREFIX}metrics")
_TITLES = {LEDGER: "Ledger", RECORDS: "Records", READINGS: "Readings", METRICS: "Metrics"}


@dataclass(frozen=True, slots=True)
class Source:
    """A data source: where it is, what Grafana is told beside, and what it keeps to itself (`secret`).

    secret : by the name of Grafana; a value as it is, or in files what stands for it, such as `$__file{…}`.
    """

    of: DataSource
    url: str
    user: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)

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
            "basicAuth": False,
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
