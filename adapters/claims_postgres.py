"""Claims as advisory locks of PostgreSQL, held by one connection of each process: who dies, holds nothing any more.

Every second each process looks who is there and who holds what. Who shall hold a number follows from the names of those
that take part (rendezvous hashing), so that all agree without talking to each other, and only what must moves when one
comes or goes. What another one shall hold is let go of; what is free and ours is taken.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import asyncpg
import structlog

from adapters.postgres_address import LOST, PostgresAddress, told
from energy.errors import EnergyError, StoreError
from energy.names import check_id
from energy.ports import Handover

log = structlog.get_logger()

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS claims;
CREATE TABLE IF NOT EXISTS claims.members (id integer PRIMARY KEY, name text NOT NULL);
"""
# Whoever comes makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061977
_LOOK_S = 1.0
# What was not seen for so long is not believed; a look that takes longer is a connection that is lost.
_BELIEVED_S, _PATIENCE_S = 5.0, 15.0
# So long a process that was killed may still be in the way of the next one of its name.
_NAME_TAKEN_S = 20.0
# A machine that vanishes without a word is noticed by the server after a quarter of a minute.
_SETTINGS = {
    "application_name": "jieneng claims",
    "tcp_keepalives_idle": "5", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "2",
}  # fmt: skip
# A connection that breaks within a question ends in the last of these.
_FAULTS = (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_PROCESS = "process"
_WHO_HOLDS = """
SELECT classid::bigint, objid::bigint, pid FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid::bigint = ANY($1::bigint[])
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(slots=True)
class _Part:
    """A kind of work: what is locked by us, what of it is given out to be worked in, and who was seen to hold what."""

    kind: str
    count: int
    gained: Handover | None
    lost: Handover | None
    joined: bool = False
    locked: set[int] = field(default_factory=set)
    ready: set[int] = field(default_factory=set)
    at_work: Counter[int] = field(default_factory=Counter)
    members: tuple[str, ...] = ()
    holders: dict[int, str] = field(default_factory=dict)
    reckoned: tuple[tuple[str, ...], frozenset[int]] = ((), frozenset())
    moving: asyncio.Task[None] | None = None

    @property
    def members_class(self) -> int:
        return _number(f"members of {self.kind}")

    def shall_hold(self, name: str) -> frozenset[int]:
        """The numbers that are a member's by the names of all."""
        if self.reckoned[0] != self.members:
            ours = frozenset(n for n in range(self.count) if keeper(self.kind, n, self.members) == name)
            self.reckoned = self.members, ours
        return self.reckoned[1]


def keeper(kind: str, number: int, members: Sequence[str]) -> str:
    """Who of the members shall hold a number; another one's coming or going moves no more than its own share."""
    return max(members, key=lambda name: blake2b(f"{name}\0{kind}\0{number}".encode(), digest_size=8).digest())


def _number(text: str) -> int:
    """What stands for a name among the locks: 31 bits."""
    return zlib.crc32(f"jieneng {text}".encode()) & 0x7FFFFFFF


@asynccontextmanager
async def open_claims(address: str, name: str, *, look_s: float = _LOOK_S) -> AsyncIterator[PostgresClaims]:
    """The claims of a process in the database at an address; EnergyError where another live one has its name."""
    check_id("process", name)
    claims = PostgresClaims(PostgresAddress.parse(address, "claims"), name, look_s)
    await claims.begin()
    looking, opener = asyncio.create_task(claims.run()), asyncio.current_task()
    # A fault of what is told of gained and lost numbers ends the process rather than its part in the work.
    looking.add_done_callback(lambda done: None if done.cancelled() or opener is None else opener.cancel())
    try:
        yield claims
    finally:
        looking.cancel()
        try:
            with suppress(asyncio.CancelledError):
                await looking
        finally:
            await claims.end()


class PostgresClaims:
    """Fulfils `Claims`."""

    def __init__(self, at: PostgresAddress, name: str, look_s: float = _LOOK_S) -> None:
        self._at, self._name, self._look_s = at, name, look_s
        self._id = _number(name)
        self._parts: dict[str, _Part] = {}
        self._connection: Any = None
        self._using = asyncio.Lock()
        self._seen = float("-inf")
        self._names: dict[int, str] = {}
        self._since: float | None = None

    @property
    def name(self) -> str:
        return self._name

    def take_part(self, kind: str, count: int, *, gained: Handover | None = None, lost: Handover | None = None) -> None:
        if kind in self._parts:
            raise ValueError(f"this process takes part in {kind!r} already")
        self._parts[kind] = _Part(kind, count, gained, lost)

    def held(self, kind: str, number: int = 0) -> bool:
        return self._is_seen() and number in self._parts[kind].locked

    @contextmanager
    def work(self, kind: str, numbers: Collection[int]) -> Iterator[frozenset[int]]:
        part = self._parts[kind]
        mine = frozenset(part.ready.intersection(numbers)) if self._is_seen() else frozenset()
        part.at_work.update(mine)
        try:
            yield mine
        finally:
            part.at_work.subtract(mine)

    def holder(self, kind: str, number: int = 0) -> str | None:
        return self._parts[kind].holders.get(number)

    def members(self, kind: str) -> Sequence[str]:
        return self._parts[kind].members

    def _is_seen(self) -> bool:
        return time.monotonic() - self._seen < _BELIEVED_S

    # -- coming and going ------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Be there under our name; waits a little for a killed process of the same name to be gone."""
        for _ in range(int(_NAME_TAKEN_S)):
            if await self._connect():
                return
            await asyncio.sleep(1)
        raise EnergyError(f"a process named {self._name!r} is running already; give this one another name (--name)")

    async def _connect_again(self) -> None:
        if not await self._connect():
            raise StoreError(f"another process named {self._name!r} is running")

    async def _connect(self) -> bool:
        """Connect and take our name; False where somebody else has it."""
        connection = await self._at.connect(_SETTINGS, _PATIENCE_S)
        try:
            taken = await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _number(_PROCESS), self._id)
            if taken:
                await self._introduce(connection)
        except BaseException:
            connection.terminate()
            raise
        if not taken:
            await connection.close()
            return False
        connection.add_termination_listener(self._terminated)
        self._connection = connection
        return True

    async def _introduce(self, connection: Any) -> None:
        async with connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute(_SCHEMA)
            await connection.execute(
                "INSERT INTO claims.members VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                self._id,
                self._name,
            )

    def _terminated(self, connection: Any) -> None:
        if connection is self._connection:
            self._seen = float("-inf")

    async def end(self) -> None:
        """Let go of all."""
        await self._drop_all()
        if self._connection is not None:
            with suppress(*_FAULTS):
                await self._connection.close(timeout=_PATIENCE_S)

    # -- every second ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look and move for ever."""
        while True:
            try:
                if self._connection is None:
                    await self._connect_again()
                await self.look()
                self._tell_back()
            except (StoreError, *_FAULTS) as error:
                await self._lose(error)
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """See who is there and who holds what, and begin to move what is not where it shall be."""
        for part in self._parts.values():
            if not part.joined:
                await self._ask("SELECT pg_advisory_lock($1, $2)", part.members_class, self._id)
                part.joined = True
        began = time.monotonic()
        classes = [_number(_PROCESS)]
        for part in self._parts.values():
            classes += [_number(part.kind), part.members_class]
        rows = await self._ask(_WHO_HOLDS, classes)
        by_class: dict[int, list[tuple[int, int]]] = {}
        for of_class, number, pid in rows:
            by_class.setdefault(of_class, []).append((number, pid))
        processes = {pid: await self._name_of(number) for number, pid in by_class.get(_number(_PROCESS), ())}
        self._seen = began
        for part in self._parts.values():
            self._take_in(part, by_class, processes)
            if part.moving is not None and part.moving.done():
                # What fails there fails here.
                part.moving = part.moving.result()
            if part.moving is None:
                part.moving = asyncio.create_task(self._move(part))

    def _take_in(
        self, part: _Part, by_class: Mapping[int, list[tuple[int, int]]], processes: Mapping[int, str]
    ) -> None:
        members = {processes[pid] for _, pid in by_class.get(part.members_class, ()) if pid in processes}
        part.members = tuple(sorted(members))
        held = by_class.get(_number(part.kind), ())
        part.holders = {number: processes[pid] for number, pid in held if pid in processes}

    async def _name_of(self, id_: int) -> str:
        if id_ not in self._names:
            self._names |= dict(await self._ask("SELECT id, name FROM claims.members"))
        return self._names.get(id_, str(id_))

    async def _move(self, part: _Part) -> None:
        """Let go of what another one shall hold, and take what is ours and free."""
        ours = part.shall_hold(self._name)
        part.ready &= ours
        if gone := frozenset(n for n in part.locked - ours if not part.at_work[n]):
            await self._let_go(part, gone)
        free = [n for n in sorted(ours - part.locked) if n not in part.holders]
        try:
            if free:
                await self._take(part, free)
        except _FAULTS as error:
            log.warning("claims.unmoved", kind=part.kind, cause=told(error))

    async def _take(self, part: _Part, free: Sequence[int]) -> None:
        ask = "SELECT n, pg_try_advisory_lock($1, n) FROM unnest($2::integer[]) AS n"
        got = frozenset(n for n, taken in await self._ask(ask, _number(part.kind), free) if taken)
        if not got:
            return
        part.locked |= got
        part.holders |= dict.fromkeys(got, self._name)
        try:
            if part.gained is not None:
                await part.gained(got)
        except EnergyError as error:
            log.error("claims.not_taken_up", kind=part.kind, numbers=len(got), cause=str(error))
            await self._let_go(part, got)
            return
        part.ready |= got
        log.info("claims.gained", kind=part.kind, numbers=len(got), held=len(part.locked))

    async def _let_go(self, part: _Part, gone: frozenset[int]) -> None:
        if part.lost is not None:
            await part.lost(gone)
        part.locked -= gone
        with suppress(*_FAULTS):
            ask = "SELECT pg_advisory_unlock($1, n) FROM unnest($2::integer[]) AS n"
            await self._ask(ask, _number(part.kind), sorted(gone))
        for number in gone:
            part.holders.pop(number, None)
        log.info("claims.given_up", kind=part.kind, numbers=len(gone), held=len(part.locked))

    async def _ask(self, query: str, *arguments: Any) -> Any:
        async with self._using:
            if self._connection is None:
                raise asyncpg.InterfaceError("there is no connection")
            return await self._connection.fetch(query, *arguments)

    # -- without a connection --------------------------------------------------------------------------------------

    async def _lose(self, error: BaseException) -> None:
        if self._since is None:
            self._since = time.monotonic()
            log.error("claims.lost", cause=told(error) if not isinstance(error, EnergyError) else str(error))
        self._seen = float("-inf")
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        await self._drop_all()

    def _tell_back(self) -> None:
        if self._since is not None:
            log.info("claims.back", after_s=round(time.monotonic() - self._since, 1))
            self._since = None

    async def _drop_all(self) -> None:
        self._seen = float("-inf")
        for part in self._parts.values():
            if (moving := part.moving) is not None:
                part.moving = None
                moving.cancel()
                await asyncio.wait([moving])
            gone, part.joined = frozenset(part.locked), False
            part.locked, part.ready, part.holders, part.members = set(), set(), {}, ()
            if gone and part.lost is not None:
                await part.lost(gone)
