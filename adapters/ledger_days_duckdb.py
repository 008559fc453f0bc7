"""The days of the ledger: what its hours come to, kept in one transaction with them.

Rows are only ever added: a revision adds what it changes, which may be less than nothing, and whoever reads adds up. So
the days are the sums of the hours after every transaction, however it came about. Order is made of them behind.
"""

from __future__ import annotations

import duckdb
import numpy as np

from adapters.ledger_sql import AS_SUMS, COLUMNS, SUMS
from energy.hours import Hours, by_day, days_within, first_hour

_TABLE = "(point INTEGER NOT NULL, day INTEGER NOT NULL, " + ", ".join(f"{c} BIGINT NOT NULL" for c in COLUMNS) + ")"
_SPAN_DAYS = 32
# Of the rows of a span, so many for each that is needed may stand there before they are added up.
_LOOSE = 1.5


class Days:
    """Keeps the days of the hours that lie in the same file. All calls come from the thread that writes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._settled = -(1 << 30)
        self._touched: set[int] = set()
        there = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'days_closed'").fetchone()
        if there == (0,):
            _make(connection)
        connection.execute(
            "CREATE OR REPLACE VIEW days AS SELECT * FROM days_closed UNION ALL SELECT * FROM days_recent"
        )

    def change(self, connection: duckdb.DuckDBPyConnection, gone: Hours, fresh: Hours, *, large: bool) -> None:
        """Within a transaction: rows of hours were taken away, others were added."""
        for rows, sign in ((gone, -1), (fresh, 1)):
            point, days = by_day(rows)
            if len(point):
                self._touched.update(np.unique(days.of[days.of < self._settled] // _SPAN_DAYS).tolist())
                added = {c: getattr(days, c) * sign for c in COLUMNS}
                added |= {"point": point.astype(np.int32), "day": days.of.astype(np.int32)}
                table = "days_closed" if large else "days_recent"
                connection.execute(f"INSERT INTO {table} SELECT point, day, {', '.join(COLUMNS)} FROM added")

    def close(self, connection: duckdb.DuckDBPyConnection, until_hour: int) -> None:
        """Within a transaction: put days that are over into their order, and add up what stands there in pieces."""
        self._settled = days_within(until_hour, until_hour)[1]
        connection.execute(
            f"INSERT INTO days_closed {_added_up('days_recent', f'day < {self._settled}')} "
            f"ORDER BY day // {_SPAN_DAYS}, point, day"
        )
        connection.execute(f"DELETE FROM days_recent WHERE day < {self._settled}")
        _fold(connection, "days_recent", "true", "point, day")
        for span in sorted(self._touched):
            _fold(connection, "days_closed", f"day // {_SPAN_DAYS} = {span}", "point, day")
        self._touched.clear()


def _make(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables, with the days of the hours that are there already; some at a time, so that a city fits the memory."""
    connection.execute("BEGIN")
    connection.execute(f"CREATE TABLE days_recent {_TABLE}")
    connection.execute(f"CREATE TABLE days_closed {_TABLE}")
    found = connection.execute("SELECT min(hour), max(hour) FROM hours").fetchone()
    if found is not None and found[0] is not None:
        first, end = days_within(found[0], found[0])[1], days_within(found[1], found[1])[1] + 1
        for day in range(first, end, _SPAN_DAYS):
            low, high = first_hour(day), first_hour(min(day + _SPAN_DAYS, end))
            connection.execute(
                f"INSERT INTO days_closed SELECT point, day, {SUMS} FROM "
                f"(SELECT point, (hour + {-first_hour(0)}) // 24 AS day, {AS_SUMS} FROM hours "
                f"WHERE hour >= {low} AND hour < {high}) GROUP BY point, day ORDER BY point, day"
            )
    connection.execute("COMMIT")


def _fold(connection: duckdb.DuckDBPyConnection, table: str, where: str, order: str) -> None:
    """Add up the rows of a table where there are many for one."""
    count = f"SELECT count(*), count(DISTINCT (point, day)) FROM {table} WHERE {where}"
    rows, needed = connection.execute(count).fetchone() or (0, 0)
    if rows > _LOOSE * needed:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE folded AS {_added_up(table, where)} ORDER BY {order}")
        connection.execute(f"DELETE FROM {table} WHERE {where}")
        connection.execute(f"INSERT INTO {table} SELECT * FROM folded")
        connection.execute("DROP TABLE folded")


def _added_up(table: str, where: str) -> str:
    """What rows of a day come to; a price that changed is no row more, and yet not nothing."""
    something = " OR ".join(f"sum({c}) <> 0" for c in COLUMNS)
    return f"SELECT point, day, {SUMS} FROM {table} WHERE {where} GROUP BY point, day HAVING {something}"
