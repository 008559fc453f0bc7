"""A workbook read as a site: all that is wrong is told at once, as `sheet!cell: column "value": what is wrong`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.site_columns import SHEETS, Cell, Column, PlausibleRow, RegisterRow, Sheet
from adapters.site_words import SiteWords
from adapters.workbooks import MOST_UNPACKED, open_workbook
from energy.documents import Way
from energy.errors import ConfigurationError
from energy.sites import Site

_MOST_ROWS = 500_000
_MOST_FAULTS = 1_000
_YES, _NO = ("yes", "true", "1", "是"), ("no", "false", "0", "否")


@dataclass(frozen=True, slots=True)
class At:
    """Where a record stands, and what was given there."""

    sheet: Sheet
    row: int
    given: dict[str, Any]
    letters: dict[str, str]

    def fault(self, key: str | None, text: str) -> str:
        """The sentence for a fault in a column, or in the row where no column is to blame."""
        column = next((c for c in self.sheet.columns if key in (c.key, c.way[0])), None)
        if column is None or column.key not in self.letters:
            return f"{self.sheet.title}!{self.row}: {text}"
        value = self.given.get(column.key)
        shown = "" if value in (None, "") else f' "{value}"'
        return f"{self.sheet.title}!{self.letters[column.key]}{self.row}: {column.zh} {column.key}{shown}: {text}"


@dataclass(slots=True)
class _Read:
    """What was read so far; `broken` are the ids of records that are not right themselves."""

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    at: dict[Way, At] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    within: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


def read_book(path: Path, *, most_unpacked: int = MOST_UNPACKED) -> Site:
    """The site of a workbook; ConfigurationError lists all that is wrong, by sheet, row and column."""
    book = open_workbook(path, most_unpacked=most_unpacked)
    read = _Read()
    try:
        unknown = [name for name in book.sheetnames if name not in {s.title for s in SHEETS}]
        read.faults += [f"{n}: is no sheet here; known are {', '.join(s.title for s in SHEETS)}" for n in unknown]
        for sheet in SHEETS:
            if sheet.title in book.sheetnames:
                for at in _rows(book[sheet.title], sheet, read):
                    _take(at, read)
    finally:
        book.close()
    site = _site(read)
    if read.faults or site is None:
        found = [f"{path}: {fault}" for fault in dict.fromkeys(read.faults)]
        more = [f"{path}: and {len(found) - _MOST_FAULTS} more"] if len(found) > _MOST_FAULTS else []
        raise ConfigurationError([*found[:_MOST_FAULTS], *more])
    return site


def _site(read: _Read) -> Site | None:
    heads = read.lists.pop("site", [])
    if len(heads) != 1:
        read.faults.append(f"site!3: there must be one site, here are {len(heads)}")
        return None
    meters = {m["id"] for m in read.lists.get("meters", [])} | read.broken
    for key in ("registers", "plausible"):
        for meter in read.within.get(key, {}):
            if meter not in meters:
                read.faults.append(f"{key}: meter {meter!r} is not among the meters")
    try:
        site = SiteWords.model_validate({**heads[0], **read.lists}).made
    except ValidationError as error:
        read.faults += [_told(read, tuple(e["loc"]), str(e["msg"])) for e in error.errors()]
        return None
    # What refers to a record that is told to be wrong already is not wrong for that.
    named = [repr(name) for name in read.broken]
    read.faults += [_told(read, w, text) for w, text in site.faults() if not any(name in text for name in named)]
    return site


def _told(read: _Read, way: Way, text: str) -> str:
    for length in (4, 2):
        if (at := read.at.get(way[:length])) is not None:
            key = next((str(step) for step in way[length:] if isinstance(step, str)), None)
            return at.fault("organisation" if key == "parts" else key, _sentence(text))
    return f"{'.'.join(str(step) for step in way)}: {_sentence(text)}"


# -- rows -------------------------------------------------------------------------------------------------------------


def _rows(page: Any, sheet: Sheet, read: _Read) -> Iterator[At]:
    """Rows that are not empty, below the two rows of the header; the second one names the columns."""
    from openpyxl.utils import get_column_letter

    page.reset_dimensions()
    keys: list[str] = []
    for row, cells in enumerate(page.iter_rows(max_col=64), start=1):
        if row > _MOST_ROWS:
            read.faults.append(f"{sheet.title}!{row}: has more rows than the {_MOST_ROWS} that are taken")
            return
        if row == 2:
            keys = [str(cell.value or "").strip() for cell in cells]
            read.faults += _header(sheet, keys)
        elif row > 2 and any(cell.value not in (None, "") for cell in cells):
            letters = {key: get_column_letter(i) for i, key in enumerate(keys, start=1) if key}
            at = At(sheet, row, {}, letters)
            for i, cell in enumerate(cells):
                if cell.value is not None:
                    key = keys[i] if i < len(keys) else ""
                    if cell.data_type == "f":
                        where = f"{sheet.title}!{get_column_letter(i + 1)}{row}"
                        read.faults.append(f"{where}: is a formula; enter its value")
                    at.given[key] = cell.value
            yield at


def _header(sheet: Sheet, keys: list[str]) -> list[str]:
    known = [column.key for column in sheet.columns]
    wrong = [key for key in keys if key and key not in known]
    twice = sorted({key for key in keys if key and keys.count(key) > 1})
    found = [f"{sheet.title}!2: column {key!r} is not known; known are {', '.join(known)}" for key in wrong]
    return [*found, *(f"{sheet.title}!2: column {key!r} is there twice" for key in twice)]


def _take(at: At, read: _Read) -> None:
    """A row becomes a record; what is wrong with it is told, and it is left out."""
    record, faults = _record(at)
    if not faults:
        try:
            at.sheet.words.model_validate(_whole(at.sheet, record))
        except ValidationError as error:
            faults = [_fault_of(at, e) for e in error.errors()]
    else:
        # The columns that can be read are looked at all the same.
        try:
            at.sheet.words.model_validate(_whole(at.sheet, record))
        except ValidationError as error:
            faults += [_fault_of(at, e) for e in error.errors() if e["type"] != "missing"]
    if faults:
        read.faults += faults
        read.broken |= {str(record[key]) for key in ("id", "meter") if key in record}
        return
    _keep(at, record, read)


def _fault_of(at: At, error: Any) -> str:
    names = [str(step) for step in error["loc"] if isinstance(step, str)]
    text = "is missing and must be given" if error["type"] == "missing" else _sentence(str(error["msg"]))
    key = f"name_{names[1]}" if names[:1] == ["name"] and len(names) > 1 else names[0] if names else None
    return at.fault({"bounds": "low", "parts": "organisation"}.get(key or "", key), text)


def _sentence(text: str) -> str:
    return text.removeprefix("Value error, ").removeprefix("Input ").replace("should be a valid", "must be a valid")


def _whole(sheet: Sheet, record: dict[str, Any]) -> dict[str, Any]:
    """A record as the words of its sheet want it."""
    if sheet.title == "shares":
        part = {key: record[key] for key in ("organisation", "weight") if key in record}
        return {**{k: v for k, v in record.items() if k not in part}, "parts": [part]}
    if sheet.words is PlausibleRow:
        rest = {k: v for k, v in record.items() if k not in ("low", "high")}
        return {**rest, "bounds": (record.get("low"), record.get("high"))}
    return record


def _keep(at: At, record: dict[str, Any], read: _Read) -> None:
    listed = at.sheet.list
    if at.sheet.words in (RegisterRow, PlausibleRow):
        of = read.within.setdefault(listed, {}).setdefault(record.pop("meter"), {})
        name = record.pop("quantity")
        if name in of:
            read.faults.append(at.fault("quantity", "is given twice for this meter; keep one"))
        of[name] = record if at.sheet.words is RegisterRow else (record["low"], record["high"])
        return
    records = read.lists.setdefault(listed, [])
    if listed == "meters":
        record |= {k: of[record["id"]] for k, of in read.within.items() if record["id"] in of}
    if listed == "shares":
        whole = _whole(at.sheet, record)
        head = {k: v for k, v in whole.items() if k != "parts"}
        i = next((i for i, s in enumerate(records) if {k: v for k, v in s.items() if k != "parts"} == head), None)
        if i is None:
            i = len(records)
            records.append({**head, "parts": []})
            read.at["shares", i] = at
        read.at["shares", i, "parts", len(records[i]["parts"])] = at
        records[i]["parts"] += whole["parts"]
        return
    read.at[listed, len(records)] = at
    records.append(record)


# -- cells ------------------------------------------------------------------------------------------------------------


def _record(at: At) -> tuple[dict[str, Any], list[str]]:
    record: dict[str, Any] = {"kind": at.sheet.kind} if at.sheet.kind is not None else {}
    faults: list[str] = []
    for column in at.sheet.columns:
        given = at.given.get(column.key)
        if column.way[0] == "name":
            record.setdefault("name", {})[column.way[1]] = _text(given)
        elif given is not None and given != "":
            try:
                record[column.key] = _value(given, column)
            except ValueError as error:
                faults.append(at.fault(column.key, str(error)))
    if at.sheet.kinds is not None and record.get("kind") not in (*at.sheet.kinds, None):
        faults.append(at.fault("kind", f"must be one of {', '.join(at.sheet.kinds)}"))
    return record, faults


def _value(given: Any, column: Column) -> Any:
    match column.cell:
        case Cell.DAY:
            return _day(given)
        case Cell.FLAG:
            if _text(given).lower() not in (*_YES, *_NO):
                raise ValueError("must be yes or no (是, 否)")
            return _text(given).lower() in _YES
        case Cell.SPAN:
            return _span(_text(given).strip())
        case Cell.LIST:
            return [word.strip() for word in _text(given).replace("，", ",").split(",") if word.strip()]
        case Cell.NUMBER:
            if isinstance(given, bool | datetime):
                raise ValueError("must be a number")  # noqa: TRY004
            whole = isinstance(given, float) and given.is_integer()
            return int(given) if whole else given
        case Cell.TEXT:
            return _text(given)


def _span(text: str) -> bool | dict[str, date | None]:
    """Yes, no, or from a day to a day."""
    if text.lower() in (*_YES, *_NO):
        return text.lower() in _YES
    start, slash, end = text.partition("/")
    try:
        days = [None if day == ".." else date.fromisoformat(day) for day in (start, end)]
    except ValueError:
        slash = ""
    if not slash:
        raise ValueError("must be yes, no, or from a day to a day, such as 2026-01-01/.. or 2026-01-01/2026-07-01")
    return {"from": days[0], "to": days[1]}


def _text(given: Any) -> str:
    """What stands there; a whole number of Excel without a point: a code of digits is a number there."""
    if given is None:
        return ""
    return str(int(given)) if isinstance(given, float) and given.is_integer() else str(given)


def _day(given: Any) -> date:
    if isinstance(given, datetime):
        return given.date()
    try:
        return date.fromisoformat(str(given).strip())
    except ValueError:
        raise ValueError("must be a day, such as 2026-03-01") from None
