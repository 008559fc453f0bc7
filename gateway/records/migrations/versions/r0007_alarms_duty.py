"""Alarms with their rules, members, steps and messages; duty rosters"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _long(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instants(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _id(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), autoincrement=True, nullable=False)


def _of_alarm(table: str, *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    key = sa.ForeignKeyConstraint(["alarm"], ["alarms.id"], name=op.f(f"fk_{table}_alarm"))
    return [sa.Column("alarm", sa.Integer(), nullable=nullable), key]


def upgrade() -> None:
    for table in ("alarm_rules", "duty_rosters"):
        op.create_table(
            table,
            _id("number"),
            *_long("document"),
            *_text("who", "why"),
            *_instants("entered_at_ms"),
            sa.PrimaryKeyConstraint("number", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "alarms",
        _id(),
        *_text("cause", "kind"),
        sa.Column("rule", sa.String(), nullable=True),
        *_text("subject", "title_zh", "title_en"),
        *_long("detail_zh", "detail_en", "first_zh", "first_en"),
        sa.Column("point", sa.String(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("beyond", sa.Float(), nullable=True),
        *_text("unit"),
        *_instants("crossed_ms"),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        *_text("level"),
        *_instants("opened_ms", "began_ms"),
        *_numbers("round", "flaps"),
        *_instants("pushed_ms", "read_ms", "acknowledged_ms", "recovered_ms", "closed_ms", nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_how", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.create_table(
        "alarm_members",
        _id(),
        *_of_alarm("alarm_members"),
        *_text("name"),
        *_instants("since_ms"),
        *_instants("until_ms", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_members")),
    )
    op.create_table(
        "alarm_steps",
        _id(),
        *_of_alarm("alarm_steps"),
        *_instants("at_ms"),
        *_text("kind", "who", "how"),
        *_long("note"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_steps")),
    )
    op.create_table(
        "alarm_messages",
        _id(),
        *_text("key"),
        *_of_alarm("alarm_messages", nullable=True),
        *_text("kind"),
        *_numbers("round", "rung"),
        *_text("person", "channel", "address"),
        *_numbers("way"),
        *_text("language", "title"),
        *_long("text", "more"),
        sa.Column("linked", sa.Boolean(), nullable=False),
        *_text("state"),
        *_numbers("attempts"),
        *_instants("made_ms", "next_ms"),
        *_instants("done_ms", nullable=True),
        *_text("answer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_alarm_messages_key")),
    )
    for table, column in (
        ("alarms", "cause"),
        ("alarms", "closed_ms"),
        ("alarm_members", "alarm"),
        ("alarm_steps", "alarm"),
        ("alarm_messages", "alarm"),
        ("alarm_messages", "state"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
