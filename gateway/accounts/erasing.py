"""Erasing an account on request (个人信息保护法, article 47): what tells who it was of goes, what was done stays.

The audit log, which the law has kept for a time (网络安全法, article 21), is not rewritten: its older rows go by age.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.accounts.people import ACCOUNT, KINDS, Account
from gateway.accounts.subjects import LINK
from gateway.accounts.tables import (
    UserAccountRow,
    UserFailureRow,
    UserGrantRow,
    UserPasswordRow,
    UserRecoveryRow,
    UserSessionRow,
    UserSubjectRow,
    UserTokenRow,
)
from gateway.records.base import Base, table_of
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from gateway.records.tables import ChangeRow

_OWN = (UserSessionRow, UserPasswordRow, UserRecoveryRow, UserSubjectRow)
# Under which columns the records say who did something.
_SIGNED = ("who", "withdrawn_by")


def pseudonym_of(account: Account) -> str:
    """No account can be called so: what it did is told apart, and leads to nobody."""
    return f"erased#{account.id}"


async def erase(records: Records, account: Account, author: Author) -> str:
    """Erase an account; it signs in no more, its grants end, and under what it did stands its pseudonym."""
    name = pseudonym_of(account)
    async with records.writing() as connection:
        for rows in map(table_of, _OWN):
            await connection.execute(delete(rows).where(rows.c.account == account.id))
        await connection.execute(delete(UserFailureRow).where(UserFailureRow.name == account.name))
        await _end(connection, account, author)
        for table in Base.metadata.sorted_tables:
            await _sign(connection, table, account.name, name)
        await _rename_changes(connection, account.name, name)
        gone: dict[str, Any] = {"password": None, "password_at_ms": None, "totp": None, "totp_new": None}
        own = update(UserAccountRow).where(UserAccountRow.id == account.id)
        await connection.execute(own.values(name=name, erased=True, disabled=True, must_change=False, **gone))
        await log_changes(connection, [Change(ACCOUNT, name, {"erased": False}, {"erased": True})], author)
    return name


async def _end(connection: AsyncConnection, account: Account, author: Author) -> None:
    grants, tokens = UserGrantRow, UserTokenRow
    holds = (grants.account == account.id, (grants.to_ms.is_(None)) | (grants.to_ms > author.at_ms))
    await connection.execute(update(grants).where(*holds).values(to_ms=author.at_ms))
    held = (tokens.account == account.id, tokens.revoked_at_ms.is_(None))
    await connection.execute(update(tokens).where(*held).values(revoked_at_ms=author.at_ms))
    # What a token is called may tell whose it is.
    await connection.execute(update(tokens).where(tokens.account == account.id).values(name=""))


async def _sign(connection: AsyncConnection, table: Table, name: str, pseudonym: str) -> None:
    for column in _SIGNED:
        if column in table.c:
            await connection.execute(update(table).where(table.c[column] == name).values({column: pseudonym}))


async def _rename_changes(connection: AsyncConnection, name: str, pseudonym: str) -> None:
    """What was changed of the account, the key of which begins with its name: as of the pseudonym, without more."""
    wanted = select(ChangeRow.id, ChangeRow.key, ChangeRow.before, ChangeRow.after)
    begins = (ChangeRow.kind.in_((*KINDS, LINK)), ChangeRow.key.startswith(name, autoescape=True))
    for change_id, key, before, after in (await connection.execute(wanted.where(*begins))).all():
        head, slash, rest = key.partition("/")
        if head == name:
            said = {"key": f"{pseudonym}{slash}{rest}", "before": _without(before), "after": _without(after)}
            await connection.execute(update(ChangeRow).where(ChangeRow.id == change_id).values(**said))


def _without(said: Any) -> Any:
    """Neither how a token was called, nor as whom a provider knew him."""
    return said if said is None else {k: v for k, v in said.items() if k not in ("name", "subject")}
