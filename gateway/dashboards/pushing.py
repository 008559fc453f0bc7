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
        for source in sources:
            yield self._source(source, self.grafana.data_source(source.of.uid))

    def _source(self, source: Source, there: Model | None) -> Done:
        model = _marked(source.model)
        found = Fate.NEW
        if there is not None:
            told = dict(there.get("jsonData") or {})
            kept: Model = {**{name: there.get(name) for name in model}, "jsonData": told}
            mark = told.get(_MARK)
            untouched = mark is not None and _marked(kept)["jsonData"][_MARK] == mark
            same = mark == model["jsonData"][_MARK]
            found = (Fate.SAME if same else Fate.RENEWED) if untouched else Fate.CHANGED
            found = Fate.FORCED if self.force else found
        done = Done("data source", model["name"], model["uid"], found)
        if self.dry or found in (Fate.SAME, Fate.CHANGED):
            return done
        body = {**model, "secureJsonData": {name: secret.read() for name, secret in source.secret.items()}}
        try:
            if there is None:
                self.grafana.create_data_source(body)
            else:
                self.grafana.update_data_source(source.of.uid, {**body, "version": there.get("version", 1)})
        except ChangedMeanwhile as error:
            return Done(done.what, done.title, done.uid, Fate.CHANGED, str(error))
        return done


def _marked(model: Model) -> Model:
    """The data source with the mark of what it says, without its secrets."""
    told: dict[str, Any] = {name: value for name, value in model["jsonData"].items() if name != _MARK}
    plain = {**model, "jsonData": told}
    mark = hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:32]
    return {**plain, "jsonData": {**told, _MARK: mark}}
