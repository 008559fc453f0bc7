"""Accounts and what they were granted, in the records; every change of them is logged, without what lets one in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.errors import UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.access.roles import SEPARATE, Grant, Identity, Permission, Role
from gateway.accounts.tables import UserAccountRow as Row
from gateway.accounts.tables import UserGrantRow, UserPasswordRow, UserSessionRow
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

ACCOUNT, GRANT, TOKEN = KINDS = ("user_account", "user_grant", "user_token")
# So many accounts are asked for by their numbers; of more, all grants are looked through.
_NAMED = 500
_NAME = re.compile(r"[^\W_][\w.@-]{0,63}")
_SEPARATE = TextWords(
    "系统管理、安全管理、审计管理三种权限须由不同账户担任",
    "System, security and audit administration are of three accounts",
)


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in."""

    id: int
    name: str
    password: str | None
    must_change: bool
    disabled: bool
    totp: str | None
    totp_new: str | None
    totp_step: int
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """A grant from an instant on, until another."""

    id: int
    grant: Grant
    from_ms: int
    to_ms: int | None
    who: str
    why: str

    def holds(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and (self.to_ms is None or at_ms < self.to_ms)


@dataclass(frozen=True, slots=True)
class Person:
    """An account with all of its grants that have not ended."""

    account: Account
    held: tuple[Held, ...]

    def identity(self, at_ms: int, scopes: frozenset[Permission] | None = None) -> Identity:
        """Who this is at an instant."""
        return Identity(self.account.name, tuple(h.grant for h in self.held if h.holds(at_ms)), scopes)


def folded(name: str) -> str:
    """A name as it is kept and compared."""
    return name.strip().casefold()


@dataclass(frozen=True, slots=True)
class Sought:
    """Which accounts: whose name has this in it; who hold a role, of an organisation; who may sign in, or may not."""

    search: str = ""
    role: Role | None = None
    organisation: str | None = None
    disabled: bool | None = None


class People:
    """The accounts of an installation. `version` rises with every change."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self.version = 0

    async def all(self) -> list[Person]:
        """Everybody, by name."""
        return await self._found(select(Row.__table__).order_by(Row.name))

    async def sought(self, sought: Sought, limit: int, after: str = "") -> tuple[list[Person], int]:
        """Some of them by name, behind the name `after`; and how many there are."""
        wanted = select(Row.__table__).where(*self._conditions(sought))
        async with self._records.reading() as connection:
            count = int((await connection.execute(select(func.count()).select_from(wanted.subquery()))).scalar_one())
        return await self._found(wanted.where(Row.name > after).order_by(Row.name).limit(limit)), count

    def _conditions(self, sought: Sought) -> list[ColumnElement[bool]]:
        grants, now = UserGrantRow, to_ms(self._clock.now())
        found: list[ColumnElement[bool]] = []
        if words := folded(sought.search):
            found.append(Row.name.contains(words, autoescape=True))
        if sought.disabled is not None:
            found.append(Row.disabled.is_(sought.disabled))
        if sought.role is not None or sought.organisation is not None:
            holding = select(grants.account).where((grants.to_ms.is_(None)) | (grants.to_ms > now))
            if sought.role is not None:
                holding = holding.where(grants.role == sought.role.value)
            if sought.organisation is not None:
                holding = holding.where(grants.organisation == sought.organisation)
            found.append(Row.id.in_(holding))
        return found

    async def named(self, name: str) -> Person | None:
        return next(iter(await self._found(select(Row.__table__).where(Row.name == folded(name)))), None)

    async def numbered(self, account_id: int) -> Person:
        found = await self._found(select(Row.__table__).where(Row.id == account_id))
        return found[0]

    async def one(self, name: str) -> Person:
        """The account of this name; UnknownName where there is none."""
        found = await self.named(name)
        if found is None:
            raise UnknownName(f"account {name} is not known")
        return found

    async def _found(self, wanted: Any) -> list[Person]:
        async with self._records.reading() as connection:
            accounts = [Account(**row) for row in (await connection.execute(wanted)).mappings()]
            held = await self._held(connection, [a.id for a in accounts] if len(accounts) <= _NAMED else None)
        return [Person(a, tuple(held.get(a.id, ()))) for a in accounts]

    async def _held(self, connection: AsyncConnection, ids: Sequence[int] | None) -> dict[int, list[Held]]:
        now = to_ms(self._clock.now())
        grants = UserGrantRow
        wanted = select(grants.__table__).where((grants.to_ms.is_(None)) | (grants.to_ms > now)).order_by(grants.id)
        if ids is not None:
            wanted = wanted.where(grants.account.in_(ids))
        found: dict[int, list[Held]] = {}
        for r in (await connection.execute(wanted)).all():
            grant = Grant(Role(r.role), r.organisation, tuple(r.meters))
            found.setdefault(r.account, []).append(Held(r.id, grant, r.from_ms, r.to_ms, r.who, r.why))
        return found

    async def add(self, name: str, hashed: str | None, author: Author, *, must_change: bool) -> Account:
        """A new account; RequestError where there is one of this name, or the name cannot be one."""
        name = folded(name)
        await self.must_be_new(name)
        row = {"name": name, "password": hashed, "must_change": must_change, "disabled": False, "totp_step": -1}
        async with self._records.writing() as connection:
            made = insert(Row).values(**row, created_at_ms=author.at_ms).returning(Row.id)
            account_id = int((await connection.execute(made)).scalar_one())
            if hashed:
                kept = insert(UserPasswordRow).values(account=account_id, password=hashed, at_ms=author.at_ms)
                await connection.execute(kept)
            change = Change(ACCOUNT, name, None, {"must_change": must_change, "disabled": False})
            await log_changes(connection, [change], author)
        self.version += 1
        return (await self.numbered(account_id)).account

    async def must_be_new(self, name: str) -> None:
        """RequestError where it cannot be the name of an account, or is that of one."""
        if not _NAME.fullmatch(name):
            text = TextWords(
                "账户名最多 64 个字符，可用字母、汉字、数字及 . @ - _，以字母、汉字或数字开头",
                "A name has up to 64 letters, digits and . @ - _, and begins with a letter or a digit",
            )
            raise RequestError(text.en, 400, text)
        if await self.named(name) is not None:
            text = TextWords(f"账户 {name} 已存在", f"There is an account {name} already")
            raise RequestError(text.en, 409, text)

    async def change(self, account: Account, author: Author, what: str, *, end_sessions: bool, **values: Any) -> None:
        """Change columns of an account; the log tells `what` was done, and of what is no secret the values."""
        plain = {k: v for k, v in values.items() if isinstance(v, bool)}
        before = {k: getattr(account, k) for k in plain}
        async with self._records.writing() as connection:
            if values:
                await connection.execute(update(Row).where(Row.id == account.id).values(**values))
            if values.get("password"):
                kept = insert(UserPasswordRow)
                given = {"account": account.id, "password": values["password"], "at_ms": author.at_ms}
                await connection.execute(kept.values(**given))
            if end_sessions:
                await connection.execute(delete(UserSessionRow).where(UserSessionRow.account == account.id))
            change = Change(ACCOUNT, account.name, {**before, "done": ""}, {**plain, "done": what})
            await log_changes(connection, [change], author)
        self.version += 1

    async def passwords(self, account: Account, newest: int) -> list[str]:
        """The hashes of the newest passwords of an account."""
        rows = UserPasswordRow
        wanted = select(rows.password).where(rows.account == account.id).order_by(rows.id.desc()).limit(newest)
        async with self._records.reading() as connection:
            return list((await connection.execute(wanted)).scalars())

    async def grant(
        self, person: Person, grant: Grant, author: Author, from_ms: int | None = None, to_ms: int | None = None
    ) -> int:
        """Grant a role; RequestError where the account would hold two of the separate administrations."""
        roles = {h.grant.role for h in person.held} & SEPARATE
        if grant.role in SEPARATE and roles - {grant.role}:
            raise RequestError(_SEPARATE.en, 409, _SEPARATE, kind="urn:jieneng:separation")
        begins = author.at_ms if from_ms is None else from_ms
        if to_ms is not None and to_ms <= begins:
            raise RequestError(f"to {to_ms} must be after from {begins}")
        row: dict[str, Any] = {
            "role": grant.role.value,
            "organisation": grant.organisation,
            "meters": list(grant.meters),
        }
        row |= {"from_ms": begins, "to_ms": to_ms}
        async with self._records.writing() as connection:
            said = {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms}
            made = insert(UserGrantRow).values(account=person.account.id, **row, **said).returning(UserGrantRow.id)
            grant_id = int((await connection.execute(made)).scalar_one())
            await log_changes(connection, [Change(GRANT, f"{person.account.name}/{grant_id}", None, row)], author)
        self.version += 1
        return grant_id

    async def revoke(self, grant_id: int, author: Author) -> str:
        """Let a grant end now; whose it was."""
        async with self._records.writing() as connection:
            wanted = select(UserGrantRow.__table__, Row.name).join(Row, Row.id == UserGrantRow.account)
            found = (await connection.execute(wanted.where(UserGrantRow.id == grant_id))).first()
            if found is None or (found.to_ms is not None and found.to_ms <= author.at_ms):
                raise UnknownName(f"grant {grant_id} is not known, or has ended already")
            ends = update(UserGrantRow).where(UserGrantRow.id == grant_id).values(to_ms=author.at_ms)
            await connection.execute(ends)
            before, after = {"role": found.role, "to_ms": found.to_ms}, {"role": found.role, "to_ms": author.at_ms}
            await log_changes(connection, [Change(GRANT, f"{found.name}/{grant_id}", before, after)], author)
        self.version += 1
        return str(found.name)
