"""Ledgers on a server that can be killed, and the wire to it cut: a line in `RIGS` puts a new one under every test of
what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from tests.adapters.wires import Wire, wire_to
from tests.postgresql import PostgresServer, postgres_server


@dataclass
class Rig:
    """A database on a server of its own, at the far end of a wire."""

    wire: Wire
    server: PostgresServer
    database: str

    @property
    def address(self) -> str:
        return self._at(self.server.password)

    @property
    def wrong(self) -> str:
        """With another password."""
        return self._at("guessed " + self.server.password)

    def _at(self, password: str) -> str:
        return f"postgresql://jieneng:{quote(password, safe='')}@127.0.0.1:{self.wire.port}/{self.database}"

    def kill(self) -> None:
        self.server.kill()

    def start(self) -> None:
        self.server.start()


@contextmanager
def on_postgresql() -> Iterator[Rig]:
    with postgres_server() as server, wire_to(server.port) as wire:
        server.sql("CREATE DATABASE kept")
        yield Rig(wire, server, "kept")


RIGS: dict[str, Callable[[], AbstractContextManager[Rig]]] = {"postgresql": on_postgresql}


@pytest.fixture(scope="module", params=RIGS)
def shared_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as made:
        yield made


@pytest.fixture
def rig(shared_rig: Rig) -> Iterator[Rig]:
    """An empty database each time; all is well at the end."""
    shared_rig.database = shared_rig.server.copy("template1")
    yield shared_rig
    shared_rig.wire.mend()
