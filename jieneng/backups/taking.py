"""Taking a backup: copies in an order that fits together, then all of them in one file.

The order is that of decision 028: what refers to something is copied before what it refers to. First the outboxes,
whose batches are forgotten when the store has them, and what has come of them; then the store; then files, with the end
of the audit log among them; last the records, which hold that log, and name whatever the store speaks of.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import structlog

from adapters.addresses import shown
from adapters.copy_duckdb import copied_file, counted_store
from adapters.copy_sqlite import copied_sqlite, counted_sqlite, is_sqlite, revision_of
from energy.errors import EnergyError, StoreError
from gateway.backups.newest import note_backup
from gateway.backups.service import COPIES
from gateway.backups.words import CopyAnswer, CopyOrder
from jieneng.backups import manifest as words
from jieneng.backups.archive import Writer, verified, written
from jieneng.backups.gathering import (
    Outside,
    files_of_data,
    files_outside,
    records_file,
    remove_copy,
    rights_of_folders,
    speaks_of_store,
    store_file,
)
from jieneng.backups.manifest import Manifest
from jieneng.backups.postgresql import dumped
from jieneng.backups.proving import noted
from jieneng.backups.secrecy import is_secret, sealed
from jieneng.importing import Progress
from jieneng.running import asked, posted
from jieneng.settings import Settings

log = structlog.get_logger()

PATTERN = "jieneng-????????T??????Z.tar*"
_POLL_S = 0.2
_COPY = "/api/v1/backup/copy"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a backup is to be. secrets : keys are left out, put in as they are, or sealed under the password."""

    folder: Path
    with_secrets: bool = False
    password: str | None = None
    gzip: bool = False
    keep: int | None = None
    config: Path | None = None

    @property
    def secrets(self) -> str:
        return "sealed" if self.password is not None else "plain" if self.with_secrets else "none"


@dataclass(slots=True)
class _Copy:
    """A copy that waits for its place in the archive."""

    name: str
    file: Path
    rows: dict[str, int] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    mode: int = 0o600


def take(settings: Settings, wanted: Wanted, progress: Progress) -> tuple[Path, Manifest]:
    """Write a backup into the folder; its file, and what it says of itself."""
    if not settings.data.is_dir():
        raise EnergyError(f"{settings.data} is no data folder; name it with --data")
    wanted.folder.mkdir(parents=True, exist_ok=True)
    with _alone(wanted.folder) as staging, progress:
        taking = _Taking(settings, staging, progress)
        try:
            made = taking.run(wanted)
        except OSError as error:
            raise EnergyError(
                f"the backup cannot be written: {error.filename or wanted.folder}: {error.strerror}"
            ) from error
        finally:
            taking.close()
    note_backup(settings.data)
    return made


