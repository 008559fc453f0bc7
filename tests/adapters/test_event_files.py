"""Files of events: what is right becomes events, and all that is wrong is told at once, by row and column."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from adapters.event_files import COLUMNS, read_events
from energy.errors import ConfigurationError
from energy.life import EventKind, MeterEvent
from energy.readings import to_ms

HEADER = "meter,kind,at,final_register,initial_register,note\n"
AT = "2026-03-02T10:30:00+08:00"
AT_MS = to_ms(datetime.fromisoformat(AT))
EXCHANGED = MeterEvent(
    "main", EventKind.EXCHANGED, AT_MS, final_register=184260.0, initial_register=0.0, note="new meter"
)


def file(folder: Path, text: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def workbook(folder: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(folder / "events.xlsx")
    return folder / "events.xlsx"


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read_events(path)
    return [fault.replace(str(path), path.name) for fault in refused.value.faults]


def test_a_row_becomes_an_event(tmp_path: Path) -> None:
    assert read_events(file(tmp_path, HEADER + f"main,exchanged,{AT},184260.0,0,new meter\n")) == [EXCHANGED]


def test_empty_cells_say_nothing_and_empty_rows_are_left_out(tmp_path: Path) -> None:
    text = HEADER + f"main,installed,{AT},,,\n\n,,,,,\nmain,calibrated,{AT}\n"

    assert [event.final_register for event in read_events(file(tmp_path, text))] == [None, None]


def test_columns_stand_in_any_order_and_all_are_read(tmp_path: Path) -> None:
    text = f"at,until,kind,meter,photo\n{AT},2026-03-03T00:00:00Z,faulty,main,fault.jpg\n"

    [event] = read_events(file(tmp_path, text))
    assert (event.until_ms, event.photo) == (to_ms(datetime.fromisoformat("2026-03-03T00:00:00+00:00")), "fault.jpg")
    assert set(COLUMNS) == {*HEADER.strip().split(","), "until", "quantity", "ratio", "place", "address", "photo"}


def test_excel_is_read_as_csv_is(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        HEADER.strip().split(","),
        ["main", "exchanged", AT, 184260, 0.0, "new meter"],
        [None] * 6,
        [1001, "installed", AT, None, None, None],
    )

    assert read_events(path) == [EXCHANGED, MeterEvent("1001", EventKind.INSTALLED, AT_MS)]


def test_a_date_of_excel_has_no_offset_and_is_refused_with_what_to_write(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["meter", "kind", "at"], ["main", "installed", datetime(2026, 3, 2, 10, 30)])

    assert faults(path) == [
        "events.xlsx:2: at: '2026-03-02 10:30:00' has no offset; write 2026-03-02T10:30:00+08:00, as text"
    ]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = (
        HEADER + f"main,exchange,2026-03-02T10:30:00,one,0,\n"
        f"a/b,installed,{AT},,,\n"
        f"main,exchanged,{AT},1,,\n"
        f",removed,yesterday,,,\n"
        f'main,removed,{AT},nan,,"two\nlines"\n'
    )

    assert faults(file(tmp_path, text)) == [
        "events.csv:2: kind: kind 'exchange' is not known; did you mean 'exchanged'?",
        "events.csv:2: at: '2026-03-02T10:30:00' has no offset; write 2026-03-02T10:30:00+08:00, as text",
        "events.csv:2: final_register: 'one' must be a number, such as 184260.0",
        "events.csv:3: meter: meter id 'a/b' may hold letters, digits, '-', '_' and '.', 64 at most, "
        "and begins with a letter or digit",
        "events.csv:4: exchanged needs final_register and initial_register, or neither",
        "events.csv:5: meter: is empty and must be given",
        "events.csv:5: at: 'yesterday' is no instant; write ISO 8601, such as 2026-03-02T10:30:00+08:00",
        "events.csv:7: final_register: 'nan' must be a number, such as 184260.0",
    ]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("replaced", "kind 'replaced' is not known"),
        ("faulty", "faulty needs until"),
        ("manual", "manual needs final_register"),
        ("moved", "moved needs place"),
        ("readdressed", "readdressed needs address"),
        ("ratio_changed", "ratio_changed needs ratio"),
    ],
)
def test_what_a_kind_lacks_is_told(tmp_path: Path, cells: str, told: str) -> None:
    [fault] = faults(file(tmp_path, f"meter,kind,at\nmain,{cells},{AT}\n"))

    assert told in fault


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "events.csv:1: is empty; the first row names the columns meter,kind,at"),
        ("meter,when\n", "events.csv:1: has no column kind"),
        ("meter,kind,at,notes\n", "events.csv:1: column 'notes' is not known; did you mean 'note'?"),
        ("meter,kind,at,at\n", "events.csv:1: column 'at' is there twice"),
        (f"meter,kind,at\nmain,installed,{AT},extra\n", "events.csv:2: has more cells than the header has columns"),
    ],
)
def test_a_header_that_does_not_fit_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert faults(file(tmp_path, text))[0].startswith(told)


def test_what_is_no_such_file_is_told(tmp_path: Path) -> None:
    assert faults(file(tmp_path, "meter", "events.xlsx")) == [
        "events.xlsx: is no Excel workbook (.xlsx): File is not a zip file"
    ]
    (tmp_path / "latin.csv").write_bytes(b"meter,kind,at\n\xff\xfe,installed,x\n")
    assert "is no CSV in UTF-8" in faults(tmp_path / "latin.csv")[0]
    assert "cannot be read" in faults(tmp_path / "none.csv")[0]
