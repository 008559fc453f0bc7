"""Which store an address names: `duckdb:FILE` or `memory:`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from energy.errors import EnergyError, StoreError
from energy.ports import Ledger, ReadingStore


@asynccontextmanager
async def open_store(address: str) -> AsyncIterator[ReadingStore]:
    """The store at an address, closed at the end; EnergyError where no store is known by its scheme."""
    from adapters.readings_duckdb import open_duckdb

    scheme, _, rest = address.partition(":")
    if not (scheme == "memory" or (scheme == "duckdb" and rest)):
        raise EnergyError(f"store {address!r} must be of the form duckdb:FILE or memory:")
    async with open_duckdb(Path(":memory:" if scheme == "memory" else rest)) as store:
        yield store


def open_ledger(store: ReadingStore) -> Ledger:
    """The ledger in the file of the readings; TypeError for a store that keeps none, StoreError if the disk refuses."""
    import duckdb

    from adapters.ledger_duckdb import DuckDBLedger
    from adapters.readings_duckdb import DuckDBReadings

    if not isinstance(store, DuckDBReadings):
        raise TypeError(f"{type(store).__name__} keeps no ledger")
    try:
        return DuckDBLedger(store)
    except duckdb.Error as error:
        raise StoreError(f"the ledger cannot be opened: {error}") from error
