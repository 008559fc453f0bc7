"""Keys of requests that are done once, and what was answered"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "asked_keys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("who", "body")),
        sa.Column("status", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("answer", "content_type")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_asked_keys")),
    )
    op.create_index(op.f("ix_asked_keys_at_ms"), "asked_keys", ["at_ms"])
