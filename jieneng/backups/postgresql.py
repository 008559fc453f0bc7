"""Records on PostgreSQL: dumped as of one moment while others write, and put into an empty database."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.postgres_address import PostgresAddress
from energy.errors import EnergyError

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


async def dumped(address: str, to: Path) -> tuple[str | None, dict[str, int]]:
    """Dump the database into a file; its migration, and the rows of each table, as of the same moment."""
    parsed = PostgresAddress.parse(address)
    program = _program("pg_dump")
    async with _connected(parsed) as connection:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        moment = await connection.fetchval("SELECT pg_export_snapshot()")
        rows = await _counted(connection)
        revision = await connection.fetchval("SELECT version_num FROM alembic_version") if rows else None
        given = ["--format=custom", "--no-owner", f"--snapshot={moment}", f"--file={to}"]
        await asyncio.to_thread(_run, program, parsed, given)
        await connection.execute("COMMIT")
    return revision, rows


async def revision_there(address: str) -> str | None:
    """The migration that the records are at; None where there are none."""
    async with _connected(PostgresAddress.parse(address)) as connection:
        found = await connection.fetchval("SELECT to_regclass('alembic_version')")
        return None if found is None else await connection.fetchval("SELECT version_num FROM alembic_version")


async def must_be_empty(address: str) -> None:
    """EnergyError where the database holds tables, or cannot be reached."""
    async with _connected(PostgresAddress.parse(address)) as connection:
        if found := await connection.fetch(_TABLES):
            raise EnergyError(
                f"the database at {PostgresAddress.parse(address)} has {len(found)} tables already; records are put "
                "into a new, empty one: createdb, and name it with --records"
            )


async def put_back(address: str, dump: Path) -> dict[str, int]:
    """Fill an empty database from a dump, all or nothing; the rows of each table."""
    parsed = PostgresAddress.parse(address)
    given = ["--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={parsed.database}", str(dump)]
    await asyncio.to_thread(_run, _program("pg_restore"), parsed, given, named=True)
    async with _connected(parsed) as connection:
        return await _counted(connection)


@asynccontextmanager
async def _connected(address: PostgresAddress) -> AsyncIterator[Any]:
    connection = await address.connect({"application_name": "jieneng backup"}, None)
    try:
        yield connection
    finally:
        await connection.close()


async def _counted(connection: Any) -> dict[str, int]:
    names = [row["tablename"] for row in await connection.fetch(_TABLES)]
    of_table = "SELECT count(*) FROM "
    return {name: await connection.fetchval(f'{of_table}"{name}"') for name in names}


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise EnergyError(
            f"{name} is not installed, by which records on PostgreSQL are saved and put back: install the client "
            "programs of PostgreSQL (on Debian: apt install postgresql-client)"
        )
    return found


def _run(program: str, address: PostgresAddress, given: Sequence[str], *, named: bool = False) -> None:
    where = [f"--host={address.host}", f"--port={address.port}", "--no-password"]
    where += [f"--username={address.user}"] if address.user else []
    command = [program, *where, *given, *([] if named else [address.database])]
    # In the environment: command lines are seen by everybody on the machine.
    told = {"PGPASSWORD": address.password or "", "PGSSLMODE": address.sslmode, "PGSSLROOTCERT": address.ca or ""}
    ran = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **{k: v for k, v in told.items() if v}}, check=False
    )
    if ran.returncode:
        raise EnergyError(f"{Path(program).name}: {ran.stderr.strip()[:2000] or f'ended with {ran.returncode}'}")
