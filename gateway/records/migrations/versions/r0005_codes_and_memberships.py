"""Official codes of places and organisations, and who belongs below whom for a time"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("nodes", sa.Column("code", sa.String(), nullable=True))
    op.create_table(
        "memberships",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("within", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_memberships_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_memberships")),
    )
    for name in ("organisation", "within"):
        op.create_index(op.f(f"ix_memberships_{name}"), "memberships", [name])
