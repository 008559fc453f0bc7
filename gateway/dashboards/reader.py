"""The role by which Grafana reads PostgreSQL: it may read what dashboards show, and change nothing."""

from __future__ import annotations

from gateway.dashboards.panels import DataSource
from gateway.dashboards.sources import LEDGER, RECORDS

# Tables of the records that dashboards ask, with their columns.
_RECORDS = {
    "meters": ("site", "id", "name_zh", "name_en"),
    "quotas": ("id", "of", "limited", "year", "amount", "months", "dated", "withdrawn_at_ms"),
    "contract_statements": ("id", "contract", "sequence", "number", "kind", "first_day", "end_day", "bundle", "due"),
    "contract_statement_steps": ("id", "statement", "kind"),
}
_LEDGER = ("points", "hours", "days")


def reader_sql(role: str, source: DataSource, database: str) -> str:
    """What the owner of the tables runs with psql once; again does no harm. The password is given apart."""
    if source not in (LEDGER, RECORDS):
        raise ValueError(f"{source.uid} is no database")
    name = _quoted(role)
    lines = [
        "-- Run by the owner of the tables, after the gateway has made them:",
        f"--   psql -d {database} -f this-file.sql",
        "-- Only who may make roles can do so; if there is none yet, an administrator does it before:",
        f"--   CREATE ROLE {name} LOGIN; \\password {role}",
        f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {name};",
    ]
    if source == LEDGER:
        lines += [f"GRANT USAGE ON SCHEMA ledger TO {name};"]
        lines += [f"GRANT SELECT ON ledger.{table} TO {name};" for table in _LEDGER]
    else:
        lines += [f"GRANT USAGE ON SCHEMA public TO {name};"]
        for table, columns in _RECORDS.items():
            lines += [f"GRANT SELECT ({', '.join(map(_quoted, columns))}) ON {table} TO {name};"]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
