"""Servers that somebody has already, named by the environment: the same tests run over them (docs/stores.md). What they
make there has names of its own, and is removed. Who a test would have to stop, skips it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres_address import PostgresAddress
from adapters.victoria_client import VictoriaAddress
from tests.postgresql import PostgresServer, postgres_server
from tests.victoria import VictoriaServer, victoria_server

POSTGRES, VICTORIA = (os.environ.get(f"JIENENG_TEST_{name}", "") for name in ("POSTGRES", "VICTORIA"))


def ours_alone() -> NoReturn:
    """Skip what needs a server of its own."""
    pytest.skip("the server is not ours to stop, nor its files to see")


# -- VictoriaMetrics ---------------------------------------------------------------------------------------------------


class GivenVictoria(VictoriaServer):
    """At an address of a store without `victoria+`, journal and name."""

    def __init__(self, given: str) -> None:
        self._given, self._begin, self._names = given, f"test{uuid4().hex[:8]}x", count()
        self.at = VictoriaAddress.parse(self.address(Path("nowhere"), "any"))

    def address(self, journal: Path, name: str | None = None) -> str:
        sign = "&" if "?" in self._given else "?"
        return f"victoria+{self._given}{sign}journal={journal}&name={name or self.new_name()}"

    def new_name(self) -> str:
        return f"{self._begin}{next(self._names)}"

    def show_all(self, user: str = "", password: str = "") -> None:
        self._ask("/internal/force_flush")

    def forget(self) -> None:
        """Take away what the tests have written."""
        with suppress(URLError):
            self.show_all()
            self._ask("/api/v1/admin/tsdb/delete_series", {"match[]": f'{{__name__=~"{self._begin}.*"}}'})

    def _ask(self, path: str, form: dict[str, str] | None = None) -> None:
        content = None if form is None else urlencode(form).encode()
        with urlopen(Request(self.at.insert + path, content, dict(self.at.headers)), timeout=60):
            pass

    def start(self, *flags: str) -> None:
        ours_alone()

    def kill(self) -> None:
        ours_alone()


@contextmanager
def any_victoria() -> Iterator[VictoriaServer]:
    """The server that the environment names, or one of our own."""
    if not VICTORIA:
        with victoria_server() as server:
            yield server
        return
    given = GivenVictoria(VICTORIA)
    try:
        yield given
    finally:
        given.forget()


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


class GivenPostgres(PostgresServer):
    """At an address of a database whose user may make others."""

    def __init__(self, given: str) -> None:
        self.at = PostgresAddress.parse(given, "JIENENG_TEST_POSTGRES")
        self._begin, self._made = uuid4().hex[:8], count()
        self._given = given
        self._databases: list[str] = []
        self.migrated = f"jieneng_{self._begin}_migrated"

    def __getattr__(self, name: str) -> Any:
        if name in ("folder", "port", "password"):
            ours_alone()
        raise AttributeError(name)

    def sql(self, statement: str, database: str = "") -> str:
        if statement.startswith("CREATE ROLE "):
            ours_alone()
        rows = _beside_any_loop(self._fetch(statement, database or self.at.database))
        if statement.startswith("CREATE DATABASE "):
            self._databases.append(statement.split()[2])
        return "\n".join("|".join("" if v is None else str(v) for v in row) for row in rows)

    async def _fetch(self, statement: str, database: str) -> list[Any]:
        at = PostgresAddress.parse(self.address(database))
        connection = await at.connect({"application_name": "jieneng tests"}, 60)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    def address(self, database: str) -> str:
        before, _, after = self._given.partition("?")
        return f"{before.rpartition('/')[0]}/{quote(database)}{'?' if after else ''}{after}"

    def new_name(self) -> str:
        return f"jieneng_{self._begin}_{next(self._made)}"

    def forget(self) -> None:
        for name in self._databases:
            with suppress(asyncpg.PostgresError):
                self.drop(name)

    def run(self, name: str, *arguments: str) -> str:
        ours_alone()

    def start(self, *settings: str) -> None:
        ours_alone()

    def stop(self) -> None:
        ours_alone()

    def kill(self) -> None:
        ours_alone()


@contextmanager
def any_postgres() -> Iterator[PostgresServer]:
    """The server that the environment names, or one of our own."""
    if not POSTGRES:
        with postgres_server() as server:
            yield server
        return
    given = GivenPostgres(POSTGRES)
    try:
        yield given
    finally:
        given.forget()


def _beside_any_loop(asked: Coroutine[Any, Any, list[Any]]) -> list[Any]:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()
