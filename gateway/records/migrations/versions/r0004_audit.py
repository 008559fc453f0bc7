"""The audit log: chained rows, two signed places, and triggers that keep programs from changing what was written"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_INDEXED = ("at_ms", "account", "action", "subject")
# Rows before the signed beginning are pruned; nothing else of the log goes, and nothing of it changes.
_SQLITE = (
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END",
    "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit "
    "WHEN OLD.seq > (SELECT seq FROM audit_heads WHERE name = 'base') "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END",
)
_POSTGRESQL = (
    "CREATE FUNCTION audit_is_appended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF TG_OP = 'DELETE' AND OLD.seq <= (SELECT seq FROM audit_heads WHERE name = 'base') THEN RETURN OLD; END IF; "
    "RAISE EXCEPTION 'the audit log is only appended to'; END $$",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_is_appended()",
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("account", "address", "action", "subject")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("outcome", "detail", "previous", "hash")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    for name in _INDEXED:
        op.create_index(op.f(f"ix_audit_{name}"), "audit", [name])
    heads = op.create_table(
        "audit_heads",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_heads")),
    )
    op.bulk_insert(heads, [{"name": n, "seq": 0, "hash": "0" * 64, "signature": ""} for n in ("base", "head")])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
