"""Readings as points of InfluxDB, the questions that are asked for them, and back to the last bit.

A reading is one point of a measurement, with tags `meter` and `quantity`. InfluxDB keeps doubles as they are, but
neither NaN nor infinity. All fields are doubles, so that answers come in one table:

- `value`: the value; `bad` in its place, of one that is not to be believed;
- `flag`: quality and reason of one that is not good, and of one that is no number;
- `infinite`: in place of the value, its sign.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.batches import Deduplicated
from adapters.series_store import FLAG_BASE, Rows, unflagged
from energy.errors import StoreError
from energy.quantities import QUANTITIES, Kind
from energy.readings import EPOCH, Point, Quality

# InfluxDB counts nanoseconds in 64 bits: until 2262-04-11.
LAST_KNOWN_MS = (2**63 - 1) // 1_000_000
_COLUMNS = '["_time", "_value", "_field", "meter", "quantity"]'

# What of an answer is looked at.
_WANTED = ("meter", "quantity", "_field", "_time", "_value")

Instants = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def lines_of(name: str, points: Sequence[Point], batch: Deduplicated) -> list[str]:
    """A line of the line protocol for each row; `points` are those that the batch numbers."""
    heads = {n: _head(name, points[n]) for n in np.unique(batch.point).tolist()}
    columns = (batch.point, batch.value, batch.quality, batch.reason, batch.taken_at_ms)
    return [
        f"{heads[point]} {_fields(value, quality, reason)} {t_ms}"
        for point, value, quality, reason, t_ms in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _head(name: str, point: Point) -> str:
    return f"{name},meter={_tag(point.meter)},quantity={_tag(point.quantity)}"


def _tag(text: str) -> str:
    for sign in "\\,= ":
        text = text.replace(sign, "\\" + sign)
    return text


def _fields(value: float, quality: int, reason: int) -> str:
    if math.isfinite(value):
        said = f"{'bad' if quality >= Quality.BAD else 'value'}={value!r}"
        return said if quality == Quality.GOOD and reason == 0 else f"{said},flag={quality * FLAG_BASE + reason}"
    sign = f"infinite={math.copysign(1.0, value)}," if math.isinf(value) else ""
    return f"{sign}flag={quality * FLAG_BASE + reason}"


# -- questions ---------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text as Flux writes it: nothing in it means anything.

    >>> print(quoted('a"b${c}'))
    "a\\x22b\\x24{c}"
    """
    return '"' + "".join(c if c.isprintable() and c not in '"\\$' else _escaped(c) for c in text) + '"'


def _escaped(sign: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in sign.encode())


def export_query(bucket: str, name: str, points: Sequence[Point], from_ms: int, to_ms: int) -> str:
    """All points over [from, to) of some series."""
    which = " or ".join(f"(r.meter == {quoted(p.meter)} and r.quantity == {quoted(p.quantity)})" for p in points)
    return (
        f"from(bucket: {quoted(bucket)})"
        f" |> range(start: {_instant(from_ms)}, stop: {_instant(to_ms)})"
        f" |> filter(fn: (r) => r._measurement == {quoted(name)} and ({which}))"
        f" |> keep(columns: {_COLUMNS})"
    )


def newest_query(bucket: str, name: str) -> str:
    """The last point of every series there ever was."""
    return (
        f"from(bucket: {quoted(bucket)})"
        f" |> range(start: {_instant(0)}, stop: {_instant(LAST_KNOWN_MS)})"
        f" |> filter(fn: (r) => r._measurement == {quoted(name)})"
        f" |> last()"
        f" |> keep(columns: {_COLUMNS})"
    )


