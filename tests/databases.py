"""The databases that the records are tested on: all that holds on one holds on the other."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from gateway.audit.seal import Seal
from gateway.records import database
from gateway.records.database import open_records
from tests.given import any_postgres
from tests.postgresql import PostgresServer

# The address of a new database, without tables where it is asked to be empty.
NewDatabase = Callable[..., str]
KINDS = ("sqlite", "postgresql")
# So many databases stand at a time; no test wants more.
_STANDING = 8


def new_records(file: Path) -> str:
    """The address of a new file of SQLite with the tables of today: a copy, for to migrate one takes as long as most
    tests do. Migrating is tested on empty ones."""
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_migrated(), file)
    return f"sqlite:{file}"


@cache
def _migrated() -> Path:
    """A file with the tables of today and nothing in them."""
    folder = Path(tempfile.mkdtemp(prefix="jieneng-records-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "records.sqlite"
    # In a thread: who asks may be within a loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _opened(f"sqlite:{file}")).result()
    return file


async def _opened(address: str) -> None:
    async with open_records(address):
        pass


@pytest.fixture
def migrated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file of SQLite, wherever the program makes one, gets the tables of today as a copy. For tests of a whole
    command, of which bringing up the records is the longest part and not the subject; `pytest.mark.usefixtures`."""
    template, really = _migrated(), database._bring_up

    async def bring_up(address: str, seal: Seal, *, new: bool) -> None:
        scheme, _, file = address.partition(":")
        if scheme != "sqlite" or not _is_new(Path(file)):
            return await really(address, seal, new=new)
        await asyncio.to_thread(_copy_into, Path(file), template)
        return None

    monkeypatch.setattr(database, "_bring_up", bring_up)


def _is_new(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute("SELECT name FROM sqlite_master").fetchone() is None


def _copy_into(file: Path, template: Path) -> None:
    with closing(sqlite3.connect(template)) as migrated, closing(sqlite3.connect(file, timeout=20)) as opened:
        migrated.backup(opened)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with any_postgres() as server:
        yield server


@pytest.fixture(scope="session", params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    if request.param == "postgresql":
        return on_postgresql(request.getfixturevalue("postgres"))
    return _on_sqlite(tmp_path_factory.mktemp("records"))


def _on_sqlite(folder: Path) -> NewDatabase:
    numbers = count()

    def new(*, empty: bool = False) -> str:
        file = folder / f"records-{next(numbers)}.sqlite"
        return f"sqlite:{file}" if empty else new_records(file)

    return new


def on_postgresql(server: PostgresServer) -> NewDatabase:
    # Made once for a server: files of tests are handed out one by one, and each of them asks for it.
    if server.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{server.migrated}'") == "0":
        server.sql(f"CREATE DATABASE {server.migrated}")
        asyncio.run(_opened(server.address(server.migrated)))

    given: deque[str] = deque()

    def new(*, empty: bool = False) -> str:
        if len(given) == _STANDING:
            server.drop(given.popleft())
        given.append(server.copy("template1" if empty else server.migrated))
        return server.address(given[-1])

    return new
