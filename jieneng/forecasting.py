"""Forecasts from files of readings: what each counter will have used by the end of the month or year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from adapters.reading_files import ReadingFile
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.quotas.daily import Floats, days_of_types
from analytics.quotas.forecast import METHODS, rest_of_month, rest_of_year
from analytics.quotas.intervals import Calibration, Horizon
from analytics.quotas.miss_file import read_misses
from analytics.quotas.weather import degree_days
from energy.errors import EnergyError
from energy.periods import Span
from energy.quantities import Kind, Medium, main_counter, medium_of, quantity
from energy.readings import Point, ReadingColumns, to_ms
from energy.series import MICRO
from energy.sites import Site, Text
from gateway.ledger.books import Books, Kept
from gateway.ledger.service import Range
from jieneng.shipped import calendar, shipped

_AIR = "air_temperature"
_MISSING_MOST = 0.05
_KNOWN_LEAST = 0.9


class MeterForecast(msgspec.Struct):
    """A counter: used since the period began, and what all of it will come to; null where `reason` says why.

    least, most : the interval of 90 %. chance : of exceeding `quota`, where one is given.
    """

    meter: str
    quantity: str
    unit: str
    used: float
    known: float
    expected: float | None
    least: float | None
    most: float | None
    method: str
    reason: str
    quota: float | None
    chance: float | None


class Forecasts(msgspec.Struct, rename={"from_": "from"}):
    """All counters of the files; whole local days before `as_of` are used, and nothing after."""

    as_of: datetime
    used_until: date
    period: str
    from_: date
    to: date
    meters: list[MeterForecast]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which files, as of when, to the end of what, against which quotas by meter."""

    readings: tuple[Path, ...]
    weather: Path | None
    as_of: datetime
    horizon: Horizon
    zone: ZoneInfo
    quotas: Mapping[str, float]

    @property
    def today(self) -> date:
        """The local day that is not over; what is used ends where it begins."""
        return self.as_of.astimezone(self.zone).date()

    @property
    def span(self) -> tuple[date, date]:
        """The period [from, to) that today lies in."""
        first = self.today.replace(day=1)
        if self.horizon is Horizon.YEAR:
            return first.replace(month=1), date(first.year + 1, 1, 1)
        return first, (first + timedelta(days=31)).replace(day=1)


async def forecasts(question: Question) -> Forecasts:
    """A forecast for each main counter of the files; ConfigurationError and EnergyError say what is wrong in them."""
    site = Site("site", Text("本地", "here"), question.zone.key)
    async with open_store("memory:") as store:
        for path in question.readings:
            for columns in _columns(path, question.as_of):
                await store.write(columns)
        books = Books(open_ledger(store), Kept(site), read_factors(shipped("factors.yaml")))
        await books.catch_up()
        points = _main_counters(await store.points())
        if not points:
            raise EnergyError("no counter is in the readings up to that instant; counters are in docs/glossary.md")
        made: list[MeterForecast] = []
        # Three years tell the months, the season and the weather.
        first = date(question.span[0].year - 3, 1, 1)
        degrees = None if question.weather is None else _degrees(question.weather, first, question)
        for medium, own in points.items():
            series = [await _by_day(books, p, first, question) for p in own]
            made += _of_medium(medium, own, series, first, degrees, question)
    start, end = question.span
    ordered = sorted(made, key=lambda one: one.meter)
    return Forecasts(question.as_of, question.today, str(question.horizon), start, end, ordered)


def _columns(path: Path, until: datetime) -> Iterator[ReadingColumns]:
    """The good readings of a file that were taken by then; EnergyError where rows are wrong."""
    with ReadingFile(path) as file:
        file.stage()
        wrong = list(file.refused())
        if wrong:
            told = "\n".join(f"{path}:{row.line}: {row.cause}" for row in wrong[:20])
            raise EnergyError(f"{told}\n{len(wrong)} rows of {path} are wrong; nothing was forecast")
        for chunk in file.chunks():
            c = chunk.columns
            yield c.take(c.taken_at_ms <= to_ms(until))


