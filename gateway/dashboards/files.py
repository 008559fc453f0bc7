"""Dashboards and data sources as files that Grafana is provisioned by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from energy.errors import EnergyError
from gateway.dashboards.marks import Fate, fate, is_ours
from gateway.dashboards.panels import UID_PREFIX, Folder, Model
from gateway.dashboards.pushing import Done
from gateway.dashboards.sources import Source

_HEAD = "# Made by `jieneng grafana files`; changes are lost when it is called again.\n"
_NAME = "jieneng"


@dataclass(frozen=True, slots=True)
class Files:
    """A folder laid out as /etc/grafana/provisioning is, which is where Grafana sees it (`mounted`)."""

    into: Path
    mounted: str = "/etc/grafana/provisioning"
    dry: bool = False
    force: bool = False

    def write(self, folder: Folder, models: Sequence[Model], sources: Sequence[Source]) -> Iterator[Done]:
        yield self._yaml("datasources", {"apiVersion": 1, "datasources": [_provisioned(s) for s in sources]})
        provider = {
            "name": _NAME, "folder": folder.title, "folderUid": folder.uid, "type": "file", "disableDeletion": False,
            "allowUiUpdates": False, "options": {"path": f"{self.mounted.rstrip('/')}/dashboards/{_NAME}"},
        }  # fmt: skip
        yield self._yaml("dashboards", {"apiVersion": 1, "providers": [provider]})
        for model in models:
            yield self._dashboard(model)
        wanted = {f"{model['uid']}.json" for model in models}
        for file in sorted(self._folder.glob(f"{UID_PREFIX}*.json")):
            if file.name not in wanted:
                yield from self._stale(file)

    @property
    def _folder(self) -> Path:
        return self.into / "dashboards" / _NAME

    def _yaml(self, kind: str, told: Any) -> Done:
        file = self.into / kind / f"{_NAME}.yaml"
        text = _HEAD + yaml.safe_dump(told, allow_unicode=True, sort_keys=False)
        there = file.read_text(encoding="utf-8") if file.exists() else None
        if there is None or there == text:
            found = Fate.NEW if there is None else Fate.SAME
        elif there.startswith(_HEAD):
            found = Fate.RENEWED
        else:
            found = Fate.FORCED if self.force else Fate.FOREIGN
        self._put(file, text, found)
        return Done("file", kind, str(file), found)

    def _dashboard(self, model: Model) -> Done:
        file = self._folder / f"{model['uid']}.json"
        found = fate(_read(file), model, force=self.force)
        self._put(file, json.dumps(model, ensure_ascii=False, indent=1) + "\n", found)
        return Done("dashboard", model["title"], model["uid"], found)

    def _stale(self, file: Path) -> Iterator[Done]:
        there = _read(file)
        if there is not None and is_ours(there):
            found = fate(there, None, force=self.force)
            if found is Fate.GONE and not self.dry:
                file.unlink()
            yield Done("dashboard", str(there.get("title", "")), str(there["uid"]), found)

    def _put(self, file: Path, text: str, found: Fate) -> None:
        if not self.dry and found in (Fate.NEW, Fate.RENEWED, Fate.FORCED):
            write_whole(file, text)


def write_whole(file: Path, text: str) -> None:
    """Put a text in the place of what was there; Grafana reads all the time, and looks at no `.new`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def _read(file: Path) -> Model | None:
    if not file.exists():
        return None
    try:
        made: Model = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EnergyError(f"{file}: is no JSON: {error}; delete it, and it is made again") from error
    return made


def _provisioned(source: Source) -> Model:
    model = source.model
    told = {name: value for name, value in model.items() if value not in ("", None)}
    secrets = {name: secret.in_files for name, secret in source.secret.items()}
    return {**told, "editable": False, **({"secureJsonData": secrets} if secrets else {})}
