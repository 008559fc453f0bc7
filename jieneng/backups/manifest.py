"""What a backup says of itself: the last thing in its file, so that one that was interrupted has none."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

import duckdb
import msgspec

from energy.errors import EnergyError
from gateway.records.database import HEAD

FORMAT = 1
NAME = "manifest.json"
STORE, RECORDS, DUMP, SECRETS = "store.duckdb", "records.sqlite", "records.dump", "secrets.sealed"
DATA, FILES = "data/", "files/"


class Part(msgspec.Struct, omit_defaults=True):
    """A part of a backup: its name in the archive, its bytes and their SHA-256.

    rows : of each table, of a database. sums : whole numbers that a restored database must come to.
    """

    name: str
    bytes: int
    sha256: str
    mode: int = 0o600
    rows: dict[str, int] = {}
    sums: dict[str, str] = {}


class Manifest(msgspec.Struct, omit_defaults=True):
    """A backup.

    begun_at : everything that was stored, or lay in an outbox here, at this instant is in it [ms].
    stored_at : the moment that the copy of the store shows; None where there was no store. ended_at : when the last
    copy was made. records : the migration of the records. secrets : keys are not in it, are in it, or are in it under
    a password. left_out : keys that are not in it. files : where each file from outside of the data folder lay.
    folders : the rights of each folder that files lie in.
    """

    format: int
    jieneng: str
    duckdb: str
    begun_at: int
    stored_at: int | None
    ended_at: int
    records: str | None
    secrets: Literal["none", "plain", "sealed"]
    left_out: list[str]
    files: dict[str, str]
    folders: dict[str, int]
    parts: list[Part]

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def must_be_understood(self) -> None:
        """EnergyError where it was made by a newer version than this one."""
        newer = [
            text
            for is_newer, text in (
                (self.format > FORMAT, f"its form is {self.format}, this version reads up to {FORMAT}"),
                ((self.records or "") > HEAD, f"its records are at {self.records}, this version knows up to {HEAD}"),
                (
                    _numbers(self.duckdb) > _numbers(duckdb.__version__),
                    f"its store is of DuckDB {self.duckdb}, this is {duckdb.__version__}",
                ),
            )
            if is_newer
        ]
        if newer:
            raise EnergyError(
                f"the backup was made by a newer version of Jieneng ({self.jieneng}; this is {version('jieneng')}): "
                f"{'; '.join(newer)}. Install that version, and restore by it"
            )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
