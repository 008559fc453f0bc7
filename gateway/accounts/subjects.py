"""Links: whom an identity provider knows, and whose account that is. One (issuer, subject) is of one account."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from energy.errors import UnknownName
from gateway.accounts.people import Account
from gateway.accounts.tables import UserAccountRow
from gateway.accounts.tables import UserSubjectRow as Row
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

LINK = "user_subject"
_TAKEN = TextWords("该外部身份已关联到一个账户", "This identity is linked to an account already")


@dataclass(frozen=True, slots=True)
class Link:
    """An account, as a provider knows it."""

    id: int
    account: int
    issuer: str
    subject: str
    who: str
    linked_at_ms: int


class Subjects:
    """The links of an installation."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def account_of(self, issuer: str, subject: str) -> int | None:
        """The account of whom a provider knows so."""
        wanted = select(Row.account).where(Row.issuer == issuer, Row.subject == subject)
        async with self._records.reading() as connection:
            return (await connection.execute(wanted)).scalar()

    async def of(self, account: Account) -> list[Link]:
        async with self._records.reading() as connection:
            wanted = select(Row.__table__).where(Row.account == account.id).order_by(Row.id)
            return [Link(**row) for row in (await connection.execute(wanted)).mappings()]

    async def link(self, account: Account, issuer: str, subject: str, author: Author) -> None:
        """Link an account; RequestError 409 where the identity is linked already, be it to the same one."""
        if not subject.strip():
            raise RequestError("a subject is not empty")
        said = {"issuer": issuer, "subject": subject}
        async with self._records.writing() as connection:
            if (await connection.execute(select(Row.id).where(Row.issuer == issuer, Row.subject == subject))).first():
                raise RequestError(_TAKEN.en, 409, _TAKEN, kind="urn:jieneng:linked")
            row = {"account": account.id, **said, "who": author.who, "linked_at_ms": author.at_ms}
            link_id = int((await connection.execute(insert(Row).values(**row).returning(Row.id))).scalar_one())
            await log_changes(connection, [Change(LINK, f"{account.name}/{link_id}", None, said)], author)

    async def unlink(self, link_id: int, account: Account | None, author: Author) -> None:
        """Take a link, of this account or of any, away."""
        own = Row.id == link_id if account is None else (Row.id == link_id) & (Row.account == account.id)
        async with self._records.writing() as connection:
            wanted = select(Row.__table__, UserAccountRow.name).join(UserAccountRow, UserAccountRow.id == Row.account)
            found = (await connection.execute(wanted.where(own))).first()
            if found is None:
                raise UnknownName(f"link {link_id} is not known")
            await connection.execute(delete(Row).where(Row.id == link_id))
            before = {"issuer": found.issuer, "subject": found.subject}
            await log_changes(connection, [Change(LINK, f"{found.name}/{link_id}", before, None)], author)
