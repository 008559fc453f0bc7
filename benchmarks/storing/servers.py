"""The stores that this machine can start, each with a ledger: addresses, and what they take of disk and cores."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.request import urlopen

from benchmarks.parts import cpu_s
from tests.influx import real_influx
from tests.postgresql import PostgresServer, postgres_server
from tests.victoria import VictoriaServer, victoria_server

# Figures are of servers that put on the disk what they say is there.
_DURABLE = ("fsync=on", "full_page_writes=on", "shared_buffers=512MB", "max_wal_size=4GB")


_LEDGER_BYTES = (
    "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'ledger' AND c.relkind = 'r'"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where readings and ledger of one installation lie.

    settled : lets what was written be found and come to rest. readings_bytes, ledger_bytes : what they take on the
    disk; of the ledger in the file of the readings, the file.
    """

    store: str
    ledger: str | None
    settled: Callable[[], None]
    readings_bytes: Callable[[], int]
    ledger_bytes: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of store while its servers run. pids : of the servers."""

    name: str
    new: Callable[[], Place]
    pids: tuple[int, ...]

    def server_cpu_s(self) -> float:
        return sum(cpu_s(pid) for server in self.pids for pid in _with_children(server))


def kinds() -> dict[str, str | None]:
    """Every kind, and why it cannot be measured here, or None."""
    postgres = None if _postgres_there() else "PostgreSQL is not installed"
    victoria = shutil.which("victoria-metrics") or shutil.which("victoria-metrics-prod")
    influx = os.environ.get("JIENENG_TEST_INFLUX_URL")
    return {
        "duckdb": None,
        "duckdb_postgresql": postgres,
        "victoria_postgresql": postgres or (None if victoria else "VictoriaMetrics is not installed"),
        "influx_postgresql": postgres or (None if influx else "JIENENG_TEST_INFLUX_URL names no InfluxDB 2"),
    }


@contextmanager
def running(name: str) -> Iterator[Kind]:
    """The servers of a kind of store, thrown away afterwards."""
    readings, _, ledger = name.partition("_")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jieneng-bench-")))
        postgres = stack.enter_context(_postgresql()) if ledger else None
        victoria = stack.enter_context(victoria_server()) if readings == "victoria" else None
        influx = stack.enter_context(real_influx()) if readings == "influx" else None
        numbers = count()

        def new() -> Place:
            database = postgres.copy("template1") if postgres else ""
            address = postgres.address(database) if postgres else None
            file = folder / f"{next(numbers)}.duckdb"

            def ledger_bytes() -> int:
                return _files(file) if postgres is None else int(postgres.sql(_LEDGER_BYTES, database))

            if victoria is not None:
                store = victoria.address(folder / f"journal-{file.stem}")
                return Place(store, address, lambda: _shown(victoria), lambda: _data(victoria), ledger_bytes)
            if influx is not None:
                return Place(influx.address(), address, lambda: None, lambda: 0, ledger_bytes)
            return Place(f"duckdb:{file}", address, lambda: None, lambda: _files(file), ledger_bytes)

        servers = (postgres and postgres.pid, victoria and victoria.pid)
        yield Kind(name, new, tuple(pid for pid in servers if pid))


@contextmanager
def _postgresql() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        server.stop()
        server.start(*_DURABLE)
        yield server


def _postgres_there() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb") is not None


def _files(file: Path) -> int:
    return sum(f.stat().st_size for f in file.parent.glob(file.name + "*"))


def _data(server: VictoriaServer) -> int:
    """What the samples take, and the index by which they are found."""
    return sum(f.stat().st_size for f in (server.folder / "data").rglob("*") if f.is_file())


def _shown(server: VictoriaServer) -> None:
    """Let parts be written and merged: what is asked next is asked of a server at rest."""
    server.show_all()
    with urlopen(f"http://127.0.0.1:{server.port}/internal/force_merge", timeout=20):
        pass
    before, still = -1, 0
    while still < 3:
        time.sleep(1.0)
        now = _data(server)
        still = still + 1 if now == before else 0
        before = now


def _with_children(pid: int) -> list[int]:
    """A process and those that it has forked."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *map(int, children)]
