"""A file of readings: what is good is taken, what is not is told with its line and cause."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.reading_files import ReadingFile, RefusedRow
from energy.errors import ConfigurationError, EnergyError, UnknownName
from energy.ports import ReadingStore
from energy.readings import Point
from tests.adapters.readings_memory import MemoryReadings

HEADER = "meter,quantity,taken_at,value\n"
AT_EIGHT = "2026-01-31T08:00:00+08:00"
# 2026-01-31T00:00:00Z
MIDNIGHT_MS = 1_769_817_600_000
NO_INSTANT = "taken_at must be ISO 8601 with an offset, such as 2026-01-31T08:00:00+08:00"
NO_NUMBER = "value must be a number"
NOT_FOUR = "the row does not have 4 columns"


class Read(NamedTuple):
    """What became of a file."""

    good: list[tuple[str, int, float]]
    refused: list[RefusedRow]

    @property
    def causes(self) -> list[tuple[int, str]]:
        return [(r.line, r.cause) for r in self.refused]


def read(path: Path) -> Read:
    with ReadingFile(path) as file:
        file.stage()
        good = [
            (str(c.columns.points[i]), t, v)
            for c in file.chunks()
            for i, t, v in zip(
                c.columns.index.tolist(), c.columns.taken_at_ms.tolist(), c.columns.value.tolist(), strict=True
            )
        ]
        return Read(good, list(file.refused()))


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str | bytes], Read]:
    def write_and_read(text: str | bytes) -> Read:
        path = tmp_path / "readings.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path)

    return write_and_read


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[[str], Read]:
    def write_and_read(rows: str) -> Read:
        path = tmp_path / "readings.parquet"
        with duckdb.connect() as db:
            db.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
        return read(path)

    return write_and_read


CsvRead = Callable[[str | bytes], Read]
ParquetRead = Callable[[str], Read]


# -- CSV: what is good -----------------------------------------------------------------------------------------------


def test_good_rows_are_taken_in_the_order_of_the_file(csv: CsvRead) -> None:
    rows = [
        f"b,active_power,{AT_EIGHT},1.5",
        "a,frequency,2026-01-31T00:00:01Z,50",
        "b,active_power,2026-01-31T00:00:02Z,-3e2",
    ]

    assert csv(HEADER + "\n".join(rows)) == Read(
        [
            ("b:active_power", MIDNIGHT_MS, 1.5),
            ("a:frequency", MIDNIGHT_MS + 1000, 50),
            ("b:active_power", MIDNIGHT_MS + 2000, -300),
        ],
        [],
    )


def test_columns_may_stand_in_any_order(csv: CsvRead) -> None:
    found = csv(f"value,taken_at,meter,quantity\n1.5,{AT_EIGHT},a,active_power\n")

    assert found.good == [("a:active_power", MIDNIGHT_MS, 1.5)]


def test_fields_may_be_quoted(csv: CsvRead) -> None:
    found = csv(f'"meter","quantity","taken_at","value"\n"a","active_power","{AT_EIGHT}","1.5"\n')

    assert found.good == [("a:active_power", MIDNIGHT_MS, 1.5)]


def test_a_file_of_excel_is_read_with_its_mark_and_its_line_ends(csv: CsvRead) -> None:
    text = HEADER + f"a,active_power,{AT_EIGHT},1.5\n\na,active_power,bad,1\n"

    found = csv(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())

    assert found.good == [("a:active_power", MIDNIGHT_MS, 1.5)]
    assert found.causes == [(4, NO_INSTANT)]


def test_the_last_line_needs_no_end(csv: CsvRead) -> None:
    assert len(csv(HEADER + f"a,active_power,{AT_EIGHT},1.5").good) == 1


def test_a_header_alone_is_a_file_of_no_readings(csv: CsvRead) -> None:
    assert csv(HEADER) == Read([], [])


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T00:00:00Z",
        "2026-01-31T08:00:00+08:00",
        "2026-01-31 08:00:00+08",
        "2026-01-31T08:00:00+0800",
        "2026-01-30T20:30:00-03:30",
        "2026-01-31T00:00:00.000Z",
        "2026-01-31T00:00Z",
    ],
)
def test_an_instant_with_its_offset_is_understood(csv: CsvRead, text: str) -> None:
    assert csv(HEADER + f"a,active_power,{text},1\n").good == [("a:active_power", MIDNIGHT_MS, 1)]


def test_milliseconds_are_kept(csv: CsvRead) -> None:
    assert csv(HEADER + "a,active_power,2026-01-31T00:00:00.123Z,1\n").good[0][1] == MIDNIGHT_MS + 123


# -- CSV: what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (f"a,actve_power,{AT_EIGHT},1", "quantity 'actve_power' is not known; did you mean 'active_power'?"),
        (f"a,,{AT_EIGHT},1", "quantity '' is not known; the names are in docs/glossary.md"),
        (
            f"a/b,active_power,{AT_EIGHT},1",
            "meter id 'a/b' may hold letters, digits, '-', '_' and '.', 64 at most, and begins with a letter or digit",
        ),
        (
            f",active_power,{AT_EIGHT},1",
            "meter id '' may hold letters, digits, '-', '_' and '.', 64 at most, and begins with a letter or digit",
        ),
        ("a,active_power,2026-01-31T08:00:00,1", NO_INSTANT),
        ("a,active_power,2026-01-31 08:00,1", NO_INSTANT),
        ("a,active_power,2026-01-31,1", NO_INSTANT),
        ("a,active_power,1769817600000,1", NO_INSTANT),
        ("a,active_power,2026-02-30T00:00:00Z,1", NO_INSTANT),
        ("a,active_power,infinity,1", NO_INSTANT),
        ("a,active_power,,1", NO_INSTANT),
        ("a,active_power,1969-12-31T23:59:59Z,1", "taken_at lies outside the years 1970 to 9999"),
        ("a,active_power,99999-01-01T00:00:00Z,1", "taken_at lies outside the years 1970 to 9999"),
        (f"a,active_power,{AT_EIGHT},", NO_NUMBER),
        (f"a,active_power,{AT_EIGHT},much", NO_NUMBER),
        (f"a,active_power,{AT_EIGHT},nan", NO_NUMBER),
        (f"a,active_power,{AT_EIGHT},inf", NO_NUMBER),
        (f"a,active_power,{AT_EIGHT},1e400", NO_NUMBER),
        (f'a,active_power,{AT_EIGHT},"1,5"', NO_NUMBER),
        (f"a,active_power,{AT_EIGHT},1e300", "value is not plausible; it must lie between -1e+06 and 1e+06"),
        (f"a,active_energy_import,{AT_EIGHT},-1", "value is not plausible; it must lie between 0 and 1e+11"),
        ("a,active_power", NOT_FOUR),
        (f"a,active_power,{AT_EIGHT},1,5", NOT_FOUR),
        ("meter,quantity,taken_at,value", "quantity 'quantity' is not known; the names are in docs/glossary.md"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line_and_cause_and_the_others_are_taken(
    csv: CsvRead, row: str, cause: str
) -> None:
    good = f"a,active_power,{AT_EIGHT},1\n"

    found = csv(HEADER + good + row + "\n" + good)

    assert found.refused == [RefusedRow(3, cause, row.replace('"', ""))]
    assert len(found.good) == 2


def test_a_quote_that_never_ends_is_refused_where_it_begins(csv: CsvRead) -> None:
    found = csv(HEADER + f"a,active_power,{AT_EIGHT},1\n" + f'"a,active_power,{AT_EIGHT},1\n')

    assert [line for line, _ in found.causes] == [3]
    assert len(found.good) == 1


def test_what_is_not_utf_8_far_down_is_refused_on_its_line(csv: CsvRead) -> None:
    good = f"a,active_power,{AT_EIGHT},1\n"

    found = csv((HEADER + good * 2000).encode() + "表,active_power,x,1\n".encode("gbk") + good.encode())

    assert [line for line, _ in found.causes] == [2002]
    assert "not utf-8" in found.refused[0].cause
    assert len(found.good) == 2001


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "readings.csv:1: the header is ''; it must hold meter,quantity,taken_at,value, in any order"),
        ("\n" + HEADER, "readings.csv:1: the header is ''"),
        (f"a,active_power,{AT_EIGHT},1\n", "readings.csv:1: the header is 'a,active_power,"),
        ("meter,quantity,value\n", "readings.csv:1: the header is 'meter,quantity,value'"),
        ("meter,quantity,taken_at,value,note\n", "readings.csv:1: the header is 'meter,quantity,taken_at,value,note'"),
        ("meter,quantity,taken_at,value,value\n", "readings.csv:1: the header is"),
        (HEADER.replace(",", ";"), "readings.csv:1: the header is 'meter;quantity;taken_at;value'"),
    ],
)
def test_a_file_without_the_right_header_is_refused_whole(csv: CsvRead, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        csv(text)

    assert told in refused.value.faults[0]


def test_a_file_in_another_encoding_is_refused_with_what_would_be_right(csv: CsvRead) -> None:
    with pytest.raises(EnergyError, match="is not UTF-8; save it as 'CSV UTF-8'"):
        csv(HEADER.encode() + "表,active_power,x,1\n".encode("gbk"))
    with pytest.raises(EnergyError, match="is not UTF-8; save it as 'CSV UTF-8'"):
        csv(HEADER.encode("utf-16"))


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(EnergyError, match="cannot be read: "):
        read(tmp_path / name)


GOOD = f"a,active_power,{AT_EIGHT},1"
OVER_LINES = f'"a\nb",active_power,{AT_EIGHT},1'
WRONG = {
    "a,active_power,never,1": NO_INSTANT,
    "a,active_power": NOT_FOUR,
    f"a,active_power,{AT_EIGHT},1,5": NOT_FOUR,
    OVER_LINES: "meter id 'a\\nb' may hold letters, digits, '-', '_' and '.', 64 at most, "
    "and begins with a letter or digit",
}


@settings(max_examples=60)
@given(st.lists(st.sampled_from([GOOD, "", *WRONG]), max_size=12), st.booleans(), st.booleans())
@example(["", GOOD, "a,active_power", "a,active_power,never,1"], True, True)
@example([OVER_LINES, "", "a,active_power,never,1"], False, True)
def test_every_refusal_names_the_line_on_which_its_row_begins(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], crlf: bool, ends: bool
) -> None:
    path = tmp_path_factory.mktemp("lines") / "readings.csv"
    text = HEADER + "\n".join(rows) + ("\n" if ends else "")
    path.write_bytes((text.replace("\n", "\r\n") if crlf else text).encode())
    wanted: list[tuple[int, str]] = []
    line = 2
    for row in rows:
        if row in WRONG:
            wanted.append((line, WRONG[row].replace("\\n", "\\r\\n") if crlf else WRONG[row]))
        line += 1 + row.count("\n")

    found = read(path)

    assert found.causes == wanted
    assert len(found.good) == rows.count(GOOD)


# -- Parquet ---------------------------------------------------------------------------------------------------------

A = "'a' AS meter, 'active_power' AS quantity,"


@pytest.mark.parametrize(
    "columns",
    [
        f"{A} '{AT_EIGHT}' AS taken_at, 1.5 AS value",
        f"{A} '{AT_EIGHT}'::TIMESTAMPTZ AS taken_at, 1.5::DOUBLE AS value",
        f"{A} '{AT_EIGHT}'::TIMESTAMPTZ AS taken_at, 1.5::FLOAT AS value",
        f"{A} '{AT_EIGHT}'::TIMESTAMPTZ AS taken_at, '1.5' AS value",
        f"1.5 AS value, '{AT_EIGHT}' AS taken_at, 'active_power' AS quantity, 'a' AS meter, 7 AS note",
    ],
    ids=["text", "instants", "float32", "values as text", "other order and more columns"],
)
def test_parquet_is_read_whatever_its_types(parquet: ParquetRead, columns: str) -> None:
    assert parquet(f"SELECT {columns}") == Read([("a:active_power", MIDNIGHT_MS, 1.5)], [])


@pytest.mark.parametrize(
    "taken_at",
    [
        "'2026-01-31 08:00:00'::TIMESTAMP",
        "'2026-01-31 08:00:00.123456'::TIMESTAMP",
        "'2026-01-31'::DATE",
        "1769817600000",
        "'2026-01-31T08:00:00'",
        "NULL::TIMESTAMPTZ",
    ],
)
def test_a_time_without_an_offset_is_refused_in_parquet_too(parquet: ParquetRead, taken_at: str) -> None:
    found = parquet(f"SELECT {A} '{AT_EIGHT}'::TIMESTAMPTZ AS other, {taken_at} AS taken_at, 1 AS value")

    assert found.causes == [(1, NO_INSTANT)]


def test_rows_of_parquet_are_refused_by_their_number(parquet: ParquetRead) -> None:
    found = parquet(
        f"SELECT {A} '{AT_EIGHT}' AS taken_at, value FROM (VALUES (1.5), (NULL), (1e300), (2.5)) AS t(value)"
    )

    assert found.causes == [(2, NO_NUMBER), (3, "value is not plausible; it must lie between -1e+06 and 1e+06")]
    assert [value for _, _, value in found.good] == [1.5, 2.5]


def test_parquet_without_a_column_is_refused_with_those_it_needs(parquet: ParquetRead) -> None:
    with pytest.raises(ConfigurationError, match="has no column taken_at; needs meter, quantity, taken_at, value"):
        parquet(f"SELECT {A} 1 AS value")


def test_parquet_without_a_row_is_a_file_of_no_readings(parquet: ParquetRead) -> None:
    assert parquet(f"SELECT {A} '{AT_EIGHT}'::TIMESTAMPTZ AS taken_at, 1 AS value WHERE false") == Read([], [])


@pytest.mark.parametrize("content", [b"", b"meter,quantity,taken_at,value\n"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "readings.parquet"
    path.write_bytes(content)

    with pytest.raises(EnergyError, match=r"readings\.parquet: cannot be read: "):
        read(path)


# -- together with a site and a store --------------------------------------------------------------------------------


def test_the_caller_says_which_points_there_are_and_what_is_plausible(tmp_path: Path) -> None:
    def of_site(point: Point) -> tuple[float, float]:
        if point.meter != "a":
            raise UnknownName(f"meter {point.meter!r} is not in the site")
        return 0.0, 50.0

    path = tmp_path / "readings.csv"
    path.write_text(HEADER + "".join(f"{m},active_power,{AT_EIGHT},{v}\n" for m, v in (("a", 50), ("a", 51), ("b", 1))))
    with ReadingFile(path, of_site) as file:
        file.stage()
        assert [len(c.columns) for c in file.chunks()] == [1]
        assert [(r.line, r.cause) for r in file.refused()] == [
            (3, "value is not plausible; it must lie between 0 and 50"),
            (4, "meter 'b' is not in the site"),
        ]


async def stored(path: Path, store: ReadingStore) -> tuple[int, int, list[RefusedRow]]:
    """Take a file into a store as the import does."""
    with ReadingFile(path) as file:
        file.stage()
        new = repeated = 0
        conflicting: list[int] = []
        for chunk in file.chunks():
            written = await store.write(chunk.columns)
            new, repeated = new + written.stored, repeated + written.repeated
            conflicting += [int(row) for row in chunk.row[np.array(written.conflicting, np.int64)]]
        return new, repeated, list(file.refused(conflicting))


async def test_conflicts_within_the_file_and_with_the_store_are_refused_on_their_lines(tmp_path: Path) -> None:
    store = MemoryReadings()
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(HEADER + f"a,active_power,{AT_EIGHT},1\n")
    second.write_text(
        HEADER
        + f"a,active_power,{AT_EIGHT},2\n"  # the store has 1
        + "a,active_power,2026-01-31T01:00:00Z,5\n"
        + "\n"
        + "a,active_power,never,5\n"
        + "a,active_power,2026-01-31T09:00:00+08:00,6\n"  # the same instant as two rows above
        + "a,active_power,2026-01-31T01:00:00Z,5\n"
    )
    assert await stored(first, store) == (1, 0, [])

    new, repeated, refused = await stored(second, store)

    taken = "another value is stored for this instant; the first one stays"
    assert (new, repeated) == (1, 1)
    assert [(r.line, r.cause) for r in refused] == [(2, taken), (5, NO_INSTANT), (6, taken)]
    assert refused[0].text == f"a,active_power,{AT_EIGHT},2"


def test_rows_dated_after_now_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(HEADER + "".join(f"a,active_power,2026-01-31T0{h}:00:00Z,1\n" for h in range(5)))
    with ReadingFile(path) as file:
        file.stage()

        assert file.after(MIDNIGHT_MS + 2 * 3_600_000) == 2
        assert file.rows == 5


def test_a_file_may_have_a_quote_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "o'clock.csv"
    path.write_text(HEADER + f"a,active_power,{AT_EIGHT},1\n")

    assert len(read(path).good) == 1


def test_values_keep_their_last_digit(csv: CsvRead) -> None:
    values = ["184250.251", "0.1", "99999999999.99", "1e-9"]
    rows = "".join(f"a,active_energy_import,2026-01-31T00:00:0{i}Z,{v}\n" for i, v in enumerate(values))

    assert [value for _, _, value in csv(HEADER + rows).good] == [float(v) for v in values]
