"""Accounts as the API tells and takes them. What lets somebody in is told once, where it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from gateway.access.door import Visit
from gateway.access.roles import Grant, Permission, Role
from gateway.accounts.people import Held, Person, Sought
from gateway.accounts.sessions import Begun
from gateway.accounts.tokens import Token
from gateway.api.words import TextWords

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Why = Annotated[str, msgspec.Meta(max_length=2000)]
Names = Mapping[str, TextWords]
Stage = Literal["out", "second", "in"]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A name and its password."""

    name: Name
    password: Password


class SecondFactor(msgspec.Struct, forbid_unknown_fields=True):
    """The code that an authenticator app shows now, or a recovery code."""

    code: Code


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty object."""


class SessionAnswer(msgspec.Struct):
    """Who is signed in.

    accounts : `off` where nobody needs to be. stage : `second` while the second factor is asked for. must_change : only
    the password can be changed. csrf : what the header X-CSRF-Token of every POST must say.
    zone : of the site, for who is signed in.
    """

    accounts: Literal["required", "off"]
    stage: Stage
    name: str = ""
    permissions: list[Permission] = []
    must_change: bool = False
    csrf: str = ""
    zone: str = ""

    @classmethod
    def of(cls, visit: Visit, zone: str, *, required: bool) -> SessionAnswer:
        stage: Stage = "in" if visit.is_known else "second" if visit.csrf else "out"
        may = [p for p in Permission if visit.is_known and visit.identity.may(p)]
        accounts: Literal["required", "off"] = "required" if required else "off"
        return cls(
            accounts, stage, visit.identity.account, may, visit.must_change, visit.csrf, zone if visit.is_known else ""
        )


class SignedIn(msgspec.Struct):
    """What comes next: `second` the second factor, `in` nothing. Ask GET /api/v1/session for the rest."""

    stage: Stage
    csrf: str


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The present password, and the one to come."""

    old: Password
    new: Password


class First(msgspec.Struct, forbid_unknown_fields=True):
    """The secret of the one-time link, and the account that it makes."""

    link: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: Name
    password: Password


class OwnPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The present password."""

    password: Password


class QrWords(msgspec.Struct):
    """A QR code: `size` modules along a side with its quiet zone, the dark ones as `path` of SVG, a module being 1."""

    size: int
    path: str


class Enrolled(msgspec.Struct):
    """The secret for an authenticator app; the same as an address of the scheme otpauth, and as a QR code of it."""

    secret: str
    address: str
    qr: QrWords


class RecoveryCodes(msgspec.Struct):
    """Codes that stand in for the second factor, each once; told this one time."""

    codes: list[str]


class GrantWords(msgspec.Struct, rename={"from_ms": "from", "to_ms": "to"}):
    """A role of an organisation and all below it, of everything where none is named; a partner's names meters.

    name : of the organisation, null where it is not, or no longer, in the site.
    """

    id: int
    role: Role
    organisation: str | None
    name: TextWords | None
    meters: list[str]
    from_ms: int
    to_ms: int | None
    who: str
    why: str

    @classmethod
    def of(cls, held: Held, names: Names) -> GrantWords:
        grant = held.grant
        of = (grant.role, grant.organisation, names.get(grant.organisation or ""), list(grant.meters))
        return cls(held.id, *of, held.from_ms, held.to_ms, held.who, held.why)


class PersonWords(msgspec.Struct):
    """An account."""

    name: str
    disabled: bool
    must_change: bool
    second_factor: bool
    created_at: int
    locked_until: int | None
    grants: list[GrantWords]

    @classmethod
    def of(cls, person: Person, names: Names, locked_until_ms: int | None) -> PersonWords:
        a = person.account
        grants = [GrantWords.of(held, names) for held in person.held]
        said = (a.name, a.disabled, a.must_change, a.totp is not None, a.created_at_ms)
        return cls(*said, locked_until_ms, grants)


class AccountsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Accounts whose name has `search` in it, who hold a role, of an organisation itself, who are disabled or not.

    `cursor` is the `next` of the page before.
    """

    search: Annotated[str, msgspec.Meta(max_length=64)] = ""
    role: Role | None = None
    organisation: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    disabled: bool | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None

    @property
    def sought(self) -> Sought:
        return Sought(self.search, self.role, self.organisation, self.disabled)


