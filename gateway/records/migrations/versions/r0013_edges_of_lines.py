"""Which edge reads a line, who sends a meter without one, and which version of its site file an edge was handed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("lines", sa.Column("edge", sa.String(), nullable=True))
    op.add_column("meters", sa.Column("sender", sa.String(), nullable=True))
    op.create_table(
        "edge_sites",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("site", "edge")),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_edge_sites_site_sites")),
        sa.PrimaryKeyConstraint("site", "edge", name=op.f("pk_edge_sites")),
    )
