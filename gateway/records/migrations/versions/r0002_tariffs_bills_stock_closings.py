"""Tariffs, bills, stocks of fuels, closed months"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _tariffs()
    _bills()
    _stock_moves()
    _closings()


def _tariffs() -> None:
    op.create_table(
        "tariffs",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tariffs")),
    )
    op.create_index(op.f("ix_tariffs_id"), "tariffs", ["id"])


def _entered() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_why", sa.String(), nullable=True),
    ]


def _bills() -> None:
    op.create_table(
        "bills",
        *_entered(),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("lines", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bills")),
    )
    op.create_index(op.f("ix_bills_account"), "bills", ["account"])


def _stock_moves() -> None:
    op.create_table(
        "stock_moves",
        *_entered(),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("fuel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
    )
    op.create_index(op.f("ix_stock_moves_of"), "stock_moves", ["of"])


def _booked() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), nullable=False),
        sa.Column("unpriced_micro", sa.BigInteger(), nullable=False),
    ]


def _closings() -> None:
    op.create_table(
        "closings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closings")),
        sa.UniqueConstraint("site", "month", name=op.f("uq_closings_site_month")),
    )
    op.create_table(
        "closing_figures",
        *_booked(),
        sa.Column("measured_ms", sa.BigInteger(), nullable=False),
        sa.Column("estimated_ms", sa.BigInteger(), nullable=False),
        sa.Column("manual_ms", sa.BigInteger(), nullable=False),
        sa.Column("disputed_ms", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["closing"], ["closings.id"], name=op.f("fk_closing_figures_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_figures")),
        sa.UniqueConstraint("closing", "meter", "quantity", name=op.f("uq_closing_figures_closing_meter_quantity")),
    )
    op.create_table(
        "closing_entries",
        *_booked(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("booked_in", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["closing"], ["closings.id"], name=op.f("fk_closing_entries_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_entries")),
    )
    op.create_index(op.f("ix_closing_entries_closing"), "closing_entries", ["closing"])
    op.create_index(op.f("ix_closing_entries_booked_in"), "closing_entries", ["booked_in"])
