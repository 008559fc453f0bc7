"""How the year goes against each quota, out of its days: what is allowed so far, what is expected, and how surely."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from analytics.quotas.daily import WEEK, YEAR_OF_WEEKS, Days, Floats, Ints
from analytics.quotas.forecast import METHODS, Expected, rest_of_month, rest_of_year
from analytics.quotas.intervals import Calibration, Horizon
from analytics.quotas.pace import Standing, allowed_by_day, runs_out
from analytics.quotas.yearly import Months, millionths, over_months
from energy.hours import Whole
from energy.quotas import MONTHS, Quota
from energy.series import MICRO
from gateway.records.entries import Entry

# Of a day, a month or the year so far: what may be missing before nothing is made of it.
MISSING_MOST = 0.05
_KNOWN_LEAST = 0.9
# Of the days of the year before, to tell what weekdays use.
_WEIGHED_LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month or year is expected to come to [unit of the quota].

    least, most : the interval of 90 %. All None where `method` is too little history, or `reason` says why not.
    """

    expected: float | None
    least: float | None
    most: float | None
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """A quota at the end of the day before `today`. Amounts of the ledger are millionths, forecasts are not.

    daily : (days of the year so far,) used; NaN where a day is not known whole. expected_daily : the days to come.
    allowed_daily : what the quota allows on each day of the year [millionths].
    completeness : share of the time since the year began of which something is known. change : this year by last year
    over the days that both know, less 1.
    """

    entry: Entry[Quota]
    today: date
    standing: Standing
    months: Months
    used_month: int
    completeness: float
    month: Forecast
    year: Forecast
    exceeded_on: date | None
    change: float | None
    daily: Floats
    expected_daily: Floats
    allowed_daily: Sequence[int]

    @property
    def quota(self) -> Quota:
        return self.entry.value


@dataclass(frozen=True, slots=True)
class Series:
    """A node by local day, from `first` to the day before `today`: amount [millionths], known share of each day."""

    first: date
    today: date
    read_at_ms: int
    amount: Whole
    known: Floats

    @property
    def daily(self) -> Floats:
        """In whole units; NaN where a day is not known whole."""
        return np.where(self.known >= 1 - MISSING_MOST, self.amount / MICRO, np.nan)


