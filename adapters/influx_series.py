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
from collections.abc import Iterator, Sequence
from datetime import timedelta

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

Samples = dict[str, tuple[list[str], list[str]]]


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


def rows_of(answer: str) -> dict[Point, Rows]:
    """The readings that an answer tells."""
    by_series: dict[Point, Samples] = {}
    for meter, quantity, field, t, value in _told(answer):
        times, values = by_series.setdefault(Point(meter, quantity), {}).setdefault(field, ([], []))
        times.append(t)
        values.append(value)
    return {point: _assembled(samples) for point, samples in by_series.items()}


def _told(answer: str) -> Iterator[tuple[str, ...]]:
    """Meter, quantity, field, instant and value of each row. A block of rows begins with annotations and a header."""
    wanted = ("meter", "quantity", "_field", "_time", "_value")
    at: list[int] | None = None
    for row in csv.reader(io.StringIO(answer)):
        if not row or row[0].startswith("#"):
            at = None
        elif at is None:
            if "error" in row:
                raise StoreError(f"InfluxDB broke off its answer: {answer[-300:].strip()}")
            at = [row.index(column) for column in wanted]
        else:
            yield tuple(row[i] for i in at)


def _assembled(samples: Samples) -> Rows:
    columns = {field: (_instants(times), np.array(values, np.float64)) for field, (times, values) in samples.items()}
    t_ms = np.unique(np.concatenate([at for at, _ in columns.values()]))
    value, flag = np.full(len(t_ms), np.nan), np.zeros(len(t_ms), np.int64)
    for field, (at, told) in columns.items():
        rows = np.searchsorted(t_ms, at)
        if field == "flag":
            flag[rows] = told.astype(np.int64)
        else:
            value[rows] = told * np.inf if field == "infinite" else told
    return Rows(t_ms, value, *unflagged(flag))


def _instants(times: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([t.removesuffix("Z") for t in times], "datetime64[ms]").astype(np.int64)
