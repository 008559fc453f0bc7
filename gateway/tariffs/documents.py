"""A tariff as a document: what a file says of it, read back, and compared key by key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from analytics.tariffs.tariff import Tariff
from analytics.tariffs.tariff_file import tariffs_of
from energy.documents import Document, open_document, spelled
from energy.errors import ConfigurationError


def documents_of(path: Path) -> dict[str, str]:
    """The tariffs of a file, each as a document by its id; ConfigurationError lists all that is wrong in the file."""
    document = open_document(path)
    made = tariffs_of(document)
    given = document.data["tariffs"]
    return {tariff.id: _written(words) for tariff, words in zip(made, given, strict=True)}


@lru_cache(maxsize=1024)
def tariff_of(id: str, text: str) -> Tariff:
    """The tariff that a document tells."""
    [made] = tariffs_of(Document(Path(f"tariff {id} of the records"), text))
    return made


def keys_of(text: str) -> dict[str, str]:
    """What stands under each key of a document, as text."""
    [words] = yaml.safe_load(text)["tariffs"]
    return dict(_flat((), words))


def _written(words: Any) -> str:
    text = yaml.safe_dump({"tariffs": [words]}, allow_unicode=True, sort_keys=False, width=120)
    if yaml.safe_load(text) != {"tariffs": [words]}:
        raise ConfigurationError(["a tariff cannot be written down as it was read"])
    return text


def _flat(way: tuple[str | int, ...], value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat((*way, str(key)), inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for i, inner in enumerate(value):
            yield from _flat((*way, i), inner)
    else:
        yield spelled(way), _said(value)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(inner) for inner in value)
    return value.isoformat() if isinstance(value, date) else str(value)
