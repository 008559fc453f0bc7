"""Quota forecasts on a real estate, years that no choice was made on; and a city's quotas anew.

Needs `../shared/data/cambridge` (or the folder that JIENENG_CAMBRIDGE names); without it only the city is measured.
The protocol is in docs/quotas.md.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from analytics.quotas.daily import Days, Floats, days_with_holidays, plain_days
from analytics.quotas.forecast import a_year_before, rest_of_month, rest_of_year
from analytics.quotas.intervals import Misses
from analytics.quotas.weather import degree_days

_FITTED_TO, _TESTED_FROM, _TO = 2015, 2016, 2022
_PANDEMIC = (2020, 2021)
_DAYS, _MONTHS = (5, 10), (3, 6, 9)
_YEAR_KNOWN = 0.95
_INSTITUTIONS = 2024
_Rest = Callable[["Estate", int, int, int], Floats]


@dataclass(frozen=True)
class Estate:
    """Daily consumption [kWh], (n, m); NaN for a day of which an hour is not known."""

    daily: Floats
    days: Days
    degrees: Floats

    def at(self, day: date) -> int:
        return self.days.index(day)


def folder() -> Path:
    """Where the recorded hours are looked for."""
    return Path(os.environ.get("JIENENG_CAMBRIDGE", "../shared/data/cambridge"))


def estate(medium: str) -> Estate:
    """The estate's counters of a medium. A gap of electricity is written as 0 there; gas may well stand still."""
    hours, first = _hours(folder() / f"{medium}_hourly_even.parquet")
    if medium == "electricity":
        hours[hours <= 0] = np.nan
    weather, _ = _hours(folder() / "weather_bedford_hourly.parquet")
    daily = hours[: len(hours) // 24 * 24].reshape(-1, 24, hours.shape[1]).sum(axis=1)
    temperature = weather[: len(daily) * 24, 0].reshape(-1, 24).mean(axis=1)
    days = days_with_holidays(first, len(daily), english_holiday)
    return Estate(daily, days, degree_days(temperature))


def _hours(path: Path) -> tuple[Floats, date]:
    """(n, m) values and the day of the first."""
    found = duckdb.execute(f"SELECT * FROM '{path}' ORDER BY datetime").fetchnumpy()
    first = np.asarray(found.pop("datetime"))[0].astype("datetime64[D]").item()
    columns = [np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan) for column in found.values()]
    return np.stack(columns, axis=1), first


def english_holiday(day: date) -> str | None:
    """The holidays that move or close an English university: Easter, and the days around Christmas."""
    from_easter = (day - _easter(day.year)).days
    if -2 <= from_easter <= 1:
        return f"easter/{from_easter}"
    closed = (day - date(day.year - (day.month == 1), 12, 24)).days
    return f"christmas/{closed}" if 0 <= closed <= 8 else None


def _easter(year: int) -> date:
    """Gauss' rule as Meeus, Jones and Butcher wrote it down."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    h = (19 * a + b - d - (b - f + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    n = (32 + 2 * e + 2 * i - h - k) % 7
    month, day = divmod(h + n - 7 * ((a + 11 * h + 22 * n) // 451) + 114, 31)
    return date(year, month, day + 1)


# -- what is forecast -----------------------------------------------------------------------------------------------


def _ours_month(e: Estate, since: int, start: int, stop: int) -> Floats:
    return rest_of_month(e.daily, e.days, start, stop).days


def _ours_year(e: Estate, since: int, start: int, stop: int) -> Floats:
    return rest_of_year(e.daily, e.days, start, stop, since, e.degrees).days


def _linear(e: Estate, since: int, start: int, stop: int) -> Floats:
    """What was used a day since the period began, on and on: what others do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(e.daily[since:start], axis=0)
    return np.broadcast_to(mean, (stop - start, e.daily.shape[1]))


def _naive(e: Estate, since: int, start: int, stop: int) -> Floats:
    return a_year_before(e.daily, e.days, start, stop)


@dataclass(frozen=True)
class Origin:
    """A forecast and what came: (m,) used, expected and true rest, over the days that came to be known."""

    year: int
    used: Floats
    expected: Floats
    came: Floats

    @property
    def error(self) -> Floats:
        found: Floats = np.abs((self.used + self.expected) / (self.used + self.came) - 1)
        return found


