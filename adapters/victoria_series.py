"""Readings as series of VictoriaMetrics, and back to the last bit.

VictoriaMetrics keeps twelve significant digits and no NaN, and the values of a block to one decimal place, so that a
very large one takes digits from its neighbours. So a reading is a sample of `<name>_value`, rounded to what is surely
kept, for whoever looks with other tools, and beside it, where that is not all of it, samples of the same instant:

- `_high` and `_low`: the two halves of the 64 bits of a value that is not the rounded one;
- `_flag`: quality and reason of one that is not good;
- `_bad` in place of `_value`: what a meter said that is not to be believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from adapters.batches import Deduplicated
from adapters.series_store import FLAG_BASE, Rows, unflagged
from adapters.victoria_client import Sample
from energy.readings import Point, Quality

FIELDS = ("value", "bad", "high", "low", "flag")
_VALUE, _BAD, _HIGH, _LOW, _FLAG = FIELDS
# Below that, in millionths, is what a double holds as a whole number.
_LARGEST, _DIGITS, _DECIMALS = 9e9, 12, 6

_INSTANT, _LAST = "tlast_over_time", "last_over_time"

Samples = dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]
# Rows, and what a field says of each.
Told = tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]


class Line(msgspec.Struct):
    """A line of an export: one series."""

    metric: dict[str, str]
    values: list[float]
    timestamps: list[int]


_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Line)


def import_body(name: str, points: Sequence[Point], batch: Deduplicated) -> bytes:
    """What `/api/v1/import` takes: a line for each series; `points` are those that the batch numbers."""
    if not len(batch):
        return b""
    starts = np.flatnonzero(np.r_[True, batch.point[1:] != batch.point[:-1]])
    ends = np.r_[starts[1:], len(batch)]
    lines = []
    masks, values = _fields(batch)
    for field, there in masks.items():
        if not there.any():
            continue
        # How many rows of the batch are among those that the field has, before each series and behind it.
        before = np.r_[0, np.cumsum(there)]
        begins, stops = before[starts], before[ends]
        told = np.flatnonzero(begins < stops)
        own = [points[n] for n in batch.point[starts[told]].tolist()]
        t_ms, value = batch.taken_at_ms[there].tolist(), values[field][there].tolist()
        if len(own) == len(value):
            lines.append(_lines_of_one(f"{name}_{field}", own, value, t_ms))
            continue
        for point, begin, stop in zip(own, begins[told].tolist(), stops[told].tolist(), strict=True):
            metric = {"__name__": f"{name}_{field}", "meter": point.meter, "quantity": point.quantity}
            # Written at once: so many of them alive would have the garbage collector look for what is dead.
            lines.append(_encoder.encode(Line(metric, value[begin:stop], t_ms[begin:stop])))
    return b"\n".join(lines)


def _lines_of_one(series: str, points: Sequence[Point], value: list[float], t_ms: list[int]) -> bytes:
    """The same of points that have one sample each, in half of the time: all names and numbers are written at once."""
    # Within a name a quotation mark has a backslash before it.
    meters = _encoder.encode([p.meter for p in points]).decode()[2:-2].split('","')
    quantities = _encoder.encode([p.quantity for p in points]).decode()[2:-2].split('","')
    values, instants = (_encoder.encode(numbers).decode()[1:-1].split(",") for numbers in (value, t_ms))
    head = f'{{"metric":{{"__name__":"{series}","meter":"'
    return "\n".join(
        [
            f'{head}{meter}","quantity":"{quantity}"}},"values":[{v}],"timestamps":[{t}]}}'
            for meter, quantity, v, t in zip(meters, quantities, values, instants, strict=True)
        ]
    ).encode()


def _fields(batch: Deduplicated) -> tuple[dict[str, npt.NDArray[np.bool_]], dict[str, npt.NDArray[np.float64]]]:
    value, is_bad = batch.value, batch.quality >= Quality.BAD
    bits, said = value.view(np.uint64), rounded(value)
    whole = (said != value) & ~np.isnan(value)
    flag = batch.quality.astype(np.float64) * FLAG_BASE + batch.reason
    is_said = ~np.isnan(said)
    masks = {_VALUE: is_said & ~is_bad, _BAD: is_said & is_bad, _HIGH: whole, _LOW: whole, _FLAG: flag != 0}
    high, low = bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF)
    return masks, {_VALUE: said, _BAD: said, _HIGH: high.astype(float), _LOW: low.astype(float), _FLAG: flag}


def rounded(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n,) values with six decimals and twelve digits at most; NaN from 9 * 10^9 on.

    >>> rounded(np.array([557511.24, 46.599998474121094, 123456789.123456, 1e12])).tolist()
    [557511.24, 46.599998, 123456789.123, nan]
    """
    size = np.abs(value)
    with np.errstate(invalid="ignore", divide="ignore"):
        digits = np.where(size >= 1, np.floor(np.log10(size)) + 1, 0)
        sayable = size < _LARGEST
        scale = 10.0 ** np.where(sayable, np.clip(_DIGITS - digits, 0, _DECIMALS), 0)
        # A whole number below 2^53 over a power of ten is the double nearest to that decimal.
        return np.where(sayable, np.rint(value * scale) / scale, np.nan)


