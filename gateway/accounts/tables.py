"""Tables of accounts. What would let somebody in is never kept as it is: passwords by argon2id, the rest by SHA-256."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class _Numbered:
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)


class UserAccountRow(_Numbered, Base):
    """Who may sign in; `totp` is the sealed secret of the second factor, `totp_new` one that is not confirmed yet.

    password_at_ms : when the password was chosen, by its owner or for him. erased : the name is a pseudonym.
    """

    __tablename__ = "user_accounts"

    name: Mapped[str] = mapped_column(String, unique=True)
    password: Mapped[str | None] = mapped_column(String)
    must_change: Mapped[bool] = mapped_column(Boolean)
    disabled: Mapped[bool] = mapped_column(Boolean)
    totp: Mapped[str | None] = mapped_column(String)
    totp_new: Mapped[str | None] = mapped_column(String)
    totp_step: Mapped[int] = mapped_column(BigInteger)
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    password_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    erased: Mapped[bool] = mapped_column(Boolean)


class UserPasswordRow(_Numbered, Base):
    """Passwords that an account has had."""

    __tablename__ = "user_passwords"

    account: Mapped[int] = mapped_column(ForeignKey("user_accounts.id"), index=True)
    password: Mapped[str] = mapped_column(String)
    at_ms: Mapped[int] = mapped_column(BigInteger)


class UserRecoveryRow(_Numbered, Base):
    """Codes that stand in for the second factor, each once."""

    __tablename__ = "user_recovery_codes"

    account: Mapped[int] = mapped_column(ForeignKey("user_accounts.id"), index=True)
    hash: Mapped[str] = mapped_column(String)


class UserGrantRow(_Numbered, Base):
    """A role that an account holds from an instant on, until another."""

    __tablename__ = "user_grants"

    account: Mapped[int] = mapped_column(ForeignKey("user_accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String)
    organisation: Mapped[str | None] = mapped_column(String)
    meters: Mapped[list[str]] = mapped_column(JSON)
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int | None] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)


class UserSessionRow(_Numbered, Base):
    """Somebody signed in; `second` while the second factor is still asked for; `provider` vouched for him, if any."""

    __tablename__ = "user_sessions"

    hash: Mapped[str] = mapped_column(String, unique=True)
    account: Mapped[int] = mapped_column(ForeignKey("user_accounts.id"), index=True)
    second: Mapped[bool] = mapped_column(Boolean)
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    seen_at_ms: Mapped[int] = mapped_column(BigInteger)
    expires_at_ms: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String)
    agent: Mapped[str] = mapped_column(String)
    provider: Mapped[str | None] = mapped_column(String)


class UserTokenRow(_Numbered, Base):
    """A token of the API: an account, narrowed to scopes."""

    __tablename__ = "user_tokens"

    hash: Mapped[str] = mapped_column(String, unique=True)
    name: Mapped[str] = mapped_column(String)
    account: Mapped[int] = mapped_column(ForeignKey("user_accounts.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    expires_at_ms: Mapped[int] = mapped_column(BigInteger)
    used_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class UserFailureRow(Base):
    """Attempts on a name from an address since the last that succeeded."""

    __tablename__ = "user_failures"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    address: Mapped[str] = mapped_column(String, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    last_at_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class UserLinkRow(Base):
    """A link by which a security administrator is made, once."""

    __tablename__ = "user_links"

    hash: Mapped[str] = mapped_column(String, primary_key=True)
    expires_at_ms: Mapped[int] = mapped_column(BigInteger)


class UserSubjectRow(_Numbered, Base):
    """Whom an identity provider knows under `subject`: one account, which may have several of them."""

    __tablename__ = "user_subjects"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    account: Mapped[int] = mapped_column(ForeignKey("user_accounts.id"), index=True)
    issuer: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    who: Mapped[str] = mapped_column(String)
    linked_at_ms: Mapped[int] = mapped_column(BigInteger)


class UserFlowRow(Base):
    """Somebody who was sent to an identity provider and is not back yet; `account` is whose link it is to become."""

    __tablename__ = "user_flows"

    hash: Mapped[str] = mapped_column(String, primary_key=True)
    state: Mapped[str] = mapped_column(String)
    provider: Mapped[str] = mapped_column(String)
    nonce: Mapped[str] = mapped_column(String)
    verifier: Mapped[str] = mapped_column(String)
    account: Mapped[int | None] = mapped_column(Integer)
    expires_at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
