"""Signing in: a password, a second factor where there is one, a session; the first administrator by a one-time link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import delete, func, insert, select, update

from energy.organisations import Organisation
from energy.ports import Clock
from energy.readings import to_ms
from gateway.access.door import Origin
from gateway.access.roles import Grant, Role
from gateway.accounts.lockout import Lockout
from gateway.accounts.passwords import KEPT, LONGEST, PasswordRules, Passwords, random_password, refused
from gateway.accounts.people import Account, People, Person, folded
from gateway.accounts.second import new_totp, plain, recovery_codes, step_of, totp_address
from gateway.accounts.secrecy import Seal, hashed, new_secret
from gateway.accounts.sessions import Session, SessionRules, Sessions
from gateway.accounts.tables import UserAccountRow, UserLinkRow, UserRecoveryRow
from gateway.accounts.tokens import Tokens
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.records.changes import Author
from gateway.records.database import Records

log = structlog.get_logger()

_LINK_MS = 24 * 3_600_000
# Who has come so far knows the password: guesses of codes are counted together, wherever they come from.
_ANYWHERE = "second factor"
_WRONG = TextWords("账户名或密码不正确", "The name or the password is wrong")
_WRONG_CODE = TextWords("动态码不正确，或已使用过", "The code is wrong, or was used already")
_WRONG_LINK = TextWords("此链接无效、已过期或已使用", "This link is not valid, has expired, or was used already")


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What holds for all accounts of an installation."""

    passwords: PasswordRules = field(default_factory=PasswordRules)
    sessions: SessionRules = field(default_factory=SessionRules)


