"""Sign-in by identity providers, hidden nodes, the age of passwords, accounts that were erased"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("nodes", "meters"):
        op.add_column(table, sa.Column("hidden", sa.String(), nullable=True))
    op.add_column("user_accounts", sa.Column("password_at_ms", sa.BigInteger(), nullable=True))
    op.add_column("user_accounts", sa.Column("erased", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE user_accounts SET password_at_ms = "
        "(SELECT MAX(at_ms) FROM user_passwords WHERE user_passwords.account = user_accounts.id)"
    )
    op.add_column("user_sessions", sa.Column("provider", sa.String(), nullable=True))
    _subjects()
    _flows()


def _subjects() -> None:
    op.create_table(
        "user_subjects",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("issuer", "subject", "who")),
        sa.Column("linked_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["user_accounts.id"], name=op.f("fk_user_subjects_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_subjects")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_user_subjects_issuer_subject")),
    )
    op.create_index(op.f("ix_user_subjects_account"), "user_subjects", ["account"])


def _flows() -> None:
    op.create_table(
        "user_flows",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("hash", "state", "provider", "nonce", "verifier")),
        sa.Column("account", sa.Integer(), nullable=True),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_user_flows")),
    )
    op.create_index(op.f("ix_user_flows_expires_at_ms"), "user_flows", ["expires_at_ms"])
