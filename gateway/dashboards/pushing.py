"""Putting dashboards into a running Grafana, over nothing that somebody else made or changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.grafana_server import ChangedMeanwhile, GrafanaServer
from gateway.dashboards.marks import Fate, fate, is_ours
from gateway.dashboards.panels import TAG, Folder, Model, site_tag
from gateway.dashboards.sources import Source

_MARK = "jieneng"
_DOING = (Fate.NEW, Fate.RENEWED, Fate.FORCED)
# Grafana calls the plugin so since 10.3, and knows it by the old name too.
_ALIASES = {"grafana-postgresql-datasource": "postgres"}


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one thing; `why` where it was left alone."""

    what: str
    title: str
    uid: str
    fate: Fate
    why: str = ""

    @property
    def left_alone(self) -> bool:
        return self.fate in (Fate.CHANGED, Fate.FOREIGN)


@dataclass(frozen=True, slots=True)
class Pushing:
    """Brings a Grafana up to date. dry : only tell. force : replace what somebody changed of ours."""

    grafana: GrafanaServer
    dry: bool = False
    force: bool = False

    def push(self, folder: Folder, models: Sequence[Model], sources: Sequence[Source]) -> Iterator[Done]:
        """Data sources, then dashboards, then those of what is no more; told as it happens."""
        yield from self._sources(sources)
        if not self.dry and models and not self.grafana.has_folder(folder.uid):
            self.grafana.make_folder(folder.uid, folder.title)
        for model in models:
            yield self._dashboard(model, folder)
        wanted = {model["uid"] for model in models}
        for uid in sorted(set(self.grafana.dashboards(TAG)) - wanted):
            yield from self._stale(uid, folder.site)

    def _dashboard(self, model: Model, folder: Folder) -> Done:
        kept = self.grafana.dashboard(model["uid"])
        there = None if kept is None else kept.model
        found = fate(there, model, force=self.force)
        done = Done("dashboard", model["title"], model["uid"], found)
        if kept is not None and kept.provisioned:
            return Done("dashboard", model["title"], model["uid"], Fate.FOREIGN, "it comes from provisioning files")
        if self.dry or found in (Fate.SAME, Fate.CHANGED, Fate.FOREIGN):
            return done
        try:
            version = None if there is None else int(there["version"])
            # Where somebody moved it, it stays.
            self.grafana.save(model, folder.uid if kept is None else kept.folder, version)
        except ChangedMeanwhile as error:
            return Done(done.what, done.title, done.uid, Fate.CHANGED, str(error))
        return done

    def _stale(self, uid: str, site: str) -> Iterator[Done]:
        """A dashboard of a node that is no more, of this site, deleted if nobody changed it."""
        kept = self.grafana.dashboard(uid)
        if kept is None or not is_ours(kept.model) or site_tag(site) not in kept.model["tags"] or kept.provisioned:
            return
        found = fate(kept.model, None, force=self.force)
        if found is Fate.GONE and not self.dry:
            self.grafana.delete(uid)
        yield Done("dashboard", str(kept.model.get("title", "")), uid, found)

    # -- data sources ---------------------------------------------------------------------------------------------

    def _sources(self, sources: Sequence[Source]) -> Iterator[Done]:
        judged = [(source, *self._judged(source)) for source in sources]
        if self.dry:
            yield from (_told(source, found) for source, found, _ in judged)
            return
        # Before anything is changed: a file with a password that is missing is told while nothing is half done.
        bodies = [_body(source) if found in _DOING else {} for source, found, _ in judged]
        for (source, found, there), body in zip(judged, bodies, strict=True):
            yield self._put(source, found, there, body)

    def _judged(self, source: Source) -> tuple[Fate, Model | None]:
        """What is to become of a data source, and what is there of it."""
        there = self.grafana.data_source(source.of.uid)
        if there is None:
            return Fate.NEW, None
        mark, wanted = (there.get("jsonData") or {}).get(_MARK), _mark(source.model)
        if self.force:
            return Fate.FORCED, there
        if mark is None or mark != _mark({name: there.get(name) for name in source.model}):
            return Fate.CHANGED, there
        return (Fate.SAME if mark == wanted else Fate.RENEWED), there

    def _put(self, source: Source, found: Fate, there: Model | None, body: Model) -> Done:
        try:
            if there is None:
                self.grafana.create_data_source(body)
            elif body:
                self.grafana.update_data_source(source.of.uid, {**body, "version": there.get("version", 1)})
        except ChangedMeanwhile as error:
            return _told(source, Fate.CHANGED, str(error))
        return _told(source, found)


def _told(source: Source, found: Fate, why: str = "") -> Done:
    return Done("data source", str(source.model["name"]), source.of.uid, found, why)


def _body(source: Source) -> Model:
    """A data source as it is sent, with its mark and its secrets."""
    model = source.model
    marked = {**model, "jsonData": {**model["jsonData"], _MARK: _mark(model)}}
    return {**marked, "secureJsonData": {name: secret.read() for name, secret in source.secret.items()}}


def _mark(model: Model) -> str:
    """A digest of what a data source says, without its secrets; what is empty may be left out."""
    told: dict[str, Any] = {name: value for name, value in (model["jsonData"] or {}).items() if name != _MARK}
    kind = _ALIASES.get(model["type"], model["type"])
    plain = {name: value for name, value in {**model, "jsonData": told, "type": kind}.items() if value}
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:32]
