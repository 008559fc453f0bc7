"""Ledgers on a server that can be killed, and the wire to it cut: a line in `RIGS` puts a new one under every test of
what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from tests.adapters.wires import Wire, wire_to
from tests.given import POSTGRES, GivenPostgres, any_postgres
from tests.postgresql import PostgresServer, postgres_server


@dataclass
class Rig:
    """A database on a server of its own, at the far end of a wire."""

    wire: Wire
    server: PostgresServer
    database: str
    user: str
    secret: str
    can_be_killed: bool = True

    @property
    def address(self) -> str:
        return self._at(self.secret)

    @property
    def wrong(self) -> str:
        """With another password."""
        return self._at("guessed " + self.secret)

    def _at(self, password: str) -> str:
        who = f"{quote(self.user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@127.0.0.1:{self.wire.port}/{self.database}"

    def kill(self) -> None:
        self.server.kill()

    def start(self) -> None:
        self.server.start()


@contextmanager
def on_postgresql() -> Iterator[Rig]:
    with postgres_server() as server, wire_to(server.port) as wire:
        yield Rig(wire, server, "", "jieneng", server.password)


@contextmanager
def on_given() -> Iterator[Rig]:
    """The server that the environment names; it is not ours to kill."""
    if not POSTGRES:
        pytest.skip("no PostgreSQL is named: JIENENG_TEST_POSTGRES")
    with any_postgres() as server:
        assert isinstance(server, GivenPostgres)
        with wire_to(server.at.port, server.at.host) as wire:
            yield Rig(wire, server, "", server.at.user or "", server.at.password or "", can_be_killed=False)


RIGS: dict[str, Callable[[], AbstractContextManager[Rig]]] = {"postgresql": on_postgresql, "given": on_given}


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
