"""A log that a test can tamper with, on every kind of database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from gateway.records.database import open_records


@dataclass(frozen=True, slots=True)
class Log:
    """A log, and where its key and head lie."""

    address: str
    folder: Path


async def tamper(log: Log, *statements: str) -> None:
    """As somebody who can write the database, and knows of the triggers."""
    drops = ["DROP TRIGGER audit_is_not_changed", "DROP TRIGGER audit_is_not_deleted"]
    if log.address.startswith("postgresql"):
        drops = ["DROP TRIGGER audit_is_not_changed ON audit"]
    async with open_records(log.address, log.folder) as records, records.writing() as connection:
        for statement in (*drops, *statements):
            await connection.execute(text(statement))
