"""Files of events of meters, CSV or Excel (see docs/events.md); all that is wrong in one is told at once."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.sheets import Column, Sheet, identifier, one_of, read_sheet, text
from energy.life import EventKind, MeterEvent
from energy.readings import to_ms


def _kind(cell: Any) -> EventKind:
    return EventKind(one_of("kind", EventKind)(cell))


def _instant(cell: Any) -> int:
    try:
        made = datetime.fromisoformat(text(cell))
    except ValueError:
        raise ValueError(f"{text(cell)!r} is no instant; write ISO 8601, such as 2026-03-02T10:30:00+08:00") from None
    if made.tzinfo is None:
        raise ValueError(f"{text(cell)!r} has no offset; write {made.isoformat()}+08:00, as text")
    return to_ms(made)


def _number(cell: Any) -> float:
    try:
        made = float(str(cell).strip())
    except ValueError:
        made = math.nan
    if not math.isfinite(made):
        raise ValueError(f"{str(cell).strip()!r} must be a number, such as 184260.0")
    return made


# Columns are called as the fields of an event; instants without the unit that they have inside.
COLUMNS = {
    "meter": Column("meter", identifier("meter"), required=True),
    "kind": Column("kind", _kind, required=True),
    "at": Column("at_ms", _instant, required=True),
    "until": Column("until_ms", _instant),
    "quantity": Column("quantity", text),
    "final_register": Column("final_register", _number),
    "initial_register": Column("initial_register", _number),
    "ratio": Column("ratio", _number),
    "place": Column("place", text),
    "address": Column("address", text),
    "note": Column("note", text),
    "photo": Column("photo", text),
}


def read_events(path: Path) -> list[MeterEvent]:
    """The events of a file; ConfigurationError lists every fault as `file:row: column: what is wrong`."""
    return read_sheet(path, Sheet(COLUMNS, MeterEvent))
