"""What there is to save: the files of the data folder, and those outside of it that the settings name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from adapters import addresses
from adapters.copy_duckdb import remove_database
from energy.errors import EnergyError
from gateway.backups.newest import BACKED_UP
from jieneng.backups.secrecy import is_secret
from jieneng.settings import Settings

# Made anew at each start, or for this process alone; messages at the broker are sent again by the edges.
_FOLDERS = ("log", "broker")
_FILES = ("lock", BACKED_UP)
# Settings that name no files of the operator: what has a place of its own, and what is of who calls.
_NO_FILES = ("data", "audit_folder", "token_file")
# Logs and indexes of databases, of which copies are made, and drafts.
_ENDINGS = (".duckdb", ".duckdb.wal", "-wal", "-shm", "-journal", ".new", ".part", ".tmp")
# What speaks of the store, and is copied before it: batches that are forgotten once it has them, and which have come.
_BEFORE_STORE = ("outbox/", "deliveries.sqlite")


def files_of_data(data: Path, without: Path) -> Iterator[str]:
    """The files of the data folder that are to be saved, by their names within it; none of the folder `without`.

    Whatever is not known to be left out is taken, so that what another version keeps there is saved too. Outboxes come
    first and `audit.head` before the records: see docs/decisions/028-backup.md.
    """
    found = []
    for folder, folders, names in os.walk(data):
        inside = Path(folder).relative_to(data)
        folders[:] = [name for name in folders if not (Path(folder) / name).samefile(without)]
        if inside == Path():
            folders[:] = [name for name in folders if name not in _FOLDERS and not name.startswith(".")]
            names = [name for name in names if name not in _FILES]
        found += [(inside / name).as_posix() for name in names if not name.endswith(_ENDINGS)]
    yield from sorted(found, key=lambda name: (_turn(name), name))


def rights_of_folders(data: Path, names: Iterable[str]) -> dict[str, int]:
    """The rights of the folders that hold these files, and of the data folder itself, which is `.`."""
    within = {folder for name in names for folder in Path(name).parents}
    return {folder.as_posix(): (data / folder).stat().st_mode & 0o777 for folder in sorted(within | {Path()})}


def speaks_of_store(name: str) -> bool:
    return name.startswith(_BEFORE_STORE)


def _turn(name: str) -> int:
    if speaks_of_store(name):
        return 0
    return 1 if Path(name).name == "audit.head" else 2


def store_file(settings: Settings) -> Path | None:
    """The file of the store; None for one in memory or on a server."""
    return addresses.store_file(settings.store_address)


def records_file(settings: Settings) -> Path | None:
    """The file of the records; None where they are on PostgreSQL."""
    kind, _, file = settings.records_address.partition(":")
    return Path(file) if kind == "sqlite" else None


@dataclass(frozen=True, slots=True)
class Outside:
    """A file beside the data folder; `secret` where it holds a key or a password."""

    file: Path
    secret: bool = False


def files_outside(settings: Settings, config: Path | None) -> dict[str, Outside]:
    """Files that the operator keeps beside the data folder, by a name each under a folder that all of them share:
    what names another by a relative path finds it again."""
    files = [*([] if config is None else [config]), *_named_by(settings)]
    found = {f: is_secret(f.name) for f in files}
    found |= {named: secret or is_secret(named.name) for file in files for named, secret in _named_in(file)}
    # Where records are a file, key and head of the audit log lie beside them.
    records = records_file(settings)
    audit = settings.audit_folder or (records.parent if records is not None else settings.data)
    found |= {audit / "audit.head": False, audit / "audit.key": True}
    data = settings.data.resolve()
    there = {f.resolve(): secret for f, secret in found.items() if f.is_file()}
    there = {f: secret for f, secret in there.items() if not f.is_relative_to(data)}
    if not there:
        return {}
    common = Path(os.path.commonpath([f.parent for f in there]))
    return {f.relative_to(common).as_posix(): Outside(f, secret) for f, secret in sorted(there.items())}


def _named_by(settings: Settings) -> Iterator[Path]:
    """The files that settings name, one by one or as a folder, whatever settings there are."""
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        for path in value if isinstance(value, tuple) else (value,):
            if not isinstance(path, Path) or setting.name in _NO_FILES:
                continue
            yield from sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else (path,)


def _named_in(file: Path) -> Iterator[tuple[Path, bool]]:
    """Files that an operator's file names, and whether each is secret: profiles, passwords, certificates."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        return
    try:
        words = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        # What is wrong with it is told by who needs it; it is saved as it is.
        return
    for key, name in _names(words):
        yield file.parent / name, "secret" in key or "password" in key


def _names(words: Any) -> Iterator[tuple[str, str]]:
    if isinstance(words, Mapping):
        for key, value in words.items():
            is_named = str(key).endswith("_file") or (key == "profile" and str(value).endswith((".yaml", ".yml")))
            if isinstance(value, str) and is_named:
                yield str(key), value
            else:
                yield from _names(value)
    elif isinstance(words, list):
        for value in words:
            yield from _names(value)


def remove_copy(file: Path | None) -> None:
    """Take the copy of a store away, whose place is in the archive now."""
    if file is not None:
        try:
            remove_database(file)
        except OSError as error:
            raise EnergyError(f"{file} cannot be removed: {error.strerror}") from error
