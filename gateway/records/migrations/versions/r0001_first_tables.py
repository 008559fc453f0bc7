"""The first tables: sites, the life of meters, changes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_at_ms"), "changes", ["at_ms"])
    op.create_index(op.f("ix_changes_kind"), "changes", ["kind"])
    op.create_table(
        "meter_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.String(), nullable=True),
        sa.Column("final_register", sa.Double(), nullable=True),
        sa.Column("initial_register", sa.Double(), nullable=True),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("photo", sa.String(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_events")),
        sa.UniqueConstraint("digest", name=op.f("uq_meter_events_digest")),
    )
    op.create_index(op.f("ix_meter_events_meter"), "meter_events", ["meter"])
    op.create_table(
        "sites",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("tariff", sa.String(), nullable=True),
        sa.Column("capacity_kva", sa.Double(), nullable=True),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_accounts_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_accounts")),
        sa.UniqueConstraint("site", "id", name=op.f("uq_accounts_site_id")),
    )
    op.create_table(
        "facts",
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_facts_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_facts")),
    )
    op.create_index(op.f("ix_facts_node"), "facts", ["node"])
    op.create_table(
        "lines",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("timeout_s", sa.Double(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_lines_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_lines")),
        sa.UniqueConstraint("site", "id", name=op.f("uq_lines_site_id")),
    )
    op.create_table(
        "nodes",
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("institution_class", sa.String(), nullable=True),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_nodes_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_nodes")),
        sa.UniqueConstraint("site", "tree", "id", name=op.f("uq_nodes_site_tree_id")),
    )
    op.create_table(
        "shares",
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_shares_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_shares")),
    )
    op.create_index(op.f("ix_shares_subject"), "shares", ["subject"])
    op.create_table(
        "virtual_points",
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("formula", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_virtual_points_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_virtual_points")),
        sa.UniqueConstraint("site", "id", name=op.f("uq_virtual_points_site_id")),
    )
    op.create_table(
        "meters",
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("profile", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("interval_s", sa.Double(), nullable=False),
        sa.Column("ct", sa.Double(), nullable=False),
        sa.Column("pt", sa.Double(), nullable=False),
        sa.Column("reversed", sa.Boolean(), nullable=False),
        sa.Column("quantities", sa.JSON(), nullable=False),
        sa.Column("plausible", sa.JSON(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("registers", sa.JSON(), nullable=False),
        sa.Column("removed_on", sa.Date(), nullable=True),
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site", "account"],
            ["accounts.site", "accounts.id"],
            name=op.f("fk_meters_site_account"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["site", "line"],
            ["lines.site", "lines.id"],
            name=op.f("fk_meters_site_line"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["site", "parent"],
            ["meters.site", "meters.id"],
            name=op.f("fk_meters_site_parent"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_meters_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_meters")),
        sa.UniqueConstraint("site", "id", name=op.f("uq_meters_site_id")),
    )


def downgrade() -> None:
    op.drop_table("meters")
    op.drop_table("virtual_points")
    op.drop_table("shares")
    op.drop_table("nodes")
    op.drop_table("lines")
    op.drop_table("facts")
    op.drop_table("accounts")
    op.drop_table("sites")
    op.drop_table("meter_events")
    op.drop_table("changes")
