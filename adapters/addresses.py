"""Addresses of databases, as they may be told."""

from __future__ import annotations

import re


def shown(address: str) -> str:
    """Without a password, and without what follows the database.

    >>> shown("postgresql://li:secret@db.example/records?sslmode=require")
    'postgresql://li:***@db.example/records'
    """
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", address).partition("?")[0]
