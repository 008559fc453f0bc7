"""Addresses of stores and databases: as they may be told, and the files that they name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from energy.errors import EnergyError


def shown(address: str) -> str:
    """Without a password, and without what follows the database.

    >>> shown("postgresql://li:secret@db.example/records?sslmode=require")
    'postgresql://li:***@db.example/records'
    """
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", address).partition("?")[0]


def parts_of(address: str, what: str) -> SplitResult:
    """The parts of an address of `what`; EnergyError where it cannot be taken apart."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        # What the error itself tells may be a part of a password.
        raise EnergyError(
            f"{what} {shown(address)}: the port is a number up to 65535, an IPv6 address stands in [], and signs such "
            "as / or @ within a name are written as %2F or %40"
        ) from None
    return parts


def store_file(address: str) -> Path | None:
    """The file of a store of readings; None for one in memory or on a server.

    >>> store_file("duckdb:var/readings.duckdb"), store_file("memory:")
    (PosixPath('var/readings.duckdb'), None)
    """
    kind, _, file = address.partition(":")
    return Path(file) if kind == "duckdb" else None


def secret_in(file: str, named: str) -> str:
    """What a file holds that an address names; EnergyError where it cannot be read, which begins as the file is
    `named`."""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnergyError(f"{named} cannot be read: {error.strerror}") from error