def exported(name: str, answer: bytes) -> Iterator[tuple[Point, str, Line]]:
    """The series of an export: whose, which of `FIELDS`, and its samples."""
    for text in answer.splitlines():
        line = _decoder.decode(text)
        labels: Mapping[str, str] = line.metric
        field = labels["__name__"].removeprefix(name + "_")
        yield Point(labels["meter"], labels["quantity"]), field, line


def rows_of(lines: Iterable[tuple[Point, str, Line]], from_ms: int, to_ms: int) -> dict[Point, Rows]:
    """The readings that the series of an export are, over [from, to)."""
    by_series: dict[Point, dict[str, list[Line]]] = {}
    for point, field, line in lines:
        # A series may come in several lines, in any order.
        by_series.setdefault(point, {}).setdefault(field, []).append(line)
    found: dict[Point, Rows] = {}
    for point, series in by_series.items():
        samples = {field: _joined(parts, from_ms, to_ms) for field, parts in series.items()}
        found[point] = _assembled(samples)
    return found


def _joined(lines: Sequence[Line], from_ms: int, to_ms: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    t_ms = np.concatenate([np.array(line.timestamps, np.int64) for line in lines])
    value = np.concatenate([np.array(line.values, np.float64) for line in lines])
    within = (t_ms >= from_ms) & (t_ms < to_ms)
    # What was handed over twice is there twice, and the same.
    t_ms, first = np.unique(t_ms[within], return_index=True)
    return t_ms, value[within][first]


def _assembled(samples: Samples) -> Rows:
    t_ms = np.unique(np.concatenate([at for at, _ in samples.values()]))
    return _side_by_side(t_ms, {field: (np.searchsorted(t_ms, at), told) for field, (at, told) in samples.items()})


def _side_by_side(t_ms: npt.NDArray[np.int64], fields: Mapping[str, Told]) -> Rows:
    """Readings of these instants, of which each field tells of some rows."""
    value, flag = np.full(len(t_ms), np.nan), np.zeros(len(t_ms))
    for field in (_VALUE, _BAD):
        if field in fields:
            row, said = fields[field]
            value[row] = said
    # One of the two may be shown before the other.
    if _HIGH in fields and _LOW in fields:
        (high_row, high), (low_row, low) = fields[_HIGH], fields[_LOW]
        both, own, other = np.intersect1d(high_row, low_row, assume_unique=True, return_indices=True)
        bits = (high[own].astype(np.uint64) << np.uint64(32)) + low[other].astype(np.uint64)
        value[both] = bits.view(np.float64)
    if _FLAG in fields:
        row, said = fields[_FLAG]
        flag[row] = said
    return Rows(t_ms, value, *unflagged(flag.astype(np.int64)))


def selector(name: str, points: Sequence[Point] | None = None, fields: Sequence[str] = FIELDS) -> str:
    """The series of points, or of all, as VictoriaMetrics selects them. Ids hold nothing that means something there
    but a full stop."""
    of = [f'__name__=~"{name}_({"|".join(fields)})"']
    if points is not None:
        of += [f'{label}=~"{_any(getattr(p, label) for p in points)}"' for label in ("meter", "quantity")]
    return "{" + ",".join(of) + "}"


def of_meters(name: str, meters: Sequence[str]) -> str:
    """All series of meters."""
    return f'{{__name__=~"{name}_({"|".join(FIELDS)})",meter=~"{_any(meters)}"}}'


def newest_query(name: str, points: Sequence[Point], span_ms: int) -> str:
    """The instant and the value of the last sample of each series of points."""
    series = f"{selector(name, points)}[{span_ms}ms]"
    return f'aggr_over_time(("{_INSTANT}", "{_LAST}"), {series}) keep_metric_names'


def newest(name: str, told: Sequence[Sample]) -> tuple[list[Point], Rows]:
    """The points that an answer to `newest_query` tells of, and (n,) the newest reading of each."""
    said: dict[str, dict[tuple[str, str, str], float]] = {_INSTANT: {}, _LAST: {}}
    for sample in told:
        labels = sample.metric
        said[labels.rollup][labels.meter, labels.quantity, labels.name] = float(sample.value[1])
    places: dict[tuple[str, str], int] = {}
    of = np.array([places.setdefault(series[:2], len(places)) for series in said[_LAST]], np.intp)
    t_ms = np.rint(np.array([said[_INSTANT][series] for series in said[_LAST]]) * 1000).astype(np.int64)
    value, field = np.array(list(said[_LAST].values())), np.array([series[2] for series in said[_LAST]], np.str_)
    last_ms = np.full(len(places), -1, np.int64)
    np.maximum.at(last_ms, of, t_ms)
    # What a series told last of an earlier instant says nothing of the newest reading.
    rows = {f: np.flatnonzero((t_ms == last_ms[of]) & (field == f"{name}_{f}")) for f in FIELDS}
    newest_rows = _side_by_side(last_ms, {f: (of[own], value[own]) for f, own in rows.items()})
    return [Point(*place) for place in places], newest_rows


def _any(names: Iterable[str]) -> str:
    # A full stop means any character there; within quotes a backslash is written twice.
    return "|".join(sorted({n.replace(".", "\\\\.") for n in names}))
