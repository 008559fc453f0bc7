"""Files of hours and labels as grids, to be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from analytics.anomalies.backtest import Judged, Label, Tally, judge
from analytics.anomalies.kinds import kind_of
from analytics.anomalies.profiles import HOURS, Hourly
from energy.errors import ConfigurationError
from energy.working_days import Mask, WorkingDays

_READINGS = {"meter", "medium", "at", "value"}
_LABELS = {"meter", "from", "to", "kind"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Consumption of the meters of a medium by hour, over whole local days from `first_hour` on [h since the epoch]."""

    medium: str
    meters: tuple[str, ...]
    use: Hourly
    first_hour: int
    worked: Mask


def read_recorded(file: Path, zone: ZoneInfo, calendar: WorkingDays) -> list[Recorded]:
    """A CSV or Parquet file of hours: meter, medium, at (an instant with offset, or UTC) and value."""
    rows = _table(file, _READINGS, 'meter, medium, epoch("at"::TIMESTAMPTZ) AS "at", value::DOUBLE AS value')
    hours, offset = np.floor(rows["at"] / 3600).astype(np.int64), _offset_h(zone)
    return [_recorded(rows, medium, hours, offset, calendar) for medium in sorted(set(rows["medium"]))]


def _recorded(rows: Mapping[str, Any], medium: str, hours: Any, offset: int, calendar: WorkingDays) -> Recorded:
    own = rows["medium"] == medium
    meters, row = np.unique(rows["meter"][own].astype(str), return_inverse=True)
    days = (hours[own] + offset) // HOURS
    first, last = int(days.min()), int(days.max())
    use = np.full((len(meters), (last - first + 1) * HOURS), np.nan, np.float32)
    begins = first * HOURS - offset
    use[row, hours[own] - begins] = rows["value"][own]
    return Recorded(medium, tuple(meters.tolist()), use, begins, calendar.is_worked(np.arange(first, last + 1)))


def read_labels(file: Path) -> dict[str, list[tuple[int, int, str]]]:
    """A CSV or Parquet file of labels by meter: [from, to) in hours since the epoch, and the kind."""
    told = 'meter, epoch("from"::TIMESTAMPTZ) AS a, epoch("to"::TIMESTAMPTZ) AS b, kind'
    rows = _table(file, _LABELS, told)
    found: dict[str, list[tuple[int, int, str]]] = {}
    for meter, a, b, kind in zip(rows["meter"], rows["a"], rows["b"], rows["kind"], strict=True):
        found.setdefault(str(meter), []).append((int(a // 3600), int(-(-b // 3600)), str(kind)))
    return found


def _table(file: Path, columns: set[str], told: str) -> dict[str, Any]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            kind = "read_parquet" if file.suffix.lower() == ".parquet" else "read_csv"
            table = f"{kind}('{str(file).replace(chr(39), chr(39) * 2)}')"
            known = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()}  # noqa: S608
            if missing := sorted(columns - known):
                needed = ", ".join(sorted(columns))
                raise ConfigurationError([f"{file}: has no column {', '.join(missing)}; needs {needed}"])
            return dict(connection.execute(f"SELECT {told} FROM {table}").fetchnumpy())  # noqa: S608
        except duckdb.Error as error:
            raise ConfigurationError([f"{file}: cannot be read: {str(error).splitlines()[0]}"]) from error


def judged(recorded: list[Recorded], labels: Mapping[str, list[tuple[int, int, str]]]) -> tuple[list[Judged], Tally]:
    """All media, and what was found of the labels."""
    tally, made = Tally(), []
    for of in recorded:
        one = judge(of.use, of.worked)
        made.append(one)
        for i, meter in enumerate(of.meters):
            n = of.use.shape[1]
            own = [(max(a - of.first_hour, 0), min(b - of.first_hour, n), k) for a, b, k in labels.get(meter, [])]
            tally.add(one.ratio[i], one.events[i], [Label(a, b, k) for a, b, k in own if a < b])
    return made, tally


def events_of(recorded: Recorded, found: Judged) -> Iterator[dict[str, Any]]:
    """Each event with its kind and excess."""
    for i, meter in enumerate(recorded.meters):
        use, expected, spread = recorded.use[i], found.made.expected[i], found.made.spread[i]
        for event in found.events[i]:
            at = slice(event.start, event.end)
            yield {
                "meter": meter,
                "medium": recorded.medium,
                "from": _instant(recorded.first_hour + event.start),
                "to": _instant(recorded.first_hour + event.end),
                "kind": str(kind_of(event, use, expected, spread, recorded.worked)),
                "excess": round(float(np.nansum(use[at] - expected[at])), 3),
                "peak": round(event.peak, 3),
            }


def write_scores(file: Path, recorded: list[Recorded], found: list[Judged]) -> None:
    """Score over threshold of every hour that has one, as Parquet: meter, medium, at, score."""
    columns: dict[str, list[Any]] = {"meter": [], "medium": [], "hour": [], "score": []}
    for of, one in zip(recorded, found, strict=True):
        row, hour = np.nonzero(np.isfinite(one.ratio))
        columns["meter"].append(np.array(of.meters, dtype=object)[row])
        columns["medium"].append(np.full(len(row), of.medium, dtype=object))
        columns["hour"].append(hour + of.first_hour)
        columns["score"].append(one.ratio[row, hour])
    scores = {name: np.concatenate(parts) for name, parts in columns.items()}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("scores", scores)
        told = 'meter, medium, make_timestamptz((hour * 3600000000)::BIGINT) AS "at", score'
        target = str(file).replace("'", "''")
        connection.execute(f"COPY (SELECT {told} FROM scores) TO '{target}' (FORMAT parquet)")  # noqa: S608


def _offset_h(zone: ZoneInfo) -> int:
    """Of local time without summer time."""
    winter = datetime(2026, 1, 1, tzinfo=zone)
    offset = winter.utcoffset()
    assert offset is not None
    return round((offset - (winter.dst() or offset * 0)).total_seconds() / 3600)


def _instant(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).isoformat()
