"""Accounts for who does not administer them: nobody's, or one's own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NoReturn

from energy.errors import UnknownName
from gateway.access.door import Origin
from gateway.access.roles import Identity, Permission
from gateway.access.seen_readings import not_of_all
from gateway.accounts.openid import OpenId, Vouched
from gateway.accounts.passwords import PasswordRules
from gateway.accounts.people import Account, People, Person
from gateway.accounts.service import Accounts
from gateway.accounts.subjects import Link, Subjects
from gateway.accounts.tokens import Token, Tokens
from gateway.records.changes import Author


def seen_accounts(accounts: Accounts, identity: Identity, permission: Permission) -> Accounts:
    """All for who administers them, or is about to say who he is; one's own for what is one's own; else none."""
    if permission is Permission.OPEN:
        return accounts
    if permission is Permission.OWN:
        return OwnAccounts(accounts, identity.account)
    if permission is Permission.ADMINISTER_SECURITY and identity.may(permission):
        return accounts
    return CLOSED


class ClosedAccounts(Accounts):
    """Tells nothing, and does nothing. Nothing of the base is set."""

    def __init__(self) -> None:
        pass

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("accounts")


CLOSED = ClosedAccounts()


class OwnPeople(People):
    """Oneself. Nothing of the base is set."""

    def __init__(self, people: People, name: str) -> None:
        self._people, self._name = people, name

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("accounts")

    async def one(self, name: str) -> Person:
        if not name or name != self._name:
            raise UnknownName(f"account {name} is not known")
        return await self._people.one(name)

    async def numbered(self, account_id: int) -> Person:
        person = await self._people.numbered(account_id)
        _own(person.account, self._name)
        return person

    async def all(self) -> list[Person]:
        raise not_of_all("accounts")


class OwnTokens(Tokens):
    """Those of an account that is one's own. Nothing of the base is set."""

    def __init__(self, tokens: Tokens, name: str) -> None:
        self._tokens, self._name = tokens, name

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("tokens")

    async def of(self, account: Account) -> list[Token]:
        return await self._tokens.of(_own(account, self._name))

    async def make(self, account: Account, name: str, scopes: Collection[Permission], days: int, author: Author) -> str:
        return await self._tokens.make(_own(account, self._name), name, scopes, days, author)

    async def revoke(self, token_id: int, account: Account | None, author: Author) -> None:
        await self._tokens.revoke(token_id, _own(account, self._name), author)


class OwnSubjects(Subjects):
    """The links of an account that is one's own. Nothing of the base is set."""

    def __init__(self, subjects: Subjects, name: str) -> None:
        self._subjects, self._name = subjects, name

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("links")

    async def of(self, account: Account) -> list[Link]:
        return await self._subjects.of(_own(account, self._name))

    async def unlink(self, link_id: int, account: Account | None, author: Author) -> None:
        await self._subjects.unlink(link_id, _own(account, self._name), author)


class OwnOpenId(OpenId):
    """Linking an account that is one's own to an identity. Nothing of the base is set."""

    def __init__(self, openid: OpenId, name: str) -> None:
        self._openid, self._name = openid, name
        self.subjects = OwnSubjects(openid.subjects, name)

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("links")

    async def begin(self, provider_id: str, account: Account | None = None) -> tuple[str, str]:
        return await self._openid.begin(provider_id, _own(account, self._name))

    async def vouched(
        self, secret: str, state: str, code: str, error: str, tell: Callable[[str], None] = lambda _: None
    ) -> Vouched:
        return await self._openid.vouched(secret, state, code, error, tell)

    async def link(self, vouched: Vouched, account: Account, author: Author) -> None:
        await self._openid.link(vouched, _own(account, self._name), author)


class OwnAccounts(Accounts):
    """What somebody does to his own account. Nothing of the base is set."""

    def __init__(self, accounts: Accounts, name: str) -> None:
        self._accounts, self._name = accounts, name
        self.people = OwnPeople(accounts.people, name)
        self.tokens = OwnTokens(accounts.tokens, name)
        self.sessions = accounts.sessions
        # By these the organisations of his own grants are named.
        self.organisations = accounts.organisations
        self.openid = OwnOpenId(accounts.openid, name)

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("accounts")

    @property
    def password_rules(self) -> PasswordRules:
        return self._accounts.password_rules

    def author(self, who: str, why: str = "") -> Author:
        return self._accounts.author(who, why)

    async def must_know(self, account: Account, password: str, origin: Origin) -> None:
        await self._accounts.must_know(_own(account, self._name), password, origin)

    async def recovery_codes_left(self, account: Account) -> int:
        return await self._accounts.recovery_codes_left(_own(account, self._name))

    async def change_password(self, account: Account, old: str, new: str, origin: Origin) -> str:
        return await self._accounts.change_password(_own(account, self._name), old, new, origin)

    async def enrol(self, account: Account, password: str, origin: Origin) -> tuple[str, str]:
        return await self._accounts.enrol(_own(account, self._name), password, origin)

    async def confirm(self, account: Account, code: str) -> list[str]:
        return await self._accounts.confirm(_own(account, self._name), code)

    async def drop_second(self, account: Account, password: str, origin: Origin) -> None:
        await self._accounts.drop_second(_own(account, self._name), password, origin)


def _own(account: Account | None, name: str) -> Account:
    if account is None or account.name != name:
        raise not_of_all("accounts")
    return account