def kept_only(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest so many backups of a folder; those that were removed."""
    old = sorted(folder.glob(PATTERN))[:-keep]
    for file in old:
        file.unlink()
    return old


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """A folder for copies beside the backups; EnergyError where another process writes one there. What one left that
    was killed is taken away."""
    with (folder / ".jieneng-backup.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnergyError(f"another backup is being written to {folder}; wait for it") from error
        staging = folder / ".jieneng-backup"
        for left in (*folder.glob(".jieneng-*.part"), *([staging] if staging.exists() else [])):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        staging.mkdir(mode=0o700)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


class _Taking:
    """A backup while it is taken."""

    def __init__(self, settings: Settings, staging: Path, progress: Progress) -> None:
        self._settings, self._staging, self._progress = settings, staging, progress
        self._copies: list[_Copy] = []
        self._secrets: dict[str, Path] = {}
        self._begun_ms = _now_ms()
        self._stored_ms: int | None = None
        self._revision: str | None = None
        self._outside: dict[str, Outside] = {}
        self._folders: dict[str, int] = {}
        self._store: Path | None = None
        # Whether a gateway was asked for the copy.
        self._asked = False

    def run(self, wanted: Wanted) -> tuple[Path, Manifest]:
        names = list(files_of_data(self._settings.data, wanted.folder))
        self._folders = rights_of_folders(self._settings.data, names)
        self._copy_files([name for name in names if speaks_of_store(name)])
        self._copy_store()
        if not self._asked:
            asyncio.run(noted(self._settings))
        self._copy_files([name for name in names if not speaks_of_store(name)])
        self._copy_outside(wanted.config)
        self._copy_records()
        ended_ms = _now_ms()
        at = datetime.fromtimestamp(self._begun_ms / 1000, UTC)
        file = wanted.folder / f"jieneng-{at:%Y%m%dT%H%M%SZ}.tar{'.gz' if wanted.gzip else ''}"
        if file.exists():
            raise EnergyError(f"{file} is there already")
        made = self._written(file, wanted, ended_ms)
        if wanted.keep is not None:
            for old in kept_only(wanted.folder, wanted.keep):
                log.info("backup.removed", file=str(old), keep=wanted.keep)
        return file, made

    def close(self) -> None:
        remove_copy(self._store)

    # -- copies -----------------------------------------------------------------------------------------------------

    def _copy_files(self, names: list[str]) -> None:
        records = records_file(self._settings)
        for name in names:
            file = self._settings.data / name
            # Of the records later: they have a place of their own.
            if records is not None and file.resolve() == records.resolve():
                continue
            if file.is_file():
                self._copy_file(words.DATA + name, file, secret=is_secret(name))

    def _copy_file(self, member: str, file: Path, *, secret: bool) -> None:
        to = self._staging / f"{len(self._copies)}-{len(self._secrets)}"
        if is_sqlite(file):
            copied_sqlite(file, to)
            self._copies.append(_Copy(member, to, counted_sqlite(to)))
            return
        mode = file.stat().st_mode & 0o777
        shutil.copyfile(file, to)
        to.chmod(mode)
        if secret:
            self._secrets[member] = to
        else:
            self._copies.append(_Copy(member, to, mode=mode))

    def _copy_store(self) -> None:
        file = store_file(self._settings)
        if file is None:
            self._without_store()
            return
        if not file.exists():
            return
        self._stored_ms = _now_ms()
        mine = self._staging / words.STORE
        try:
            self._progress.at("copying the store", 0.0)
            copied_file(file, mine)
            self._store = mine
        except StoreError as locked:
            self._store, self._stored_ms = self._copied_by_gateway(locked)
            self._asked = True
        self._progress.at("copying the store", 1.0)
        self._progress.at("looking through the copy", 0.0)
        rows, sums = counted_store(self._store)
        self._progress.at("looking through the copy", 1.0)
        self._copies.append(_Copy(words.STORE, self._store, rows, sums))

    def _without_store(self) -> None:
        """Readings that lie on a server of their own are saved there."""
        address = shown(self._settings.store_address)
        if address.startswith("memory:"):
            raise EnergyError(f"a store in memory ({address}) is not saved")
        log.warning("backup.without_readings", store=address)

    def _copied_by_gateway(self, locked: StoreError) -> tuple[Path, int]:
        copy = posted(self._settings, _COPY, CopyOrder(), CopyAnswer, locked)
        beside = store_file(self._settings)
        assert beside is not None
        folder = beside.resolve().parent / COPIES
        if Path(copy.file).parent != folder:
            raise EnergyError(
                f"the gateway at {self._settings.listen} works on another store: its copy is {copy.file}, not in "
                f"{folder}. Name its address with --listen, or its folder with --data, on its machine"
            )
        while copy.state == "copying":
            time.sleep(_POLL_S)
            copy = asked(self._settings, _COPY, {}, CopyAnswer, locked)
            self._progress.at("copying the store", copy.share)
        if copy.state == "failed" or not Path(copy.file).exists():
            raise EnergyError(f"the gateway could not copy its store: {copy.cause or f'{copy.file} is not there'}")
        return Path(copy.file), copy.at

    def _copy_records(self) -> None:
        file = records_file(self._settings)
        self._progress.at("copying the records", 0.0)
        if file is None:
            to = self._staging / words.DUMP
            self._revision, rows = asyncio.run(dumped(self._settings.records_address, to))
            self._copies.append(_Copy(words.DUMP, to, rows))
        elif file.exists():
            to = self._staging / words.RECORDS
            copied_sqlite(file, to)
            self._revision = revision_of(to)
            self._copies.append(_Copy(words.RECORDS, to, counted_sqlite(to)))
        self._progress.at("copying the records", 1.0)

    def _copy_outside(self, config: Path | None) -> None:
        self._outside = files_outside(self._settings, config)
        for name, one in self._outside.items():
            self._copy_file(words.FILES + name, one.file, secret=one.secret)

    # -- the archive --------------------------------------------------------------------------------------------------

    def _written(self, file: Path, wanted: Wanted, ended_ms: int) -> Manifest:
        whole = max(1, sum(copy.file.stat().st_size for copy in self._copies))

        def told(done: int) -> None:
            self._progress.at("writing", min(1.0, done / whole))

        with written(file, told, gzip=wanted.gzip) as out:
            for copy in self._copies:
                out.add(copy.name, copy.file, copy.rows, copy.sums, copy.mode)
            left_out = self._put_secrets(out, wanted)
            made = Manifest(
                words.FORMAT,
                version("jieneng"),
                duckdb.__version__,
                self._begun_ms,
                self._stored_ms,
                ended_ms,
                self._revision,
                wanted.secrets,  # type: ignore[arg-type]  # one of the three
                left_out,
                {name: str(one.file) for name, one in self._outside.items()},
                self._folders,
                out.parts,
            )
            out.end(made)
        return made

    def _put_secrets(self, out: Writer, wanted: Wanted) -> list[str]:
        """Put the keys in as they are wanted; those that were left out."""
        if wanted.password is not None:
            out.add_bytes(words.SECRETS, sealed(self._secrets, wanted.password))
        elif wanted.with_secrets:
            for name, file in self._secrets.items():
                out.add(name, file, {}, {}, file.stat().st_mode & 0o777)
        else:
            return sorted(self._secrets)
        return []


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def looked_through(file: Path, progress: Progress) -> Manifest:
    """Read all of a backup and compare it with what it says of itself."""
    with progress:
        size = max(1, file.stat().st_size) if file.exists() else 1
        return verified(file, lambda done: progress.at("reading", min(1.0, done / size)))
