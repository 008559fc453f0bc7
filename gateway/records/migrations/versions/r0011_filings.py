"""Filings of the statistics, and the steps they took"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "filings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("organisation", "form", "version", "period")),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("entered", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("frozen", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filings")),
        sa.UniqueConstraint("form", "period", "organisation", name=op.f("uq_filings_form_period_organisation")),
    )
    for name in ("organisation", "period"):
        op.create_index(op.f(f"ix_filings_{name}"), "filings", [name])
    op.create_table(
        "filing_steps",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("filing", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("frozen", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["filing"], ["filings.id"], name=op.f("fk_filing_steps_filing_filings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_steps")),
    )
    op.create_index(op.f("ix_filing_steps_filing"), "filing_steps", ["filing"])
