"""What differs between databases: how they are reached, how one waits to write, how they say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class Engines:
    """A database that can be spoken to.

    reader : its transactions see one moment. writer : its transactions write.
    lock : a statement that a writing transaction begins with, and that waits until no other one writes; None where
    beginning waits by itself. told : an error of the database in words.
    """

    reader: AsyncEngine
    writer: AsyncEngine
    lock: str | None
    told: Callable[[Exception], str]
