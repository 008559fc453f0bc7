"""Files of readings, CSV or Parquet, read at full speed: what is good in columns, what is not with its line and cause.

Columns `meter,quantity,taken_at,value`, in any order, with a header; `taken_at` is ISO 8601 with an offset.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import duckdb
import numpy as np
import numpy.typing as npt

from energy.errors import ConfigurationError, EnergyError
from energy.quantities import quantity
from energy.readings import LAST_MS, Point, ReadingColumns
from energy.sites import check_id

COLUMNS = ("meter", "quantity", "taken_at", "value")
CHUNK_ROWS = 2_000_000

PointCheck = Callable[[Point], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken: its line (row number in Parquet), the cause, and what stands there."""

    line: int
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Good rows; `row` is the number of each within the file, 1 for the first row of data."""

    columns: ReadingColumns
    row: npt.NDArray[np.int64]


def check_point(point: Point) -> tuple[float, float]:
    """The bounds within which a value of this point is plausible; an error says why it can be no point."""
    check_id("meter", point.meter)
    found = quantity(point.quantity)
    return found.low, found.high


class ReadingFile:
    """A file, staged in a database of its own that spills to disk and vanishes at the end."""

    def __init__(self, path: Path, check: PointCheck = check_point) -> None:
        self._path = path
        self._check = check
        self._spill = tempfile.TemporaryDirectory(prefix="jieneng-import-")
        self._db = duckdb.connect(config={"temp_directory": self._spill.name})
        self._rejected: list[tuple[int, str, str]] = []
        self._told: dict[int, RefusedRow] = {}
        self.rows = 0
        self._points: list[Point] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._spill.cleanup()

    def progress(self) -> float:
        """How far `stage` has come, 0 to 1; may be asked from another thread."""
        return max(0.0, float(self._db.query_progress()) / 100)

    def stage(self) -> None:
        """Read the whole file and judge each row; EnergyError where it cannot be read at all."""
        try:
            self._db.execute(f"CREATE TABLE staged AS {self._source()}")
        except duckdb.Error as error:
            raise EnergyError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}") from error
        self.rows = int(self._one("SELECT count(*) FROM staged"))
        self._judge_points()
        if self._path.suffix != ".parquet":
            self._rejected = self._db.execute(
                "SELECT line, any_value(error_message), any_value(csv_line) FROM reject_errors GROUP BY line"
            ).fetchall()

    def chunks(self) -> Iterator[Chunk]:
        """The good rows in the order of the file."""
        for start in range(1, self.rows + 1, CHUNK_ROWS):
            found = self._db.execute(
                f"SELECT row, id, t, v FROM judged WHERE row BETWEEN {start} AND {start + CHUNK_ROWS - 1} "
                "AND cause IS NULL ORDER BY row"
            ).fetchnumpy()
            columns = ReadingColumns.of(self._points, found["id"], found["t"], found["v"])
            yield Chunk(columns, np.asarray(found["row"], np.int64))

    def refused(
        self, conflicting: list[int] | None = None, by_store: Mapping[int, str] | None = None
    ) -> Iterator[RefusedRow]:
        """The rows that are not taken, by line; `conflicting` adds rows that the store found taken by another value,
        `by_store` those that it will never take, and why."""
        found = {
            int(row): (cause, text)
            for row, cause, text in self._db.execute(
                f"SELECT row, cause, {_TEXT} FROM judged WHERE cause IS NOT NULL"
            ).fetchall()
        }
        for row, text in self._texts(conflicting or []):
            found[row] = ("another value is stored for this instant; the first one stays", text)
        for row, text in self._texts(list(by_store or {})):
            found[row] = ((by_store or {})[row], text)
        lines = self._lines(set(found))
        rows = [RefusedRow(lines[row], cause, text) for row, (cause, text) in found.items()]
        rows += self._told.values()
        yield from sorted(rows, key=lambda r: r.line)

    def after(self, now_ms: int) -> int:
        """How many good rows are dated after now."""
        return int(self._one(f"SELECT count(*) FROM judged WHERE cause IS NULL AND t > {now_ms}"))

    def _source(self) -> str:
        quoted = str(self._path).replace("'", "''")
        if self._path.suffix == ".parquet":
            self._check_parquet(quoted)
            rows = f"read_parquet('{quoted}')"
            return (
                "SELECT row_number() OVER () AS row, meter::VARCHAR AS meter, quantity::VARCHAR AS quantity, "
                f"taken_at::VARCHAR AS taken_at, value::VARCHAR AS value, {_INSTANT} AS t, "
                f"try_cast(value AS DOUBLE) AS v FROM {rows}"
            )
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in self._header())
        return (
            "SELECT row_number() OVER () AS row, meter, quantity, taken_at, value, "
            f"{_INSTANT} AS t, try_cast(value AS DOUBLE) AS v "
            f"FROM read_csv('{quoted}', header = true, auto_detect = false, delim = ',', quote = '\"', "
            f"columns = {{{columns}}}, store_rejects = true)"
        )

    def _header(self) -> list[str]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                names = [name.strip() for name in next(csv.reader(file), [])]
        except OSError as error:
            raise EnergyError(f"{self._path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise EnergyError(f"{self._path}: is not UTF-8; save it as 'CSV UTF-8'") from error
        if sorted(names) != sorted(COLUMNS):
            raise ConfigurationError(
                [f"{self._path}:1: the header is {','.join(names)!r}; it must hold {','.join(COLUMNS)}, in any order"]
            )
        return names

    def _check_parquet(self, quoted: str) -> None:
        try:
            found = dict(self._db.execute(f"SELECT name, type FROM parquet_schema('{quoted}')").fetchall())
        except duckdb.Error as error:
            raise EnergyError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}") from error
        missing = [name for name in COLUMNS if name not in found]
        if missing:
            raise ConfigurationError([f"{self._path}: has no column {', '.join(missing)}; needs {', '.join(COLUMNS)}"])

    def _judge_points(self) -> None:
        pairs = self._db.execute("SELECT DISTINCT meter, quantity FROM staged ORDER BY ALL").fetchall()
        judged: list[tuple[int, str, str, float, float, str | None]] = []
        for meter, name in pairs:
            point = Point(meter or "", name or "")
            try:
                low, high = self._check(point)
            except (EnergyError, ValueError) as error:
                judged.append((-1, meter, name, 0.0, 0.0, str(error)))
            else:
                judged.append((len(self._points), meter, name, low, high, None))
                self._points.append(point)
        self._db.execute(
            "CREATE TABLE pairs (id INTEGER, meter VARCHAR, quantity VARCHAR, low DOUBLE, high DOUBLE, fault VARCHAR)"
        )
        if judged:
            self._db.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?)", judged)
        self._db.execute(_JUDGED)

    def _texts(self, rows: list[int]) -> list[tuple[int, str]]:
        if not rows:
            return []
        listed = ", ".join(map(str, rows))
        return self._db.execute(f"SELECT row, {_TEXT} FROM staged WHERE row IN ({listed})").fetchall()

    def _lines(self, rows: set[int]) -> dict[int, int]:
        """The line of each row: rows number the lines after the header that are neither blank nor broken."""
        if self._path.suffix == ".parquet" or not (rows or self._rejected):
            return {row: row for row in rows}
        # Of rejected rows DuckDB tells the number among records and blank lines; the text that stands over two lines
        # counts once.
        broken = {number: i for i, (number, _, _) in enumerate(self._rejected)}
        lines: dict[int, int] = {}
        row = 0
        with self._path.open("rb") as file:
            for number, line in _records(file):
                if number in broken:
                    _, message, text = self._rejected[broken[number]]
                    self._told[number] = RefusedRow(line, _structural(message), (text or "").strip())
                elif number > 1:
                    row += 1
                    if row in rows:
                        lines[row] = line
        return {row: lines.get(row, row + 1) for row in rows}

    def _one(self, sql: str) -> int:
        return int(self._db.execute(sql).fetchall()[0][0])


_TEXT = "concat_ws(',', coalesce(meter, ''), coalesce(quantity, ''), coalesce(taken_at, ''), coalesce(value, ''))"
# An instant without an offset is nobody's: it is left NULL and refused.
_INSTANT = (
    "CASE WHEN contains(taken_at::VARCHAR, ':') AND (ends_with(taken_at::VARCHAR, 'Z') "
    "OR substr(taken_at::VARCHAR, -6, 1) IN ('+', '-') OR substr(taken_at::VARCHAR, -5, 1) IN ('+', '-') "
    "OR substr(taken_at::VARCHAR, -3, 1) IN ('+', '-')) "
    "AND NOT regexp_matches(right(taken_at::VARCHAR, 6), '[+-](1[5-9]|[2-9][0-9])(:?[0-9][0-9])?$') "
    "THEN epoch_ms(try_cast(taken_at AS TIMESTAMPTZ)) END"
)
_JUDGED = f"""
CREATE VIEW judged AS SELECT s.row, s.meter, s.quantity, s.taken_at, s.value, s.t, s.v, p.id,
    CASE WHEN p.fault IS NOT NULL THEN p.fault
         WHEN s.t IS NULL THEN 'taken_at must be ISO 8601 with an offset, such as 2026-01-31T08:00:00+08:00'
         WHEN s.t NOT BETWEEN 0 AND {LAST_MS} THEN 'taken_at lies outside the years 1970 to 9999'
         WHEN s.v IS NULL OR isnan(s.v) OR isinf(s.v) THEN 'value must be a number'
         WHEN s.v NOT BETWEEN p.low AND p.high
             THEN format('value is not plausible; it must lie between {{:g}} and {{:g}}', p.low, p.high)
    END AS cause
FROM staged s JOIN pairs p ON s.meter IS NOT DISTINCT FROM p.meter AND s.quantity IS NOT DISTINCT FROM p.quantity
"""


def _records(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Of each record its number and the line on which it begins.

    Records and blank lines are numbered together from 1, the header among them; a quoted field may go on over lines.
    """
    number, first, quotes = 0, 0, 0
    for line, text in enumerate(file, start=1):
        if quotes % 2 == 0:
            number, first, quotes = number + 1, line, 0
            if not text.strip(b"\r\n"):
                continue
        quotes += text.count(b'"')
        if quotes % 2 == 0:
            yield number, first
    if quotes % 2:
        yield number, first


def _structural(message: str) -> str:
    first = message.splitlines()[0]
    return f"the row does not have {len(COLUMNS)} columns" if "olumn" in first else first
