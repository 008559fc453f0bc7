"""Which stores addresses name: of readings `duckdb:FILE`, `memory:`, `victoria+http://...` or `influx+http://...`, of
the ledger `postgresql://...`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from adapters.addresses import shown
from adapters.registers_recent import REMEMBERED_MB
from energy.errors import EnergyError, StoreError
from energy.ports import Ledger, ReadingStore, RegisterStore


@asynccontextmanager
async def open_store(address: str) -> AsyncIterator[RegisterStore]:
    """The store of readings at an address, closed at the end; EnergyError where none is known by its scheme."""
    scheme, _, rest = address.partition(":")
    if scheme.startswith("victoria+"):
        from adapters.readings_victoria import open_victoria

        async with open_victoria(address) as store:
            yield store
        return
    if scheme.startswith("influx+"):
        async with _open_influx(address) as points:
            yield points
        return
    from adapters.readings_duckdb import open_duckdb

    if not (scheme == "memory" or (scheme == "duckdb" and rest)):
        raise EnergyError(
            f"store {shown(address)!r} must be of the form duckdb:FILE or memory:, victoria+http://HOST or influx+http://HOST"
        )
    async with open_duckdb(Path(":memory:" if scheme == "memory" else rest)) as file:
        yield file


def _open_influx(address: str) -> AbstractAsyncContextManager[RegisterStore]:
    with _installed(address):
        from adapters.readings_influx import open_influx
    return open_influx(address)


def set_up_influx(
    address: str,
    token_file: Path | None,
    keep_days: int | None,
    hours_keep_days: int | None,
    *,
    dry_run: bool,
    may_delete: bool = False,
) -> list[str]:
    """Make in InfluxDB what a store needs (`influx_setup.set_up`), by another token than its own where one is given."""
    with _installed(address):
        from adapters.influx_client import InfluxAddress
        from adapters.influx_setup import set_up
    at = InfluxAddress.parse(address, token_file)
    return set_up(at, keep_days, hours_keep_days, dry_run=dry_run, may_delete=may_delete)


@contextmanager
def _installed(address: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise EnergyError(
            f"store {shown(address)!r} needs {error.name}, which is not installed: pip install 'jieneng[influx]'"
        ) from error


@asynccontextmanager
async def open_stores(
    readings: str, ledger: str | None = None, remembered_mb: int = REMEMBERED_MB, *, alone: bool = False
) -> AsyncIterator[tuple[RegisterStore, Ledger]]:
    """The store of readings and the ledger over it, which lies in the same file where no address is given for it.

    remembered_mb : how much memory registers of the last weeks may take, beside a ledger of another address. alone : no
    other process has the ledger open; StoreError where one has. Of a file that is always so.
    """
    async with open_store(readings) as store:
        if ledger is None:
            yield store, open_ledger(store)
            return
        if not ledger.startswith("postgresql:"):
            raise EnergyError(f"ledger {shown(ledger)!r} must be of the form postgresql://USER@HOST:PORT/DATABASE")
        from adapters.ledger_postgres import open_postgres_ledger

        async with open_postgres_ledger(ledger, store, remembered_mb, alone=alone) as opened:
            yield opened


def open_ledger(store: ReadingStore) -> Ledger:
    """The ledger in the file of the readings; EnergyError for a store that keeps none, StoreError if the disk
    refuses."""
    import duckdb

    from adapters.ledger_duckdb import DuckDBLedger
    from adapters.readings_duckdb import DuckDBReadings

    if not isinstance(store, DuckDBReadings):
        raise EnergyError("this store keeps readings alone: name a database for the ledger (--ledger postgresql://...)")
    try:
        return DuckDBLedger(store)
    except duckdb.Error as error:
        raise StoreError(f"the ledger cannot be opened: {error}") from error
