"""What Grafana calls a dashboard: panels in a grid, each with what it asks a data source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from energy.names import Text

Model = dict[str, Any]
Language = Literal["zh", "en"]
# What is ours carries this tag, and a uid that begins so.
TAG, UID_PREFIX = "jieneng", "jieneng-"
_COLUMNS = 24
# The form of dashboards since Grafana 9.5; newer ones read it too.
_SCHEMA_VERSION = 38
_MIXED = {"type": "datasource", "uid": "-- Mixed --"}


@dataclass(frozen=True, slots=True)
class Words:
    """Chooses between what is said in both languages. A `$` would be a variable to Grafana."""

    language: Language

    def __call__(self, zh: str, en: str) -> str:
        return (zh if self.language == "zh" else en).replace("$", "＄")

    def name(self, text: Text) -> str:
        return self(text.zh, text.en or text.zh)


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data source as panels name it."""

    kind: Literal["postgres", "prometheus"]
    uid: str

    @property
    def reference(self) -> Model:
        return {"type": self.kind, "uid": self.uid}


@dataclass(frozen=True, slots=True)
class Question:
    """What a panel asks: SQL of PostgreSQL, or PromQL. `table` for rows that are no curve; `legend` of PromQL."""

    source: DataSource
    text: str
    table: bool = False
    legend: str = ""

    def model(self, ref: str) -> Model:
        told: Model = {"refId": ref, "datasource": self.source.reference}
        if self.source.kind == "postgres":
            shape = "table" if self.table else "time_series"
            return {**told, "rawSql": self.text, "format": shape, "rawQuery": True, "editorMode": "code"}
        shape = "table" if self.table else "time_series"
        kind = {"instant": True, "range": False} if self.table else {"instant": False, "range": True}
        return {**told, "expr": self.text, "format": shape, "legendFormat": self.legend, "editorMode": "code", **kind}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel before it has its place; `unit` is written behind numbers, or it is Grafana's own `percentunit`."""

    title: str
    kind: Literal["timeseries", "stat", "table"]
    questions: Sequence[Question]
    unit: str = ""
    note: str = ""
    width: int = 12
    height: int = 8
    custom: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def model(self, number: int, x: int, y: int) -> Model:
        sources = [q.source for q in self.questions]
        defaults: Model = {"custom": dict(self.custom)}
        if self.unit:
            defaults["unit"] = self.unit if self.unit == "percentunit" else f"suffix: {self.unit}"
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.note,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "datasource": sources[0].reference if len(set(sources)) == 1 else _MIXED,
            "targets": [q.model(chr(ord("A") + i)) for i, q in enumerate(self.questions)],
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": dict(self.options),
        }


@dataclass(frozen=True, slots=True)
class Variable:
    """What is chosen above a dashboard, out of what a data source lists."""

    name: str
    label: str
    source: DataSource
    query: str

    def model(self) -> Model:
        asked: Any = self.query
        if self.source.kind == "prometheus":
            asked = {"query": self.query, "refId": f"jieneng-{self.name}"}
        return {
            "name": self.name, "label": self.label, "type": "query", "datasource": self.source.reference,
            "query": asked, "definition": self.query, "refresh": 1, "sort": 1, "multi": False, "includeAll": False,
        }  # fmt: skip


BARS = {"drawStyle": "bars", "fillOpacity": 80, "stacking": {"mode": "normal", "group": "A"}}
FILLED = {"drawStyle": "line", "fillOpacity": 60, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
LINE = {"drawStyle": "line", "fillOpacity": 0, "spanNulls": False}
LAST = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}


def uid_of(kind: str, *ids: str) -> str:
    """A uid that stays the same as long as the ids do; Grafana takes 40 characters.

    >>> uid_of("campus", "court", "place/hall")
    'jieneng-campus-3601101358401a7a'
    """
    return f"{UID_PREFIX}{kind}-{hashlib.sha256('/'.join(ids).encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a site's dashboards."""

    site: str
    title: str

    @property
    def uid(self) -> str:
        return uid_of("folder", self.site)

    @classmethod
    def of(cls, site: str, name: Text, words: Words) -> Folder:
        return cls(site, words("节能：", "Jieneng: ") + words.name(name))


def site_tag(site: str) -> str:
    """The tag of all dashboards of a site."""
    return f"jieneng-site-{site}"


def dashboard(
    uid: str, title: str, site: str, zone: str, panels: Sequence[Panel], *,
    variables: Sequence[Variable] = (), links: Sequence[tuple[str, str]] = (), since: str = "now-7d", note: str = "",
) -> Model:  # fmt: skip
    """A dashboard; `links` are titles and uids of others, `since` where its time begins that is shown first."""
    return {
        "uid": uid,
        "title": title,
        "description": note,
        "tags": [TAG, site_tag(site)],
        "timezone": zone,
        "schemaVersion": _SCHEMA_VERSION,
        "editable": True,
        "refresh": "",
        "time": {"from": since, "to": "now/y" if since == "now/y" else "now"},
        "templating": {"list": [v.model() for v in variables]},
        "annotations": {"list": []},
        "links": [_link(name, to) for name, to in links],
        "panels": _placed(panels),
    }


def _link(title: str, uid: str) -> Model:
    return {"type": "link", "title": title, "url": f"/d/{uid}", "keepTime": True, "tags": [], "targetBlank": False}


def _placed(panels: Sequence[Panel]) -> list[Model]:
    """From left to right, in rows as high as the highest in them."""
    made: list[Model] = []
    x = y = height = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _COLUMNS:
            x, y, height = 0, y + height, 0
        made.append(panel.model(number, x, y))
        x, height = x + panel.width, max(height, panel.height)
    return made
