"""Which store an address names: `duckdb:FILE` or `memory:`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.readings_memory import MemoryReadings
from energy.errors import EnergyError
from energy.ports import ReadingStore


@asynccontextmanager
async def open_store(address: str) -> AsyncIterator[ReadingStore]:
    """The store at an address, closed at the end; EnergyError where no store is known by its scheme."""
    scheme, _, rest = address.partition(":")
    match scheme:
        case "memory":
            yield MemoryReadings()
        case "duckdb" if rest:
            from adapters.readings_duckdb import open_duckdb

            async with open_duckdb(Path(rest)) as store:
                yield store
        case _:
            raise EnergyError(f"store {address!r} must be of the form duckdb:FILE or memory:")