def hourly_task(title: str, bucket: str, name: str, into: str) -> str:
    """A task that tells gauges by the hour (mean, min, max) and where counters stood at its end (value).

    The last two days are told again each hour: what comes later than that is not told.
    """
    counters = "|".join(sorted(q.name for q in QUANTITIES.values() if q.kind is Kind.COUNTER))
    of_gauges = "\n".join(
        f'readings |> filter(fn: (r) => r.quantity !~ counters) {_by_the_hour(fn, into)} |> yield(name: "{fn}")'
        for fn in ("mean", "min", "max")
    )
    return f"""import "date"

option task = {{name: {quoted(title)}, every: 1h, offset: 5m}}

counters = /^({counters})$/
readings =
    from(bucket: {quoted(bucket)})
        |> range(start: date.truncate(t: -48h, unit: 1h), stop: date.truncate(t: now(), unit: 1h))
        |> filter(fn: (r) => r._measurement == {quoted(name)} and r._field == "value")

{of_gauges}
readings |> filter(fn: (r) => r.quantity =~ counters) {_by_the_hour("last", into)} |> yield(name: "last")
"""


def _by_the_hour(fn: str, into: str) -> str:
    field = "value" if fn == "last" else fn
    return (
        f'|> aggregateWindow(every: 1h, fn: {fn}, createEmpty: false, timeSrc: "_start")'
        f' |> set(key: "_field", value: "{field}") |> to(bucket: {quoted(into)})'
    )


def _instant(t_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=t_ms)).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


# -- answers -----------------------------------------------------------------------------------------------------------


class Answer:
    """The readings that an answer tells, taken in as it comes: a row of it is a hundred bytes, and sixteen here."""

    def __init__(self) -> None:
        self._rest = b""
        self._header: list[int] | None = None
        self._parts: dict[Point, dict[str, list[tuple[Instants, Values]]]] = {}

    def take(self, chunk: bytes) -> None:
        """The next bytes; StoreError where they tell of a failure, or are no answer of InfluxDB."""
        whole, newline, rest = (self._rest + chunk).rpartition(b"\n")
        if whole.count(b'"') % 2:
            # A line ends within quotes.
            self._rest += chunk
            return
        self._rest = rest
        try:
            self._keep((whole + newline).decode())
        except (ValueError, IndexError) as error:
            raise StoreError(f"what answers is not InfluxDB, or only a part of its answer came: {error}") from error

    def _keep(self, text: str) -> None:
        samples: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
        for *series, t, value in self._told(text):
            times, values = samples.setdefault(tuple(series), ([], []))
            times.append(t)
            values.append(value)
        for (meter, quantity, field), (times, values) in samples.items():
            parts = self._parts.setdefault(Point(meter, quantity), {}).setdefault(field, [])
            parts.append((_instants(times), np.array(values, np.float64)))

    def _told(self, text: str) -> Iterator[list[str]]:
        """Meter, quantity, field, instant and value of each row. Rows begin with annotations and a header."""
        rows = csv.reader(io.StringIO(text, newline=""))
        for row in rows:
            if not row or row[0].startswith("#"):
                self._header = None
            elif self._header is None:
                if "error" in row:
                    raise StoreError(f"InfluxDB broke off its answer: {','.join(next(rows, [])).strip(',')[:300]}")
                self._header = [row.index(column) for column in _WANTED]
            else:
                yield [row[i] for i in self._header]

    def rows(self) -> dict[Point, Rows]:
        """All of them, when the answer is over; StoreError where it ended within a row."""
        if self._rest.strip():
            raise StoreError("InfluxDB broke off its answer within a row")
        return {
            point: _assembled(
                {field: (_all(p[0] for p in parts), _all(p[1] for p in parts)) for field, parts in of.items()}
            )
            for point, of in self._parts.items()
        }


def _all(parts: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(list(parts))


def _assembled(samples: Mapping[str, tuple[Instants, Values]]) -> Rows:
    t_ms = np.unique(_all(at for at, _ in samples.values()))
    value, flag = np.full(len(t_ms), np.nan), np.zeros(len(t_ms), np.int64)
    for field, (at, told) in samples.items():
        rows = np.searchsorted(t_ms, at)
        if field == "flag":
            flag[rows] = told.astype(np.int64)
        else:
            value[rows] = told * np.inf if field == "infinite" else told
    return Rows(t_ms, value, *unflagged(flag))


def _instants(times: Sequence[str]) -> Instants:
    return np.array([t.removesuffix("Z") for t in times], "datetime64[ms]").astype(np.int64)
