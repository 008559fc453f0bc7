"""What differs between databases: how they are reached, how one waits to write, how they say what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@dataclass(frozen=True, slots=True)
class Engines:
    """A database that can be spoken to.

    reader : its transactions see one moment. writer : its transactions write.
    lock : a statement that a writing transaction begins with, and that waits until no other one writes; None where
    beginning waits by itself. told : an error of the database in words. fit : within a transaction, before anything is
    made there: that the database can do all that is needed, or StoreError; None where it is known to.
    """

    reader: AsyncEngine
    writer: AsyncEngine
    lock: str | None
    told: Callable[[Exception], str]
    fit: Callable[[AsyncConnection], Awaitable[None]] | None = None
