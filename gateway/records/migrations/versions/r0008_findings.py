"""Findings: events at counters, and what was said of them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("site", "meter", "quantity", "kind")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("start_ms", "end_ms")),
        sa.Column("ongoing", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("peak", "threshold")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("excess", "used", "expected")),
        sa.Column("ratio", sa.Float(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("tariff", "co2_kg", "factor_set")),
        sa.Column("method", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("found_at_ms", "changed_at_ms")),
        sa.Column("state", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("reason", "who", "why")),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    for name in ("site", "meter", "start_ms", "state"):
        op.create_index(op.f(f"ix_findings_{name}"), "findings", [name])
