"""Consumption of a point over periods, straight from its stored readings."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from analytics.consumption.counters import Exchange, Register, Steps, limit_from_history, steps
from analytics.consumption.spread import Spread, spread, usual_week
from energy.errors import ConfigurationError
from energy.periods import Period, Span, periods
from energy.ports import ReadingStore
from energy.quantities import Kind, quantity
from energy.readings import Point, Quality, from_ms, to_ms
from energy.series import Instants

EVENT_COLUMNS = ("meter", "kind", "at", "final_register", "initial_register", "note")
# Readings before and after the range are needed for its first and last step, and weeks for what is usual.
_MARGIN = timedelta(days=60)
_GAP = timedelta(hours=1)


class Shares(msgspec.Struct):
    """Of the time of a period, how much is known in which way; together 1."""

    measured: float
    estimated: float
    manual: float
    missing: float
    disputed: float


class PeriodWords(msgspec.Struct, rename={"from_": "from"}):
    """Consumption of a period; `value` is null where nothing is known, `estimated` the part of it that is a guess."""

    from_: str
    to: str
    value: float | None
    estimated: float
    shares: Shares


class ConsumptionAnswer(msgspec.Struct, rename={"from_": "from"}):
    """Consumption of a point by period and in total; `strayed` readings were read wrong and do not count."""

    point: str
    unit: str
    from_: str
    to: str
    by: str
    total: PeriodWords
    periods: list[PeriodWords]
    strayed: list[str]
    limit_per_h: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; `limit_per_h` is learnt from the readings where it is None."""

    point: Point
    start: datetime
    end: datetime
    by: Span
    zone: ZoneInfo
    exchanges: Sequence[Exchange] = ()
    limit_per_h: float | None = None
    modulus: float | None = None


async def consumption(store: ReadingStore, asked: Asked) -> ConsumptionAnswer:
    """What flowed through a counter; KindError for a gauge."""
    quantity(asked.point.quantity).must_be(Kind.COUNTER)
    found = await store.readings([asked.point], to_ms(asked.start - _MARGIN), to_ms(asked.end + _MARGIN))
    good = found.quality < Quality.BAD
    t_ms, total = found.taken_at_ms[good], found.value[good]
    limit = asked.limit_per_h or limit_from_history(t_ms, total)
    register = Register(limit_per_h=limit, modulus=asked.modulus)
    of_meter = steps(t_ms, total, register, asked.exchanges)
    wanted = list(periods(asked.by, asked.start, asked.end, asked.zone))
    made = _by_period(of_meter, wanted, asked)
    strayed = [_local(int(t), asked.zone) for t in t_ms[of_meter.strayed] if to_ms(asked.start) <= t < to_ms(asked.end)]
    return ConsumptionAnswer(
        str(asked.point),
        quantity(asked.point.quantity).unit,
        made[-1].from_,
        made[-1].to,
        asked.by,
        made[-1],
        made[:-1],
        strayed,
        None if np.isinf(limit) else limit,
    )


def _by_period(of_meter: Steps, wanted: list[Period], asked: Asked) -> list[PeriodWords]:
    """Each period, cut to what is asked, and all of them together at the end."""
    first, last = to_ms(asked.start), to_ms(asked.end)
    edges = np.array([first, *(to_ms(p.start) for p in wanted[1:]), last], dtype=np.int64)
    gap_ms = int(_GAP / timedelta(milliseconds=1))
    usual = None
    if len(of_meter):
        offset = int((asked.start.astimezone(asked.zone).utcoffset() or timedelta(0)).total_seconds() * 1000)
        around = int(of_meter.start_ms[0]), int(of_meter.end_ms[-1])
        usual = usual_week(of_meter, *around, gap_ms=gap_ms, zone_offset_ms=offset)
    return [
        words
        for cut in (edges, edges[[0, -1]])
        for words in _words(cut, asked.zone, spread(of_meter, cut, gap_ms=gap_ms, usual=usual))
    ]


def _words(edges: Instants, zone: ZoneInfo, found: Spread) -> list[PeriodWords]:
    return [
        PeriodWords(
            _local(int(edges[i]), zone),
            _local(int(edges[i + 1]), zone),
            None if np.isnan(found.amount[i]) else _plain(found.amount[i]),
            _plain(found.estimated[i]),
            Shares(
                _plain(found.measured_share[i]),
                _plain(found.estimated_share[i]),
                0.0,  # nobody enters readings by hand yet
                _plain(found.missing_share[i]),
                _plain(found.disputed_share[i]),
            ),
        )
        for i in range(len(found.amount))
    ]


def _plain(value: float) -> float:
    """Without the dust of binary fractions: a millionth is finer than any register."""
    return round(float(value), 6) + 0.0


def _local(ms: int, zone: ZoneInfo) -> str:
    return from_ms(ms).astimezone(zone).isoformat()


def read_exchanges(file: Path, meter: str) -> list[Exchange]:
    """The exchanges of a meter from a CSV file of events; ConfigurationError lists every row that is wrong."""
    made: list[Exchange] = []
    faults: list[str] = []
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.DictReader(opened)
        missing = [name for name in EVENT_COLUMNS[:5] if name not in (rows.fieldnames or [])]
        if missing:
            raise ConfigurationError(
                [f"{file}:1: has no column {', '.join(missing)}; needs {', '.join(EVENT_COLUMNS)}"]
            )
        for row in rows:
            try:
                exchange = _exchange(row)
            except ValueError as error:
                faults.append(f"{file}:{rows.line_num}: {error}")
                continue
            if row["meter"] == meter:
                made.append(exchange)
    if faults:
        raise ConfigurationError(faults)
    return made


def _exchange(row: dict[str, str]) -> Exchange:
    if row["kind"] != "exchanged":
        raise ValueError(f"kind {row['kind']!r} is not known here; known is exchanged")
    try:
        at = to_ms(datetime.fromisoformat(row["at"]))
    except ValueError as error:
        raise ValueError(f"at {row['at']!r} must be ISO 8601 with an offset: {error}") from error
    registers = []
    for column in ("final_register", "initial_register"):
        try:
            registers.append(float(row[column]))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{column} {row[column]!r} must be a number") from error
    return Exchange(at, *registers)
