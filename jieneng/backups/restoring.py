"""Putting a backup back: checked while it is read, opened and counted, and only then given its place."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.copy_duckdb import counted_store
from adapters.copy_sqlite import counted_sqlite, is_sqlite
from energy.errors import EnergyError
from jieneng.backups import manifest as words
from jieneng.backups.archive import read_manifest, verified
from jieneng.backups.gathering import records_file, store_file
from jieneng.backups.manifest import Manifest, Part
from jieneng.backups.postgresql import must_be_empty, put_back
from jieneng.backups.secrecy import unsealed
from jieneng.importing import Progress
from jieneng.settings import Settings

RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup. aside : where that lies now which was in its place."""

    manifest: Manifest
    aside: list[Path]
    files: Path | None


def restore(
    file: Path, settings: Settings, progress: Progress, *, replace: bool = False, password: str | None = None
) -> Restored:
    """Put a backup where the settings say; EnergyError before anything is changed where it cannot be."""
    manifest = read_manifest(file)
    dump = manifest.part(words.DUMP)
    _must_fit(manifest, settings, password)
    places = _Places(settings, manifest)
    places.must_be_free(replace=replace)
    if dump is not None:
        asyncio.run(must_be_empty(settings.records_address))
    with progress:
        staging = places.staging()
        try:
            _unpack(file, staging, manifest, progress, password)
            progress.at("looking through it", 0.0)
            _must_count(staging, manifest)
            progress.at("looking through it", 1.0)
            if dump is not None:
                _put_records_back(staging / words.DUMP, dump, settings, progress)
            aside = places.settle(staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Restored(manifest, aside, settings.data / RESTORED if manifest.files else None)


def _must_fit(manifest: Manifest, settings: Settings, password: str | None) -> None:
    if manifest.secrets == "sealed" and password is None:
        raise EnergyError("the keys in it are under a password; name the file that holds it with --password-file")
    on_postgresql = records_file(settings) is None
    if manifest.part(words.DUMP) is not None and not on_postgresql:
        raise EnergyError(
            "its records were on PostgreSQL; name a new, empty database with --records postgresql://USER@HOST/DATABASE"
        )
    if manifest.part(words.RECORDS) is not None and on_postgresql:
        raise EnergyError("its records were in a file of SQLite; name one with --records sqlite:FILE, or none")
    if manifest.part(words.STORE) is not None and store_file(settings) is None:
        raise EnergyError(f"a store cannot be put into {settings.store_address}; name a file: --store duckdb:FILE")


def _unpack(file: Path, staging: Path, manifest: Manifest, progress: Progress, password: str | None) -> None:
    def into(part: Part) -> Path:
        return _within(staging, part.name)

    verified(file, lambda done: progress.at("reading", min(1.0, done / max(1, manifest.bytes))), into)
    box = staging / words.SECRETS
    if manifest.part(words.SECRETS) is not None and password is not None:
        for name, mode, content in unsealed(box.read_bytes(), password):
            to = _within(staging, name)
            to.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o777), "wb") as out:
                out.write(content)
        box.unlink()
    for name, rights in manifest.folders.items():
        if (folder := _within(staging, words.DATA + name)).is_dir():
            folder.chmod(rights)


def _within(folder: Path, name: str) -> Path:
    """Where a part goes; EnergyError for a name that leads out of the folder."""
    to = folder / name
    if not to.resolve().is_relative_to(folder.resolve()) or name.startswith("/"):
        raise EnergyError(f"{name!r} in the backup leads elsewhere: it was not made by us")
    return to


def _must_count(staging: Path, manifest: Manifest) -> None:
    """EnergyError where a database does not hold what the manifest tells."""
    faults = []
    for part in manifest.parts:
        file = staging / part.name
        if part.name == words.STORE:
            rows, sums = counted_store(file)
        elif part.rows and is_sqlite(file):
            rows = counted_sqlite(file)
            sums = {}
        else:
            continue
        faults += [
            f"{part.name}: {name} {was} were saved, {now} are there"
            for name, was, now in (*_differing(part.rows, rows), *_differing(part.sums, sums))
        ]
    if faults:
        raise EnergyError(f"what was restored is not what was saved: {'; '.join(faults)}")


