"""The mark by which what was written here, and changed by nobody since, is known again."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Any

import msgspec

from gateway.dashboards.panels import TAG, UID_PREFIX, Model

_MARK = re.compile(r"\s*\[jieneng:([0-9a-f]{32})\]$")
# What Grafana puts into a dashboard by itself when it keeps one.
_OF_GRAFANA = ("id", "version")


class Fate(StrEnum):
    """What becomes of a dashboard: made, left as it is, renewed, or left alone since somebody changed it."""

    NEW = "new"
    SAME = "same"
    RENEWED = "renewed"
    GONE = "gone"
    CHANGED = "changed by somebody"
    FOREIGN = "not ours"
    FORCED = "replaced by force"


def marked(model: Model) -> Model:
    """The dashboard with the mark of what it says, at the end of its description."""
    plain = {**model, "description": _MARK.sub("", str(model.get("description") or ""))}
    return {**plain, "description": f"{plain['description']} [jieneng:{_hash(plain)}]".strip()}


def mark_of(model: Model) -> str | None:
    """The mark that it carries."""
    found = _MARK.search(str(model.get("description") or ""))
    return found[1] if found else None


def is_ours(model: Model) -> bool:
    """Whether it was once written here: by its uid and its tag."""
    return str(model.get("uid", "")).startswith(UID_PREFIX) and TAG in (model.get("tags") or [])


def is_untouched(model: Model) -> bool:
    """Whether it says what it said when it was written."""
    plain = {name: value for name, value in model.items() if name not in _OF_GRAFANA}
    return mark_of(model) is not None and mark_of(marked(plain)) == mark_of(model)


def fate(there: Model | None, wanted: Model | None, *, force: bool) -> Fate:
    """What is to become of the dashboard that is there (None: no such) where another one is wanted (None: none)."""
    if there is None:
        return Fate.NEW
    if not is_ours(there):
        return Fate.FOREIGN
    if not is_untouched(there):
        return Fate.FORCED if force and wanted is not None else Fate.CHANGED
    if wanted is None:
        return Fate.GONE
    return Fate.SAME if mark_of(there) == mark_of(wanted) else Fate.RENEWED


def _hash(plain: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:32]