def _main_counters(points: Iterable[Point]) -> dict[Medium, list[Point]]:
    by_meter: defaultdict[str, list[str]] = defaultdict(list)
    for point in points:
        if quantity(point.quantity).kind is Kind.COUNTER:
            by_meter[point.meter].append(point.quantity)
    found: defaultdict[Medium, list[Point]] = defaultdict(list)
    for meter, names in sorted(by_meter.items()):
        medium = medium_of(names)
        name = main_counter(medium, names)
        if name is not None:
            found[medium].append(Point(meter, name))
    return dict(found)


async def _by_day(books: Books, point: Point, first: date, question: Question) -> tuple[Floats, Floats]:
    """Consumption of each day up to today, and the share of it that is known."""
    start, end = (datetime(d.year, d.month, d.day, tzinfo=question.zone) for d in (first, question.today))
    figures = await books.consumption.of_point(point, Range(start, end, Span.DAY, question.zone))
    return figures.amount / MICRO, np.asarray(1 - figures.missing - figures.disputed, dtype=np.float64)


def _degrees(path: Path, first: date, question: Question) -> Floats:
    """Degree days from the mean temperature of each local day up to today; NaN where nothing was measured."""
    count = (question.today - first).days
    sums, counts = np.zeros(count), np.zeros(count)
    for columns in _columns(path, question.as_of):
        wanted = [i for i, p in enumerate(columns.points) if p.quantity == _AIR]
        chosen = np.isin(columns.index, wanted)
        for t_ms, value in zip(columns.taken_at_ms[chosen].tolist(), columns.value[chosen].tolist(), strict=True):
            local = datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(question.zone).date()
            at = (local - first).days
            if 0 <= at < count:
                sums[at] += value
                counts[at] += 1
    if not counts.any():
        raise EnergyError(f"{path}: has no {_AIR} before {question.today}")
    return degree_days(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _of_medium(
    medium: Medium,
    points: list[Point],
    series: list[tuple[Floats, Floats]],
    first: date,
    degrees: Floats | None,
    question: Question,
) -> list[MeterForecast]:
    amount, known = (np.stack([s[i] for s in series], axis=1) for i in (0, 1))
    daily = np.where(known >= 1 - _MISSING_MOST, amount, np.nan)
    since, stop = ((d - first).days for d in question.span)
    start = len(daily)
    types = calendar().day_types(np.datetime64(first) + np.arange(stop))
    days = days_of_types(first, types)
    if question.horizon is Horizon.YEAR:
        rest = rest_of_year(daily, days, start, stop, since, degrees)
    else:
        rest = rest_of_month(daily, days, start, stop)
    misses = read_misses(shipped("forecast-misses.yaml"))
    gone = (start - since) / (stop - since)
    return [
        _told(
            medium,
            point,
            float(amount[since:, i].sum()),
            float(known[since:, i].mean()) if start > since else 1.0,
            float(rest.days[:, i].sum()),
            METHODS[int(rest.method[i])],
            (misses, gone, question),
        )
        for i, point in enumerate(points)
    ]


def _told(
    medium: Medium,
    point: Point,
    used: float,
    known: float,
    rest: float,
    method: str,
    by: tuple[Calibration, float, Question],
) -> MeterForecast:
    misses, gone, question = by
    quota = question.quotas.get(point.meter)
    unit = quantity(point.quantity).unit
    frame = point.meter, point.quantity, unit, round(used, 6), round(known, 6)
    if not np.isfinite(rest) or known < _KNOWN_LEAST:
        reason = "too little history" if not np.isfinite(rest) else f"{known:.0%} of the time so far is known"
        chance = 1.0 if quota is not None and used > quota else None
        return MeterForecast(*frame, None, None, None, method, reason, quota, chance)
    known_misses = misses.at(str(medium), question.horizon, gone)
    total = round(used + rest, 6)
    if known_misses is None:
        return MeterForecast(*frame, total, None, None, method, "no misses are known", quota, None)
    own = np.array([used]), np.array([rest])
    low, high = known_misses.interval(*own)
    chance = None if quota is None else float(known_misses.chance_above(*own, np.array([quota]))[0])
    ends = round(float(low[0]), 6), round(float(high[0]), 6)
    return MeterForecast(*frame, total, *ends, method, "", quota, None if chance is None else round(chance, 4))