def months(e: Estate, after: int, rest: _Rest) -> list[Origin]:
    """Every month from 2015 on, seen from the end of its day `after`. Only months of which every day is known count."""
    found = []
    for year in range(_FITTED_TO, _TO + 1):
        for month in range(1, 13):
            since, stop = e.at(date(year, month, 1)), e.at(date(year + month // 12, month % 12 + 1, 1))
            start = since + after
            came = e.daily[start:stop].sum(axis=0)
            used = e.daily[since:start].sum(axis=0)
            found.append(Origin(year, used, rest(e, since, start, stop).sum(axis=0), came))
    return found


def years(e: Estate, after: int, rest: _Rest) -> list[Origin]:
    """Every year from 2015 on, seen from the end of its month `after`; days not known count on neither side."""
    found = []
    for year in range(_FITTED_TO, _TO + 1):
        since, start, stop = (e.at(d) for d in (date(year, 1, 1), date(year, after + 1, 1), date(year + 1, 1, 1)))
        known = np.isfinite(e.daily[since:stop])
        days = np.where(known[start - since :], rest(e, since, start, stop), 0.0).sum(axis=0)
        came = np.nansum(e.daily[start:stop], axis=0)
        used = np.nansum(e.daily[since:start], axis=0)
        used[known.mean(axis=0) < _YEAR_KNOWN] = np.nan
        found.append(Origin(year, used, days, came))
    return found


def medians(origins: dict[str, list[Origin]], without: tuple[int, ...] = ()) -> dict[str, float]:
    """Median error [%] of each method from 2016 on, over the forecasts that all of them could make."""
    errors = {
        name: np.concatenate([o.error for o in own if o.year >= _TESTED_FROM and o.year not in without])
        for name, own in origins.items()
    }
    all_of_them = np.isfinite(np.stack(list(errors.values()))).all(axis=0)
    return {name: round(float(100 * np.median(own[all_of_them])), 2) for name, own in errors.items()}


def covered(origins: list[Origin], *, rolling: bool) -> tuple[int, int]:
    """How many of the forecasts from 2016 on came to lie in their interval of 90 %, and how many there were.

    rolling : whether the misses of all years before are known, or only those up to 2015.
    """
    inside = total = 0
    for origin in (o for o in origins if o.year >= _TESTED_FROM):
        until = origin.year if rolling else _FITTED_TO + 1
        with np.errstate(divide="ignore", invalid="ignore"):
            misses = Misses.of(r for o in origins if o.year < until for r in o.came / o.expected if r > 0)
        low, high = misses.interval(origin.used, origin.expected)
        true = origin.used + origin.came
        known = np.isfinite(true) & np.isfinite(low)
        inside += int((known & (low <= true) & (true <= high)).sum())
        total += int(known.sum())
    return inside, total


def run() -> dict[str, Any]:
    """All figures; errors in percent, coverage as a share."""
    figures: dict[str, Any] = {}
    if folder().is_dir():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for medium in ("electricity", "gas"):
                figures |= _of_medium(medium, estate(medium))
    figures["city_recompute_s"] = round(_city(), 2)
    return figures


def months_of_electricity() -> dict[str, Any]:
    """Median error of a month seen from its fifth day [%], and that of the others."""
    if not folder().is_dir():
        return {"skipped": f"{folder()} is not there"}
    e = estate("electricity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        by_method = (("", _ours_month), ("_linear", _linear), ("_naive", _naive))
        return {f"month_error{m}_day5": v for m, v in medians({m: months(e, 5, f) for m, f in by_method}).items()}


def _of_medium(medium: str, e: Estate) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    fixed, rolling = [], []
    for word, horizon, stages, ours in (("day", months, _DAYS, _ours_month), ("m", years, _MONTHS, _ours_year)):
        kind = "month" if word == "day" else "year"
        for after in stages:
            origins = {"": horizon(e, after, ours), "_linear": horizon(e, after, _linear)}
            origins["_naive"] = horizon(e, after, _naive)
            name = f"{medium}_{kind}_error"
            figures |= {f"{name}{m}_{word}{after}": value for m, value in medians(origins).items()}
            figures[f"{name}_without_2020_2021_{word}{after}"] = medians(origins, _PANDEMIC)[""]
            fixed.append(covered(origins[""], rolling=False))
            rolling.append(covered(origins[""], rolling=True))
            figures[f"coverage_{medium}_{kind}_{word}{after}"] = round(rolling[-1][0] / rolling[-1][1], 3)
    figures[f"coverage_{medium}"] = round(sum(i for i, _ in rolling) / sum(n for _, n in rolling), 3)
    figures[f"coverage_{medium}_fixed"] = round(sum(i for i, _ in fixed) / sum(n for _, n in fixed), 3)
    return figures


def _city() -> float:
    """Quotas of 2,024 institutions with 2 media and 3 years of days: both forecasts, intervals and chances [s]."""
    rng = np.random.default_rng(1)
    n = 3 * 365
    season = 1 + 0.3 * np.cos(np.arange(n)[:, None] * 2 * np.pi / 365)
    weekday = np.where(np.arange(n)[:, None] % 7 < 5, 1.0, 0.5)
    daily = season * weekday * rng.lognormal(6, 1, _INSTITUTIONS) * rng.lognormal(0, 0.1, (n, _INSTITUTIONS))
    days = plain_days(date(2024, 1, 1), n + 366)
    degrees = degree_days(12 - 12 * season[:, 0] + 10)
    misses = Misses.of(rng.lognormal(0, 0.05, 500).tolist())
    began = time.perf_counter()
    for _medium in range(2):
        start = days.index(date(2026, 9, 10))
        for stop, since, year in ((start + 20, start - 9, False), (n, days.index(date(2026, 1, 1)), True)):
            expected = (
                rest_of_year(daily, days, start, stop, since, degrees)
                if year
                else rest_of_month(daily, days, start, stop)
            ).days.sum(axis=0)
            used = daily[since:start].sum(axis=0)
            misses.interval(used, expected)
            misses.chance_above(used, expected, (used + expected) * 1.02)
    return time.perf_counter() - began
