"""What a town stands on: the embedded parts, or servers that a bureau runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.broker_nats import embedded_broker
from tests.adapters.brokers import mosquitto
from tests.influx import real_influx
from tests.postgresql import PostgresServer, postgres_server
from tests.real_parts import free_port
from tests.victoria import victoria_server


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a gateway keeps what it keeps, and the port of its broker."""

    broker: int
    store: str
    records: str
    ledger: str | None = None


@contextmanager
def _embedded(folder: Path) -> Iterator[Standing]:
    port = free_port()
    with embedded_broker(folder / "broker", port):
        yield Standing(port, f"duckdb:{folder}/readings.duckdb", f"sqlite:{folder}/records.sqlite")


@contextmanager
def _servers(folder: Path) -> Iterator[Standing]:
    with victoria_server() as server, _beside(folder, server.address(folder / "journal")) as standing:
        yield standing


@contextmanager
def _influxdb(folder: Path) -> Iterator[Standing]:
    with real_influx() as server, _beside(folder, server.address()) as standing:
        yield standing


@contextmanager
def _beside(folder: Path, store: str) -> Iterator[Standing]:
    """Mosquitto, and one PostgreSQL with a database each for records and ledger."""
    port, place = free_port(), folder / "mosquitto"
    place.mkdir()
    with mosquitto(place, port), postgres_server() as server:
        yield Standing(port, store, _database(server, "records"), _database(server, "ledger"))


def _database(server: PostgresServer, name: str) -> str:
    server.sql(f"CREATE DATABASE {name}")
    return server.address(name)


STANDINGS: dict[str, Callable[[Path], AbstractContextManager[Standing]]] = {
    "embedded": _embedded,
    "mosquitto_postgresql_victoriametrics": _servers,
    # Where the environment names one (docs/stores.md).
    "mosquitto_postgresql_influxdb": _influxdb,
}
