"""What was learnt of each counter that findings are looked for at"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "findings_learnt",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("site", "meter", "quantity")),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("threshold", "usual_run")),
        sa.Column("upto_ms", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "quantity", name=op.f("pk_findings_learnt")),
    )