class Group:
    """Quotas of one medium and year, reckoned together."""

    def __init__(
        self,
        entries: Sequence[Entry[Quota]],
        series: Sequence[Series],
        days: Callable[[date, int], Days],
        calibration: Calibration,
    ) -> None:
        self._entries, self._series, self._calibration = entries, series, calibration
        self._limited, self._year = entries[0].value.limited, entries[0].value.year
        self._first, self._today = series[0].first, series[0].today
        ends = date(self._year + 1, 1, 1)
        self._days = days(self._first, (ends - self._first).days)
        self._new_year, self._start = self._at(date(self._year, 1, 1)), self._at(self._today)
        self._stop = self._at(ends)
        self._daily = np.stack([s.daily for s in series], axis=1)

    def paces(self) -> list[Pace]:
        running = self._new_year <= self._start < self._stop
        month = year = None
        if running:
            ends = (self._today.replace(day=1) + timedelta(days=31)).replace(day=1)
            month = rest_of_month(self._daily, self._days, self._start, self._at(ends))
            year = rest_of_year(self._daily, self._days, self._start, self._stop, self._new_year)
        return [self._pace(i, month, year) for i in range(len(self._entries))]

    def _pace(self, i: int, month: Expected | None, year: Expected | None) -> Pace:
        entry, series = self._entries[i], self._series[i]
        used = int(series.amount[self._new_year :].sum())
        known = series.known[self._new_year :]
        completeness = float(known.mean()) if len(known) else 1.0
        months = self._months(i)
        quota = millionths(entry.value.amount)
        by_day = allowed_by_day(months.amounts, self._year, self._weights(i))
        allowed = sum(by_day[: max(self._start - self._new_year, 0)])
        day = self._at(self._today.replace(day=1)) if self._today.year == self._year else self._start
        used_month = int(series.amount[day:].sum())
        of_month, _ = self._forecast(i, Horizon.MONTH, used_month, series.known[day:], month, None)
        of_year, chance = self._forecast(i, Horizon.YEAR, used, known, year, quota)
        rest = np.zeros(0) if year is None else year.days[:, i]
        told = rest if of_year.expected is not None else np.zeros(0)
        return Pace(
            entry,
            self._today,
            Standing(used, allowed, quota, chance),
            months,
            used_month,
            completeness,
            of_month,
            of_year,
            self._exceeded(used, quota, told),
            self._change(i),
            self._daily[self._new_year :, i],
            told,
            by_day,
        )

    def _forecast(
        self, i: int, horizon: Horizon, used: int, known: Floats, rest: Expected | None, quota: int | None
    ) -> tuple[Forecast, float | None]:
        if rest is None:
            return self._of_other_year(used, known, quota)
        method = METHODS[int(rest.method[i])]
        expected = rest.days[:, i].sum()
        if not np.isfinite(expected):
            return Forecast(None, None, None, method, "too little history"), self._known_chance(used, quota)
        if len(known) and known.mean() < _KNOWN_LEAST:
            reason = f"{known.mean():.0%} of the time so far is known"
            return Forecast(None, None, None, method, reason), self._known_chance(used, quota)
        gone = len(known) / (len(known) + len(rest.days))
        misses = self._calibration.at(str(self._limited), horizon, gone)
        total = used / MICRO + float(expected)
        if misses is None:
            return Forecast(total, None, None, method, "no misses are known"), self._known_chance(used, quota)
        own = np.array([used / MICRO]), np.array([float(expected)])
        low, high = misses.interval(*own)
        chance = None if quota is None else float(misses.chance_above(*own, np.array([quota / MICRO]))[0])
        return Forecast(total, float(low[0]), float(high[0]), method), chance

    def _of_other_year(self, used: int, known: Floats, quota: int | None) -> tuple[Forecast, float | None]:
        """Of a year that is over there is nothing to foretell, only something to know, if it is known whole."""
        if self._start < self._stop:
            return Forecast(None, None, None, "", "the year has not begun"), None
        whole = used / MICRO if len(known) and known.mean() >= _KNOWN_LEAST else None
        chance = self._known_chance(used, quota)
        if chance is None and quota is not None and whole is not None:
            chance = 0.0
        return Forecast(whole, whole, whole, "", "the year is over"), chance

    def _known_chance(self, used: int, quota: int | None) -> float | None:
        """What is exceeded already needs no forecast."""
        return 1.0 if quota is not None and used > quota else None

    def _months(self, i: int) -> Months:
        quota = self._entries[i].value
        if quota.months is not None:
            return Months(tuple(millionths(m) for m in quota.months), ())
        past = {y: self._by_month(i, y) for y in range(self._first.year, self._year)}
        days = [monthrange(self._year, m)[1] for m in range(1, MONTHS + 1)]
        return over_months(millionths(quota.amount), past, days)

    def _weights(self, i: int) -> list[int]:
        """Of each day of the year: what its weekday usually used the year before; a holiday weighs as the least of
        them. Where too little is known all days weigh the same."""
        first = max(self._new_year - YEAR_OF_WEEKS, 0)
        past, days = self._daily[first : self._new_year, i], np.arange(self._new_year, self._stop)
        at = first + np.arange(len(past))
        plain = np.isfinite(past) & ~self._days.special[at]
        if not len(past) or plain.mean() < _WEIGHED_LEAST:
            return [1] * len(days)
        weekday = (at + self._first.weekday()) % WEEK
        own = [past[plain & (weekday == w)] for w in range(WEEK)]
        usual = np.array([max(float(np.median(o)), 0.0) if len(o) else 0.0 for o in own])
        weights = np.where(self._days.special[days], usual.min(), usual[(days + self._first.weekday()) % WEEK])
        return [round(w * MICRO) for w in weights.tolist()]

    def _by_month(self, i: int, year: int) -> list[Decimal | None]:
        series = self._series[i]
        found: list[Decimal | None] = []
        for month in range(1, MONTHS + 1):
            start = self._at(date(year, month, 1))
            stop = start + monthrange(year, month)[1]
            whole = stop <= len(series.known) and series.known[start:stop].mean() >= 1 - MISSING_MOST
            found.append(Decimal(int(series.amount[start:stop].sum())) if whole else None)
        return found

    def _change(self, i: int) -> float | None:
        now = self._daily[self._new_year : self._start, i]
        before: Ints = self._days.before[self._new_year : self._start]
        then = np.where(before >= 0, self._daily[np.clip(before, 0, None), i], np.nan) if len(now) else now
        both = np.isfinite(now) & np.isfinite(then)
        if not both.any() or both.mean() < _KNOWN_LEAST or not then[both].sum() > 0:
            return None
        return float(now[both].sum() / then[both].sum() - 1)

    def _exceeded(self, used: int, quota: int, rest: Floats) -> date | None:
        return runs_out(used, quota, [round(float(v) * MICRO) for v in rest], self._today)

    def _at(self, day: date) -> int:
        return (day - self._first).days
