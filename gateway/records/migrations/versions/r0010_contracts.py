"""Contracts, their baselines, adjustments and statements, and the weather that baselines go by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def _key(table: str, name: str = "id") -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(name, sa.Integer(), autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint(name, name=op.f(f"pk_{table}")),
    ]


def _said() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
    ]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "contracts",
        *_key("contracts", "number"),
        *_texts("id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("superseded_at_ms", sa.BigInteger(), nullable=True),
        *_said(),
        sa.UniqueConstraint("id", "version", name=op.f("uq_contracts_id_version")),
    )
    op.create_table(
        "contract_baselines",
        *_key("contract_baselines"),
        *_texts("contract", "clause", "sha256"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        *_said(),
        sa.UniqueConstraint(
            "contract", "clause", "version", name=op.f("uq_contract_baselines_contract_clause_version")
        ),
    )
    op.create_table(
        "contract_adjustments",
        *_key("contract_adjustments"),
        *_texts("contract", "clause", "per_day", "formula", "evidence"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        *_said(),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_why", sa.String(), nullable=True),
    )
    op.create_table(
        "weather_days",
        *_key("weather_days", "number"),
        *_texts("station", "celsius"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("superseded_at_ms", sa.BigInteger(), nullable=True),
        *_said(),
    )
    _statements()
    for table, column in (
        ("contracts", "id"),
        ("contract_baselines", "contract"),
        ("contract_adjustments", "contract"),
        ("weather_days", "station"),
        ("weather_days", "day"),
        ("contract_statements", "contract"),
        ("contract_statement_steps", "statement"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _statements() -> None:
    op.create_table(
        "contract_statements",
        *_key("contract_statements"),
        *_texts("contract", "number", "kind", "sha256", "due"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("reverses", sa.Integer(), nullable=True),
        sa.Column("bundle", sa.Text(), nullable=False),
        *_said(),
        sa.ForeignKeyConstraint(["reverses"], ["contract_statements.id"], name=op.f("fk_contract_statements_reverses")),
        sa.UniqueConstraint("contract", "sequence", name=op.f("uq_contract_statements_contract_sequence")),
    )
    op.create_table(
        "contract_statement_steps",
        *_key("contract_statement_steps"),
        *_texts("kind", "party", "line"),
        sa.Column("statement", sa.Integer(), nullable=False),
        *_said(),
        sa.ForeignKeyConstraint(
            ["statement"], ["contract_statements.id"], name=op.f("fk_contract_statement_steps_statement")
        ),
    )