class Accounts:
    """Everything about accounts, over the records."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        seal: Seal,
        rules: AccountRules | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        rules = rules or AccountRules()
        self._records, self._clock, self._seal, self._rules = records, clock, seal, rules.passwords
        self._passwords = passwords or Passwords()
        self.lockout = Lockout(records, clock)
        # Set where there is a site: who grants must be able to name organisations, and sees nothing else of them.
        self.organisations: Callable[[], Sequence[Organisation]] = tuple
        self.people = People(records, clock)
        self.sessions = Sessions(records, clock, rules.sessions)
        self.tokens = Tokens(records, clock)

    @property
    def password_rules(self) -> PasswordRules:
        return self._rules

    @property
    def version(self) -> int:
        """Another one whenever what was known of somebody may hold no longer."""
        return self.people.version + self.sessions.version + self.tokens.version

    def author(self, who: str, why: str = "") -> Author:
        return Author(who, why, to_ms(self._clock.now()))

    async def sign_in(self, name: str, password: str, origin: Origin, session: int | None) -> str:
        """The secret of a new session; RequestError 401 in the same words and time, whatever was wrong."""
        name = folded(name)
        await self.lockout.attempt(name, origin.network)
        person = await self.people.named(name)
        right = await self._passwords.matches(person.account.password if person else None, password[: LONGEST + 1])
        if person is None or not right or person.account.disabled:
            log.warning("account.refused", name=name, address=origin.address, factor="password")
            raise RequestError(_WRONG.en, 401, _WRONG)
        second = person.account.totp is not None
        if not second:
            await self._entered(person, origin)
        return await self.sessions.begin(person.account.id, origin, second=second, instead=session)

    async def sign_in_second(self, session: Session, code: str, origin: Origin) -> str:
        """The secret of the session that takes the place of the one which had only the password."""
        person = await self.people.numbered(session.account)
        await self.lockout.attempt(person.account.name, _ANYWHERE)
        if not await self._is_second(person.account, code):
            log.warning("account.refused", name=person.account.name, address=origin.address, factor="second")
            raise RequestError(_WRONG_CODE.en, 401, _WRONG_CODE)
        await self.lockout.forget(person.account.name, _ANYWHERE)
        await self._entered(person, origin)
        return await self.sessions.begin(session.account, origin, second=False, instead=session.id)

    async def _entered(self, person: Person, origin: Origin) -> None:
        await self.lockout.forget(person.account.name, origin.network)
        log.info("account.signed_in", name=person.account.name, address=origin.address)

    async def _is_second(self, account: Account, code: str) -> bool:
        if account.totp is None:
            return False
        step = step_of(self._seal.opened(account.totp), plain(code), self._clock.now().timestamp(), account.totp_step)
        async with self._records.writing() as connection:
            if step is None:
                rows = UserRecoveryRow
                own = (rows.account == account.id, rows.hash == hashed(plain(code)))
                taken = delete(rows).where(*own).returning(rows.id)
                return (await connection.execute(taken)).first() is not None
            # Two that come with one code at once: one of them finds the step taken.
            own_row = (UserAccountRow.id == account.id, UserAccountRow.totp_step < step)
            moved = update(UserAccountRow).where(*own_row).values(totp_step=step).returning(UserAccountRow.id)
            return (await connection.execute(moved)).first() is not None

    async def change_password(self, account: Account, old: str, new: str, origin: Origin) -> str:
        """The secret of a new session; all others of the account have ended."""
        await self._must_be(account, old, origin)
        await self._must_be_fit(account, new)
        words = {"password": await self._passwords.hashed(new), "must_change": False}
        author = self.author(account.name)
        await self.people.change(account, author, "password changed", end_sessions=True, **words)
        return await self.sessions.begin(account.id, origin, second=False, instead=None)

    async def _must_be(self, account: Account, password: str, origin: Origin) -> None:
        """Whoever sits down at a session that was left open does not know the password."""
        await self.lockout.attempt(account.name, origin.network)
        if not await self._passwords.matches(account.password, password[: LONGEST + 1]):
            text = TextWords("当前密码不正确", "The present password is wrong")
            raise RequestError(text.en, 403, text)
        await self.lockout.forget(account.name, origin.network)

    async def _must_be_fit(self, account: Account, new: str) -> None:
        faults = self._rules.faults(account.name, new)
        if not faults:
            for kept in await self.people.passwords(account, KEPT):
                if await self._passwords.matches(kept, new):
                    faults = [TextWords(f"不得与最近 {KEPT} 次的密码相同", f"It is one of the last {KEPT} passwords")]
                    break
        if faults:
            raise refused(faults)

    async def enrol(self, account: Account, password: str, origin: Origin) -> tuple[str, str]:
        """A new secret for an authenticator app, and its address; it holds once a code of it was confirmed."""
        await self._must_be(account, password, origin)
        secret, author = new_totp(), self.author(account.name)
        sealed = self._seal.sealed(secret)
        await self.people.change(account, author, "second factor begun", end_sessions=False, totp_new=sealed)
        return secret, totp_address(secret, account.name)

    async def confirm(self, account: Account, code: str) -> list[str]:
        """Let the new second factor hold; its recovery codes, which are shown once."""
        now_s = self._clock.now().timestamp()
        await self.lockout.attempt(account.name, _ANYWHERE)
        step = step_of(self._seal.opened(account.totp_new), plain(code), now_s, -1) if account.totp_new else None
        if step is None:
            raise RequestError(_WRONG_CODE.en, 400, _WRONG_CODE)
        await self.lockout.forget(account.name, _ANYWHERE)
        codes = recovery_codes()
        await self._keep_codes(account, codes)
        values = {"totp": account.totp_new, "totp_new": None, "totp_step": step}
        author = self.author(account.name)
        await self.people.change(account, author, "second factor set", end_sessions=False, **values)
        return codes

    async def drop_second(self, account: Account, password: str, origin: Origin) -> None:
        await self._must_be(account, password, origin)
        await self._forget_second(account, self.author(account.name), "second factor taken away")

    async def _forget_second(self, account: Account, author: Author, what: str) -> None:
        await self._keep_codes(account, [])
        await self.people.change(account, author, what, end_sessions=False, totp=None, totp_new=None)

    async def _keep_codes(self, account: Account, codes: list[str]) -> None:
        rows = UserRecoveryRow
        async with self._records.writing() as connection:
            await connection.execute(delete(rows).where(rows.account == account.id))
            if codes:
                given = [{"account": account.id, "hash": hashed(code)} for code in codes]
                await connection.execute(insert(rows), given)

    async def add(self, name: str, author: Author) -> str:
        """A new account; its first password, which is shown once and must be changed."""
        password = random_password()
        await self.people.add(name, await self._passwords.hashed(password), author, must_change=True)
        return password

    async def reset(self, account: Account, author: Author) -> str:
        """A new password in place of a lost one, shown once; second factor and sessions are gone."""
        password = random_password()
        await self.lockout.forget(account.name)
        await self._forget_second(account, author, "second factor taken away")
        values = {"password": await self._passwords.hashed(password), "must_change": True}
        await self.people.change(account, author, "password reset", end_sessions=True, **values)
        return password

    async def reset_second(self, account: Account, author: Author) -> None:
        """Who has lost his authenticator signs in by the password alone, and anew."""
        await self._forget_second(account, author, "second factor taken away")
        await self.end_sessions(account, author)

    async def unlock(self, account: Account, author: Author) -> None:
        """Let go of the attempts on a name, from wherever they came."""
        await self.lockout.forget(account.name)
        await self.people.change(account, author, "unlocked", end_sessions=False)

    async def end_sessions(self, account: Account, author: Author) -> None:
        await self.people.change(account, author, "sessions ended", end_sessions=True)

    async def recovery_codes_left(self, account: Account) -> int:
        """How many recovery codes of the account were not used yet."""
        left = select(func.count()).where(UserRecoveryRow.account == account.id)
        async with self._records.reading() as connection:
            return int((await connection.execute(left)).scalar_one())

    async def disable(self, account: Account, author: Author, *, disabled: bool) -> None:
        what = "disabled" if disabled else "enabled"
        await self.people.change(account, author, what, end_sessions=True, disabled=disabled)

    async def new_link(self) -> str:
        """The secret of a one-time link for a first security administrator; an older link holds no longer."""
        secret, until = new_secret(), to_ms(self._clock.now()) + _LINK_MS
        async with self._records.writing() as connection:
            await connection.execute(delete(UserLinkRow))
            await connection.execute(insert(UserLinkRow).values(hash=hashed(secret), expires_at_ms=until))
        return secret

    async def use_link(self, secret: str, name: str, password: str, origin: Origin) -> str:
        """The session of a new security administrator."""
        await self.lockout.attempt("one-time link", origin.network)
        own = (UserLinkRow.hash == hashed(secret), UserLinkRow.expires_at_ms > to_ms(self._clock.now()))
        async with self._records.reading() as connection:
            if (await connection.execute(select(UserLinkRow.hash).where(*own))).first() is None:
                raise RequestError(_WRONG_LINK.en, 403, _WRONG_LINK)
        await self.lockout.forget("one-time link", origin.network)
        name = folded(name)
        await self.people.must_be_new(name)
        if faults := self._rules.faults(name, password):
            raise refused(faults)
        words = await self._passwords.hashed(password)
        async with self._records.writing() as connection:
            if (await connection.execute(delete(UserLinkRow).where(*own).returning(UserLinkRow.hash))).first() is None:
                raise RequestError(_WRONG_LINK.en, 403, _WRONG_LINK)
        author = self.author(name, "by the one-time link")
        account = await self.people.add(name, words, author, must_change=False)
        await self.people.grant(Person(account, ()), Grant(Role.SECURITY_ADMINISTRATOR), author)
        log.info("account.first", name=account.name, address=origin.address)
        return await self.sessions.begin(account.id, origin, second=False, instead=None)
