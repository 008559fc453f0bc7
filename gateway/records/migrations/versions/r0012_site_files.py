"""Which site file the records were brought up to by the start of a gateway"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "site_files",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("file", "records")),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_site_files_site_sites")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_site_files")),
    )
