"""Tokens of the API: shown once, kept as a hash, narrowed to scopes, with an end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select, update

from energy.errors import UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.access.roles import Permission
from gateway.accounts.people import TOKEN, Account
from gateway.accounts.secrecy import hashed, new_secret
from gateway.accounts.tables import UserTokenRow as Row
from gateway.api.problems import RequestError
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

PREFIX = "jn_"
LONGEST_DAYS = 366
_DAY_MS = 86_400_000
_USED_EVERY_MS = 60_000
_SCOPES = frozenset(Permission) - {Permission.OPEN, Permission.OWN}


@dataclass(frozen=True, slots=True)
class Token:
    """A token without what lets one in."""

    id: int
    name: str
    account: int
    scopes: frozenset[Permission]
    created_at_ms: int
    expires_at_ms: int
    used_at_ms: int | None
    revoked_at_ms: int | None

    def holds(self, at_ms: int) -> bool:
        return self.revoked_at_ms is None and at_ms < self.expires_at_ms


class Tokens:
    """The tokens of an installation. `version` rises when one is revoked."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self.version = 0

    async def make(self, account: Account, name: str, scopes: Collection[Permission], days: int, author: Author) -> str:
        """A new token of an account; what it returns is shown once."""
        if not scopes or not _SCOPES.issuperset(scopes):
            raise RequestError(f"scopes are at least one of {', '.join(sorted(_SCOPES))}")
        if not 1 <= days <= LONGEST_DAYS:
            raise RequestError(f"a token holds for 1 to {LONGEST_DAYS} days, not {days}")
        token, until = PREFIX + new_secret(), author.at_ms + days * _DAY_MS
        said = {"name": name, "scopes": sorted(scopes), "expires_at_ms": until}
        async with self._records.writing() as connection:
            row = {"hash": hashed(token), "account": account.id, "created_at_ms": author.at_ms, **said}
            made = insert(Row).values(**row).returning(Row.id)
            token_id = int((await connection.execute(made)).scalar_one())
            change = Change(TOKEN, f"{account.name}/{token_id}", None, said)
            await log_changes(connection, [change], author)
        return token

    async def find(self, token: str) -> Token | None:
        """The token of this text; it may have expired or been revoked."""
        found = await self._found(Row.hash == hashed(token))
        return found[0] if found else None

    async def of(self, account: Account) -> list[Token]:
        """The tokens of an account, newest first; revoked ones too."""
        return await self._found(Row.account == account.id)

    async def _found(self, condition: ColumnElement[bool]) -> list[Token]:
        columns = (Row.id, Row.name, Row.account, Row.scopes, Row.created_at_ms, Row.expires_at_ms, Row.used_at_ms)
        wanted = select(*columns, Row.revoked_at_ms).where(condition).order_by(Row.id.desc())
        async with self._records.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [Token(r[0], r[1], r[2], frozenset(map(Permission, r[3])), *r[4:]) for r in rows]

    async def used(self, token: Token) -> None:
        """Note that it was used now; once a minute."""
        now = to_ms(self._clock.now())
        if token.used_at_ms is not None and now - token.used_at_ms < _USED_EVERY_MS:
            return
        async with self._records.writing() as connection:
            await connection.execute(update(Row).where(Row.id == token.id).values(used_at_ms=now))

    async def revoke(self, token_id: int, account: Account | None, author: Author) -> None:
        """Let a token, of this account or of any, hold no longer."""
        own = Row.id == token_id if account is None else (Row.id == token_id) & (Row.account == account.id)
        async with self._records.writing() as connection:
            ends = update(Row).where(own, Row.revoked_at_ms.is_(None)).values(revoked_at_ms=author.at_ms)
            if (await connection.execute(ends.returning(Row.id))).first() is None:
                raise UnknownName(f"token {token_id} is not known, or was revoked already")
            after = {"revoked_at_ms": author.at_ms}
            change = Change(TOKEN, str(token_id), {"revoked_at_ms": None}, after)
            await log_changes(connection, [change], author)
        self.version += 1
