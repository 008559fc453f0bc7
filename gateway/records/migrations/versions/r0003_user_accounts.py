"""Accounts of people and programs: grants, sessions, tokens, failures, one-time links"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _accounts()
    _grants()
    _sessions()
    _tokens()
    _attempts()


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer(), autoincrement=True, nullable=False)


def _account() -> sa.Column[Any]:
    return sa.Column("account", sa.Integer(), nullable=False)


def _of_account(table: str) -> tuple[sa.ForeignKeyConstraint, sa.PrimaryKeyConstraint]:
    name = op.f(f"fk_{table}_account")
    return (
        sa.ForeignKeyConstraint(["account"], ["user_accounts.id"], name=name),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _accounts() -> None:
    op.create_table(
        "user_accounts",
        _id(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("totp", sa.String(), nullable=True),
        sa.Column("totp_new", sa.String(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_user_accounts_name")),
    )
    op.create_table(
        "user_passwords",
        _id(),
        _account(),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *_of_account("user_passwords"),
    )
    op.create_index(op.f("ix_user_passwords_account"), "user_passwords", ["account"])
    op.create_table(
        "user_recovery_codes",
        _id(),
        _account(),
        sa.Column("hash", sa.String(), nullable=False),
        *_of_account("user_recovery_codes"),
    )
    op.create_index(op.f("ix_user_recovery_codes_account"), "user_recovery_codes", ["account"])


def _grants() -> None:
    op.create_table(
        "user_grants",
        _id(),
        _account(),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("meters", sa.JSON(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        *_of_account("user_grants"),
    )
    op.create_index(op.f("ix_user_grants_account"), "user_grants", ["account"])


def _sessions() -> None:
    op.create_table(
        "user_sessions",
        _id(),
        sa.Column("hash", sa.String(), nullable=False),
        _account(),
        sa.Column("second", sa.Boolean(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.UniqueConstraint("hash", name=op.f("uq_user_sessions_hash")),
        *_of_account("user_sessions"),
    )
    op.create_index(op.f("ix_user_sessions_account"), "user_sessions", ["account"])


def _tokens() -> None:
    op.create_table(
        "user_tokens",
        _id(),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        _account(),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("hash", name=op.f("uq_user_tokens_hash")),
        *_of_account("user_tokens"),
    )
    op.create_index(op.f("ix_user_tokens_account"), "user_tokens", ["account"])


def _attempts() -> None:
    op.create_table(
        "user_failures",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "address", name=op.f("pk_user_failures")),
    )
    op.create_index(op.f("ix_user_failures_last_at_ms"), "user_failures", ["last_at_ms"])
    op.create_table(
        "user_links",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_user_links")),
    )
