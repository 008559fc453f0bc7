"""What Grafana does with the questions of a panel before they are asked, and asking them of real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import asyncpg

from gateway.dashboards.panels import DataSource, Model
from gateway.dashboards.reader import reader_sql
from tests.postgresql import PostgresServer
from tests.victoria import VictoriaServer

ROLE = "jieneng_reader"


def asked(text: str, since: datetime, until: datetime, **chosen: str) -> str:
    """The question with what Grafana puts in place of its macros and variables, by its documentation."""
    text = text.replace("$__unixEpochFrom()", str(int(since.timestamp())))
    text = text.replace("$__unixEpochTo()", str(int(until.timestamp())))
    for name, value in chosen.items():
        quoted = value.replace("'", "''")
        text = text.replace(f"${{{name}:sqlstring}}", f"'{quoted}'").replace(f"${name}", value)
    assert "$" not in text, text
    return text


def questions(model: Model, source: DataSource) -> Iterator[tuple[str, str]]:
    """Titles of panels and what they ask a data source."""
    for panel in model["panels"]:
        for target in panel["targets"]:
            if target["datasource"]["uid"] == source.uid:
                yield panel["title"], target.get("rawSql") or target["expr"]


def question(model: Model, source: DataSource, title: str) -> str:
    [found] = [text for name, text in questions(model, source) if name == title]
    return found


def let_read(server: PostgresServer, database: str, *sources: DataSource) -> None:
    """Make the role of Grafana, as the file of grants says."""
    if server.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}'") == "0":
        server.sql(f"CREATE ROLE {ROLE} LOGIN")
    for source in sources:
        server.sql(reader_sql(ROLE, source, database), database)


async def rows(server: PostgresServer, database: str, sql: str) -> list[tuple[Any, ...]]:
    """What the role of Grafana is answered."""
    connection = await asyncpg.connect(host=str(server.folder), port=server.port, user=ROLE, database=database)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def series(server: VictoriaServer, expr: str, at: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the server answers: a range where `start` is given, else an instant."""
    path = "query_range" if "start" in at else "query"
    given = urlencode({"query": expr, "nocache": 1, **at})
    with urlopen(f"http://127.0.0.1:{server.port}/api/v1/{path}?{given}", timeout=120) as answer:
        told = json.load(answer)
    assert told["status"] == "success"
    found: list[dict[str, Any]] = told["data"]["result"]
    return found
