"""Sessions: begun at sign-in with a secret that only the cookie holds, ended by their owner, by idleness or by age."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, delete, insert, select, update

from energy.errors import UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.access.door import Origin
from gateway.accounts.secrecy import hashed, new_secret
from gateway.accounts.tables import UserSessionRow as Row
from gateway.records.database import Records

_MINUTE_MS = 60_000
# So long may pass between the password and the second factor.
_SECOND_MS = 5 * _MINUTE_MS
_SEEN_EVERY_MS = _MINUTE_MS


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a session lasts without a request, and at most."""

    idle_ms: int = 30 * _MINUTE_MS
    whole_ms: int = 12 * 60 * _MINUTE_MS


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in; `second` while the second factor is still asked for."""

    id: int
    account: int
    second: bool
    seen_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as its owner is told of it."""

    id: int
    created_at_ms: int
    seen_at_ms: int
    expires_at_ms: int
    address: str
    agent: str


class Sessions:
    """The sessions of an installation. `version` rises when one ends."""

    def __init__(self, records: Records, clock: Clock, rules: SessionRules) -> None:
        self._records, self._clock, self._rules = records, clock, rules
        self.version = 0

    async def begin(self, account: int, origin: Origin, *, second: bool, instead: int | None) -> str:
        """A new session in place of another; its secret. Those that have expired are cleared away."""
        now, secret = to_ms(self._clock.now()), new_secret()
        ends = now + (_SECOND_MS if second else self._rules.whole_ms)
        row = {"account": account, "second": second, "created_at_ms": now, "seen_at_ms": now, "expires_at_ms": ends}
        async with self._records.writing() as connection:
            await connection.execute(delete(Row).where((Row.expires_at_ms <= now) | (Row.id == (instead or -1))))
            told = {"address": origin.address, "agent": origin.agent}
            await connection.execute(insert(Row).values(hash=hashed(secret), **row, **told))
        # A new session makes nothing untrue that is known of others.
        self.version += instead is not None
        return secret

    async def find(self, secret: str) -> Session | None:
        """The session of a secret, where it has not ended."""
        return await self._found(Row.hash == hashed(secret))

    async def numbered(self, session_id: int) -> Session | None:
        """The session of this id, where it has not ended."""
        return await self._found(Row.id == session_id)

    async def of(self, account: int) -> list[Begun]:
        """The sessions of an account that have not ended, the one that was used last first."""
        now = to_ms(self._clock.now())
        columns = (Row.id, Row.created_at_ms, Row.seen_at_ms, Row.expires_at_ms, Row.address, Row.agent)
        lasting = (Row.expires_at_ms > now, Row.seen_at_ms > now - self._rules.idle_ms, Row.second.is_(False))
        wanted = select(*columns).where(Row.account == account, *lasting).order_by(Row.seen_at_ms.desc(), Row.id)
        async with self._records.reading() as connection:
            return [Begun(*row) for row in (await connection.execute(wanted)).all()]

    async def end_of(self, account: int, session_id: int) -> None:
        """End a session of this account; UnknownName where it has none of this id."""
        own = (Row.id == session_id, Row.account == account)
        async with self._records.writing() as connection:
            if (await connection.execute(delete(Row).where(*own).returning(Row.id))).first() is None:
                raise UnknownName(f"session {session_id} is not known, or has ended already")
        self.version += 1

    async def _found(self, condition: ColumnElement[bool]) -> Session | None:
        columns = (Row.id, Row.account, Row.second, Row.seen_at_ms, Row.expires_at_ms)
        async with self._records.reading() as connection:
            found = (await connection.execute(select(*columns).where(condition))).first()
        session = None if found is None else Session(*found)
        return session if session is not None and self.lasts(session) else None

    def lasts(self, session: Session) -> bool:
        now = to_ms(self._clock.now())
        return now < session.expires_at_ms and now - session.seen_at_ms < self._rules.idle_ms

    async def seen(self, session: Session) -> Session:
        """The session with a request of now; written once a minute."""
        now = to_ms(self._clock.now())
        if now - session.seen_at_ms < _SEEN_EVERY_MS:
            return session
        async with self._records.writing() as connection:
            await connection.execute(update(Row).where(Row.id == session.id).values(seen_at_ms=now))
        return replace(session, seen_at_ms=now)

    async def end(self, session_id: int) -> None:
        async with self._records.writing() as connection:
            await connection.execute(delete(Row).where(Row.id == session_id))
        self.version += 1
