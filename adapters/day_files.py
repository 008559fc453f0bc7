"""CSV files with a number a day, or an hour: temperatures and amounts. All that is wrong is told at once, by line."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from energy.errors import ConfigurationError

_MOST_FAULTS = 20
# Of fewer hours no day is known: means bear some that are missing, sums none.
_LEAST_HOURS = {"mean": 18, "sum": 23}


def read_days(path: Path, how: Literal["mean", "sum"], zone: ZoneInfo) -> dict[date, Decimal]:
    """What a file says of each day; of instants with an offset the `mean` or `sum` over each local day.

    The first column is a day or an instant, the second a number; a first row without a number is a heading.
    """
    of_day: dict[date, list[Decimal]] = defaultdict(list)
    instants, faults = False, list[str]()
    for line, row in _rows(path):
        try:
            day, is_instant = _day(row[0], zone)
            value = _number(row)
        except (ValueError, IndexError) as error:
            if line > 1:
                faults.append(f"{path}:{line}: {error}")
            continue
        if not is_instant and day in of_day:
            faults.append(f"{path}:{line}: {day} is given twice; keep one")
        instants = instants or is_instant
        of_day[day].append(value)
    if not of_day and not faults:
        faults.append(f"{path}: has no rows; write a day and a number in each, such as 2026-01-31,12.5")
    if faults:
        raise ConfigurationError(faults[:_MOST_FAULTS])
    return _reduced(of_day, how) if instants else {day: values[0] for day, values in sorted(of_day.items())}


def _reduced(of_day: Mapping[date, list[Decimal]], how: Literal["mean", "sum"]) -> dict[date, Decimal]:
    made = {}
    for day, values in sorted(of_day.items()):
        if len(values) >= _LEAST_HOURS[how]:
            made[day] = sum(values, Decimal(0)) / (len(values) if how == "mean" else 1)
    return made


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError([f"{path}: cannot be read: {error}"]) from error


def _day(text: str, zone: ZoneInfo) -> tuple[date, bool]:
    text = text.strip()
    try:
        return date.fromisoformat(text), False
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a day, such as 2026-01-31, nor an instant") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write {text}+08:00")
    return instant.astimezone(zone).date(), True


def _number(row: list[str]) -> Decimal:
    text = row[1].strip() if len(row) > 1 else ""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a number; leave the row out where nothing is known")
    return value
