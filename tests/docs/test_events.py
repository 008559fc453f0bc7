"""The page about the life of meters names every kind and column, and its file can be entered."""

from __future__ import annotations

from pathlib import Path

from adapters.event_files import COLUMNS, read_events
from energy.life import EventKind
from gateway.records.schema import METADATA
from tests.docs.pages import ROOT, block

PAGE = ROOT / "docs" / "events.md"


def test_every_kind_and_column_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in (*EventKind, *COLUMNS) if f"\n| `{name}` |" not in text] == []


def test_the_file_that_is_shown_is_read(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(block(PAGE, "csv events"), encoding="utf-8")

    assert [event.kind for event in read_events(file)] == [EventKind.EXCHANGED, EventKind.MANUAL]


def test_every_table_of_the_records_is_told() -> None:
    text = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")

    assert [name for name in METADATA.tables if f"`{name}`" not in text] == []