class AccountsAnswer(msgspec.Struct):
    """Accounts by name, and how many were asked for in all; `next` is null on the last page."""

    accounts: list[PersonWords]
    count: int
    next: str | None


class OrganisationName(msgspec.Struct):
    """An organisation that a role can be granted of."""

    id: str
    parent: str | None
    name: TextWords


class OrganisationNames(msgspec.Struct):
    """The organisations of the site, by name alone; one above which another stands names it as its parent."""

    organisations: list[OrganisationName]


class OwnSession(msgspec.Struct):
    """A session of one's own; `current` is the one that asks."""

    id: int
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str
    current: bool

    @classmethod
    def of(cls, begun: Begun, current: int | None) -> OwnSession:
        times = (begun.created_at_ms, begun.seen_at_ms, begun.expires_at_ms)
        return cls(begun.id, *times, begun.address, begun.agent, begun.id == current)


class SessionId(msgspec.Struct, forbid_unknown_fields=True):
    """Which session of one's own ends."""

    id: int


class RuleWords(msgspec.Struct):
    """What a password must be like: so many characters, so many of four kinds, none of so many that were used last."""

    least: int
    most: int
    kinds: int
    kept: int


class OwnAccount(msgspec.Struct):
    """One's own account. recovery_codes : how many are left."""

    name: str
    created_at: int
    second_factor: bool
    recovery_codes: int
    grants: list[GrantWords]
    sessions: list[OwnSession]
    rules: RuleWords


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """An account to be made."""

    name: Name
    why: Why = ""


class AccountName(msgspec.Struct, forbid_unknown_fields=True):
    """An account, and why something is done to it."""

    name: Name
    why: Why = ""


class Disabling(msgspec.Struct, forbid_unknown_fields=True):
    """Whether an account may sign in."""

    name: Name
    disabled: bool
    why: Why = ""


class FirstPassword(msgspec.Struct):
    """A password that must be changed at the first sign-in; told this one time."""

    name: str
    password: str


class NewGrant(msgspec.Struct, forbid_unknown_fields=True, rename={"from_ms": "from", "to_ms": "to"}):
    """A role to be granted, from now on unless told otherwise."""

    name: Name
    role: Role
    organisation: str | None = None
    meters: list[str] = []
    from_ms: int | None = None
    to_ms: int | None = None
    why: Why = ""

    @property
    def grant(self) -> Grant:
        return Grant(self.role, self.organisation, tuple(self.meters))


class ById(msgspec.Struct, forbid_unknown_fields=True):
    """What is revoked, and why."""

    id: int
    why: Why = ""


class TokenWords(msgspec.Struct):
    """A token, without what lets one in."""

    id: int
    name: str
    scopes: list[Permission]
    created_at: int
    expires_at: int
    used_at: int | None
    revoked_at: int | None

    @classmethod
    def of(cls, t: Token) -> TokenWords:
        times = (t.created_at_ms, t.expires_at_ms, t.used_at_ms, t.revoked_at_ms)
        return cls(t.id, t.name, sorted(t.scopes), *times)


class TokensAnswer(msgspec.Struct):
    """Tokens, newest first."""

    tokens: list[TokenWords]


class TokensOf(msgspec.Struct, forbid_unknown_fields=True):
    """Whose tokens."""

    account: Name


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """A token to be made; it permits what is in its scopes and granted to its account."""

    name: Name
    scopes: list[Permission]
    days: int = 90


class TokenMade(msgspec.Struct):
    """A token, told this one time; sent as `Authorization: Bearer jn_…`."""

    token: str