def _differing(was: Mapping[str, object], now: Mapping[str, object]) -> list[tuple[str, str, str]]:
    return [(name, str(value), str(now.get(name))) for name, value in was.items() if now.get(name) != value]


def _put_records_back(dump: Path, part: Part, settings: Settings, progress: Progress) -> None:
    progress.at("putting the records back", 0.0)
    rows = asyncio.run(put_back(settings.records_address, dump))
    dump.unlink()
    if faults := _differing(part.rows, rows):
        raise EnergyError(f"the records on PostgreSQL are not what was saved: {faults}; empty the database again")
    progress.at("putting the records back", 1.0)


class _Places:
    """Where data folder, store and records go."""

    def __init__(self, settings: Settings, manifest: Manifest) -> None:
        self._data = settings.data
        # What lies outside of the data folder has a place of its own: member of the archive, where it goes.
        chosen = ((words.STORE, store_file(settings)), (words.RECORDS, records_file(settings)))
        self._single = [(name, f) for name, f in chosen if f is not None and manifest.part(name) is not None]
        at = datetime.fromtimestamp(manifest.begun_at / 1000, UTC)
        self._suffix = f".before-restore-of-{at:%Y%m%dT%H%M%SZ}"

    def must_be_free(self, *, replace: bool) -> None:
        """EnergyError where something is in the way, or somebody works on it."""
        for file in self._data / "lock", *(f for _, f in self._single):
            _must_not_be_held(file)
        there = [f for f in (self._data, *self._outside()) if (any(f.iterdir()) if f.is_dir() else f.exists())]
        if there and not replace:
            raise EnergyError(
                f"{', '.join(map(str, there))}: something is there already; name an empty folder with --data, or "
                "let it be moved aside with --replace"
            )
        taken = [aside for f in there if (aside := self._aside(f)).exists()]
        if taken:
            raise EnergyError(f"{', '.join(map(str, taken))} is there from before; move it elsewhere")

    def _outside(self) -> list[Path]:
        data = self._data.resolve()
        return [f for _, f in self._single if not f.resolve().is_relative_to(data)]

    def _aside(self, path: Path) -> Path:
        return path.with_name(path.resolve().name + self._suffix)

    def staging(self) -> Path:
        """A new folder beside the data folder, so that what is in it need only be renamed."""
        folder = self._data.resolve()
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = folder.with_name(f".{folder.name}.restoring")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        return made

    def settle(self, staging: Path) -> list[Path]:
        """Give everything its place; where that lies now which was there."""
        made, aside = staging / "data", []
        made.mkdir(exist_ok=True)
        for name, file in self._single:
            if file in self._outside():
                aside += self._move_aside(file)
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(staging / name, file)
            else:
                to = made / file.resolve().relative_to(self._data.resolve())
                to.parent.mkdir(parents=True, exist_ok=True)
                (staging / name).rename(to)
        if (staging / "files").exists():
            (staging / "files").rename(made / RESTORED)
        aside += self._move_aside(self._data)
        try:
            made.rename(self._data)
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.EXDEV, errno.ENOTEMPTY):
                raise EnergyError(f"{self._data} cannot be given what was restored: {error.strerror}") from error
            # A mounted folder cannot be replaced: it is filled.
            for path in made.iterdir():
                shutil.move(path, self._data / path.name)
        return aside

    def _move_aside(self, path: Path) -> list[Path]:
        if not path.exists():
            return []
        if path.is_dir() and not any(path.iterdir()):
            with suppress(OSError):
                path.rmdir()
            return []
        to = self._aside(path)
        try:
            path.resolve().rename(to)
        except OSError as error:
            raise EnergyError(f"{path} cannot be moved to {to}: {error.strerror}") from error
        for beside in (".wal", "-wal", "-shm"):
            if (log := path.with_name(path.name + beside)).exists():
                log.rename(to.with_name(to.name + beside))
        return [to]


def _must_not_be_held(file: Path) -> None:
    """EnergyError where a running process holds a lock on the file, as a gateway and `jieneng run` do."""
    if not file.is_file():
        return
    with file.open("r+b") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnergyError(f"{file} is in use by a running gateway or `jieneng run`; stop it first") from error
