"""Keys that requests carry so as to be done once: noted in the transaction that does what is asked.

The first transaction that writes for a request notes its key: both are committed or neither is, whatever becomes of the
connection, of the process or of the answer. Who asks the same anew finds the key before anything is written, in this
process or another: transactions that write follow each other, and each looks.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.errors import EnergyError
from gateway.records.base import table_of
from gateway.records.tables import AskedKeyRow

# So long a key is known.
KEPT_MS = 86_400_000
_KEYS = table_of(AskedKeyRow)


class AskedBefore(EnergyError):
    """What was to be written is written already, under the same key; nothing was written now."""


@dataclass(slots=True)
class Asked:
    """A request under a key. `name` stands for account, path and key, `who` for what the account is permitted, `body`
    for what is asked: digests. `noted`: it is committed. `over`: what is written from now on is no part of it."""

    name: str
    who: str
    body: str
    at_ms: int
    noted: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered."""

    status: int
    answer: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was noted; `answered` is None while the answer is not kept, for ever where it was lost."""

    who: str
    body: str
    at_ms: int
    answered: Answered | None


_ASKED: ContextVar[Asked | None] = ContextVar("asked", default=None)


@contextmanager
def under_key(asked: Asked) -> Iterator[None]:
    """What is written within is what was asked under a key."""
    token = _ASKED.set(asked)
    try:
        yield
    finally:
        # A task that was begun within may live on.
        asked.over = True
        _ASKED.reset(token)


async def note_asked(connection: AsyncConnection) -> Asked | None:
    """Within a transaction that writes: note the key under which it is done, if it is and was not; AskedBefore where
    somebody has. What is to be called `noted` as soon as the transaction is committed."""
    asked = _ASKED.get()
    if asked is None or asked.over or asked.noted:
        return None
    if await find_asked(connection, asked) is not None:
        raise AskedBefore("this was asked under the same key before")
    await _insert(connection, asked)
    return asked


async def find_asked(connection: AsyncConnection, asked: Asked) -> Known | None:
    """What is known of its key; None where that is new, or a day old."""
    wanted = select(_KEYS).where(_KEYS.c.name == asked.name, _KEYS.c.at_ms > asked.at_ms - KEPT_MS)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    if row is None:
        return None
    answered = None if row["status"] is None else Answered(row["status"], b64decode(row["answer"]), row["content_type"])
    return Known(row["who"], row["body"], row["at_ms"], answered)


async def keep_answer(connection: AsyncConnection, asked: Asked, answered: Answered) -> None:
    """Within a transaction: keep the answer with the key, which is noted now where nothing was written; not where
    somebody else has noted it meanwhile."""
    if not asked.noted:
        if await find_asked(connection, asked) is not None:
            return
        await _insert(connection, asked)
    told = {"status": answered.status, "answer": b64encode(answered.answer).decode()}
    kept = update(_KEYS).where(_KEYS.c.name == asked.name)
    await connection.execute(kept.values(**told, content_type=answered.content_type))


async def forget_asked(connection: AsyncConnection, asked: Asked) -> None:
    """Within a transaction: the key may be used again."""
    await connection.execute(delete(_KEYS).where(_KEYS.c.name == asked.name))


async def _insert(connection: AsyncConnection, asked: Asked) -> None:
    await connection.execute(delete(_KEYS).where(_KEYS.c.at_ms <= asked.at_ms - KEPT_MS))
    await connection.execute(insert(_KEYS).values(name=asked.name, at_ms=asked.at_ms, who=asked.who, body=asked.body))
