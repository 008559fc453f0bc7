"""Stores of readings whose server can be killed, and the wire to it cut: a line in `RIGS` puts a new one under every
test of what goes wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest

from tests.adapters.wires import Wire, wire_to
from tests.given import VICTORIA, GivenVictoria, any_victoria, ours_alone
from tests.influx import InfluxServer, real_influx, stub_of_influx
from tests.victoria import VictoriaServer, victoria_server


class Rig(ABC):
    """A store on a server, at the far end of a wire."""

    # What opens the server, and must never be told.
    secret = "swordfish"
    can_be_killed = False

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @property
    @abstractmethod
    def address(self) -> str:
        """Of one store, the same each time."""

    @property
    @abstractmethod
    def stranger(self) -> str:
        """The same store, as who knows nothing but what lies on the server."""

    @property
    @abstractmethod
    def wrong(self) -> str:
        """The same, with another secret."""

    async def rest(self, store: Any) -> None:  # noqa: B027 - most servers show at once what they have taken
        """Return when the server shows all that it has been given."""

    def kill(self) -> None:
        """Kill the server, where `can_be_killed`."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it again."""
        raise NotImplementedError


class VictoriaRig(Rig):
    can_be_killed = True

    def __init__(self, wire: Wire, server: VictoriaServer, folder: Path) -> None:
        super().__init__(wire)
        self._server, self._folder = server, folder
        self._right, self._wrong = folder / "right", folder / "wrong"
        self._right.write_text(self.secret)
        self._wrong.write_text("guessed-" + self.secret)

    @property
    def address(self) -> str:
        return self._at("journal", self._right)

    @property
    def stranger(self) -> str:
        return self._at("nothing", self._right)

    @property
    def wrong(self) -> str:
        return self._at("nothing", self._wrong)

    def _at(self, journal: str, secret: Path) -> str:
        at = f"victoria+http://li@127.0.0.1:{self.wire.port}"
        return f"{at}?journal={self._folder / journal}&name=rig&password_file={secret}"

    async def rest(self, store: Any) -> None:
        await store.look()
        self._server.show_all("li", self.secret)

    def kill(self) -> None:
        self._server.grow_old()
        self._server.kill()

    def start(self) -> None:
        self._server.start(*_GUARDED)


class GivenRig(Rig):
    """On the VictoriaMetrics that the environment names."""

    def __init__(self, wire: Wire, server: GivenVictoria, folder: Path) -> None:
        super().__init__(wire)
        self._server, self._folder, self._name = server, folder, server.new_name()

    @property
    def address(self) -> str:
        return self._at("journal")

    @property
    def stranger(self) -> str:
        return self._at("nothing")

    @property
    def wrong(self) -> str:
        ours_alone()

    def _at(self, journal: str) -> str:
        place = urlsplit(self._server.at.insert)
        whole = self._server.address(self._folder / journal, self._name)
        return whole.replace(place.netloc, f"127.0.0.1:{self.wire.port}", 1)

    async def rest(self, store: Any) -> None:
        await store.look()
        self._server.show_all()


class InfluxRig(Rig):
    def __init__(self, wire: Wire, server: InfluxServer, folder: Path) -> None:
        super().__init__(wire)
        self.secret = server.token
        self._server, self._name = server, server.new_name()
        self._wrong = folder / "wrong"
        self._wrong.write_text("guessed")

    @property
    def address(self) -> str:
        return self._server.address(self._name).replace(self._server.url, f"http://127.0.0.1:{self.wire.port}")

    @property
    def stranger(self) -> str:
        return self.address

    @property
    def wrong(self) -> str:
        return self.address.replace(str(self._server.token_file), str(self._wrong))


_GUARDED = ("-retentionPeriod=100y", "-httpAuth.username=li", f"-httpAuth.password={Rig.secret}")


@contextmanager
def _victoria(folder: Path) -> Iterator[Rig]:
    with victoria_server(*_GUARDED) as server, wire_to(server.port) as wire:
        yield VictoriaRig(wire, server, folder)


@contextmanager
def _victoria_given(folder: Path) -> Iterator[Rig]:
    if not VICTORIA:
        pytest.skip("no VictoriaMetrics is named: JIENENG_TEST_VICTORIA")
    with any_victoria() as server:
        assert isinstance(server, GivenVictoria)
        at = urlsplit(server.at.insert)
        with wire_to(_port(at), at.hostname or "") as wire:
            yield GivenRig(wire, server, folder)


def _port(at: SplitResult) -> int:
    if at.scheme != "http" or at.port is None:
        pytest.skip("a wire is laid to http://HOST:PORT alone")
    return at.port


@contextmanager
def _influx(folder: Path) -> Iterator[Rig]:
    with real_influx() as server:
        at = urlsplit(server.url)
        with wire_to(_port(at), at.hostname or "") as wire:
            yield InfluxRig(wire, server, folder)


@contextmanager
def _influx_stub(folder: Path) -> Iterator[Rig]:
    with stub_of_influx() as server, wire_to(urlsplit(server.url).port or 0) as wire:
        yield InfluxRig(wire, server, folder)


RIGS: dict[str, Callable[[Path], AbstractContextManager[Rig]]] = {
    "victoria": _victoria,
    "victoria_given": _victoria_given,
    "influx": _influx,
    # Not InfluxDB, but a stub of what its HTTP API documents.
    "influx_stub": _influx_stub,
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with RIGS[request.param](tmp_path) as made:
        yield made
