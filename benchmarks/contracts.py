"""Contracts: baselines out of sample on a real estate, and a settlement of 200 meters over a year.

A baseline is fitted to one year and asked for the next; nothing is known to have been retrofitted, so all that differs
is error. Of each building the two years before 2020 are taken that were measured best (electricity that is zero is a
gap). Beside it stand the mean by hour of the week and a regression of months on heating degree days.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from adapters.clocks import SteppedClock
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.contracts.baseline import UNITS
from analytics.contracts.canonical import canonical
from analytics.contracts.daily import fit_daily
from analytics.contracts.day_kinds import DayKind, kinds_of
from analytics.contracts.degree_days import fit_monthly
from analytics.contracts.fit_figures import fit_figures
from analytics.contracts.fitting import DayValues, Named, fitted
from analytics.contracts.settlement import verify
from analytics.contracts.uncertainty import empirical, guideline_14
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.series import Floats
from energy.sites import Meter, Site, Text
from gateway.contracts.service import Contracts
from gateway.ledger.books import Books, Kept
from gateway.records.database import open_records

DATA = Path(__file__).parents[2] / "shared" / "data" / "cambridge"
FIRST = date(2014, 1, 1)
PAIRS = range(2014, 2019)
LEAST_KNOWN = 0.95
METERS, ENERGY = 200, "active_energy_import"
ZONE = ZoneInfo("Asia/Shanghai")


def run() -> dict[str, Any]:
    return {**(_accuracy() if DATA.is_dir() else {}), **asyncio.run(_settlement())}


# -- baselines --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """A building in the year that is fitted, and in the one after: (n, 24) by hour, with kinds of days."""

    temperature: tuple[Floats, Floats]
    hours: tuple[Floats, Floats]
    kinds: tuple[list[DayKind], list[DayKind]]
    days: tuple[list[date], list[date]]

    def energy(self, year: int) -> Floats:
        """(n,) of each day; NaN where an hour is not known."""
        made: Floats = self.hours[year].sum(axis=1)
        return made


Model = Callable[[Pair], Floats]


def _accuracy() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for medium in ("electricity", "gas"):
        pairs = _pairs(medium)
        found[f"{medium}_buildings"] = len(pairs)
        began = time.perf_counter()
        daily = [_error(pair, _change_point(pair)) for pair in pairs]
        seconds = (time.perf_counter() - began) / len(pairs)
        beside = {
            "hour_of_week": [_error(pair, _hour_of_week(pair)) for pair in pairs],
            "monthly_hdd": [_error(pair, _monthly(pair)) for pair in pairs],
        }
        found[f"{medium}_cv_daily"] = _median(daily, 0)
        found[f"{medium}_annual_error"] = _median([(abs(c), abs(e)) for c, e in daily], 1)
        for name, errors in beside.items():
            found[f"{medium}_cv_daily_{name}"] = _median(errors, 0)
            found[f"{medium}_annual_error_{name}"] = _median([(abs(c), abs(e)) for c, e in errors], 1)
        found[f"{medium}_interval_coverage"] = _coverage(np.array([e for _, e in daily]))
        found[f"{medium}_interval_coverage_guideline_14"] = _covered_by_formula(pairs, daily)
        began = time.perf_counter()
        found[f"{medium}_month_coverage"] = _months_covered(pairs)
        if medium == "electricity":
            found["model_s_per_meter"] = seconds
            found["baseline_s_per_meter"] = (time.perf_counter() - began) / len(pairs)
    return found


def _median(errors: Sequence[tuple[float, float]], column: int) -> float:
    return float(np.median([e[column] for e in errors]))


def _error(pair: Pair, modelled: Floats) -> tuple[float, float]:
    """CV(RMSE) of the days of the next year, and the error of their sum over what was modelled."""
    measured = pair.energy(1)
    known = np.isfinite(measured) & np.isfinite(modelled)
    m, y = modelled[known], measured[known]
    return float(np.sqrt(np.mean((y - m) ** 2)) / y.mean()), float((m.sum() - y.sum()) / m.sum())


def _change_point(pair: Pair) -> Floats:
    energy = pair.energy(0)
    known = np.isfinite(energy)
    kinds = [k for k, is_known in zip(pair.kinds[0], known.tolist(), strict=True) if is_known]
    return fit_daily(kinds, pair.temperature[0][known], energy[known]).at(pair.kinds[1], pair.temperature[1])


def _hour_of_week(pair: Pair) -> Floats:
    """The mean of each hour of the week."""
    weekday = [np.array([d.weekday() for d in days]) for days in pair.days]
    mean = np.array([np.nanmean(pair.hours[0][weekday[0] == w], axis=0) for w in range(7)])
    made: Floats = mean[weekday[1]].sum(axis=1)
    return made


def _monthly(pair: Pair) -> Floats:
    """Months on heating degree days of 15.5 degC, as is usual: mean days of months, so that gaps do not count."""
    energy = pair.energy(0)
    known = np.isfinite(energy)
    month = np.array([d.month - 1 for d in pair.days[0]], np.int64)[known]
    sums = np.bincount(month, energy[known], 12).astype(np.float64)
    curve = fit_monthly(month, pair.temperature[0][known], sums, heating=np.array([15.5]), cooling=np.empty(0))
    return curve.at(pair.temperature[1])


def _coverage(errors: Floats) -> float:
    """How often the error of a building lies in the interval made of all others."""
    held = [abs(e) <= (empirical(np.delete(errors, i)) or 0.0) for i, e in enumerate(errors)]
    return float(np.mean(held))


def _covered_by_formula(pairs: Sequence[Pair], errors: Sequence[tuple[float, float]]) -> float:
    """How often it lies in what ASHRAE's formula claims."""
    held = []
    for pair, (_, error) in zip(pairs, errors, strict=True):
        energy = pair.energy(0)
        known = np.isfinite(energy)
        kinds = [k for k, is_known in zip(pair.kinds[0], known.tolist(), strict=True) if is_known]
        model = fit_daily(kinds, pair.temperature[0][known], energy[known])
        figures = fit_figures(energy[known], model.at(kinds, pair.temperature[0][known]), model.parameters)
        half = guideline_14(figures, int(np.isfinite(pair.energy(1)).sum()), 1.0)
        held.append(half is not None and abs(error) <= half)
    return float(np.mean(held))


def _months_covered(pairs: Sequence[Pair]) -> float:
    """How often a month of the next year lies in the interval that placebo months of the baseline give."""
    held = []
    for pair in pairs:
        energy = [None if np.isnan(e) else round(e * 1e6) for e in pair.energy(0).tolist()]
        values = DayValues(pair.days[0], pair.kinds[0], [round(t * 100) for t in pair.temperature[0].tolist()], energy)
        frozen = fitted(values, "daily", Named("bench", 1, "kWh", (), ""))
        said = frozen.of_days(pair.kinds[1], [round(t * 100) for t in pair.temperature[1].tolist()])
        modelled, measured = np.array([0 if s is None else s / UNITS for s in said]), pair.energy(1)
        month = np.array([d.month for d in pair.days[1]])
        for number in range(1, 13):
            own = (month == number) & np.isfinite(measured)
            if own.any():
                error = (modelled[own].sum() - measured[own].sum()) / modelled[own].sum()
                held.append(abs(error) <= float(frozen.placebo or 0))
    return float(np.mean(held))


def _pairs(medium: str) -> list[Pair]:
    import duckdb

    connection = duckdb.connect()

    def table(name: str) -> dict[str, Any]:
        path = DATA / f"{name}_hourly{'_even' if 'weather' not in name else ''}.parquet"
        found: dict[str, Any] = connection.execute(f"SELECT * FROM '{path}' ORDER BY datetime").fetchnumpy()
        return found

    read = table(medium)
    weather = table("weather_bedford")
    at = read["datetime"].astype("datetime64[h]")
    celsius = np.interp(
        at.astype(float),
        weather["datetime"].astype("datetime64[h]").astype(float),
        np.ma.filled(weather["air_temperature [degC]"].astype(float), np.nan),
    )
    found = []
    for name, column in read.items():
        if name != "datetime":
            hours = np.ma.filled(column.astype(float), np.nan)
            if medium == "electricity":
                hours = np.where(hours == 0, np.nan, hours)
            pair = _best_pair(hours, celsius)
            found += [pair] if pair is not None else []
    return found


def _best_pair(hours: Floats, celsius: Floats) -> Pair | None:
    """Two years that were measured best; None where none was measured well."""
    by_day, temperature = hours.reshape(-1, 24), celsius.reshape(-1, 24).mean(axis=1)
    best: tuple[float, int] | None = None
    for year in PAIRS:
        rows = [_rows(year), _rows(year + 1)]
        known = [float(np.isfinite(by_day[r]).all(axis=1).mean()) for r in rows]
        alive = [float((np.nan_to_num(by_day[r]) > 0).mean()) for r in rows]
        score = min(known)
        if score >= LEAST_KNOWN and min(alive) > 0.5 and (best is None or score > best[0]):
            best = score, year
    if best is None:
        return None
    days = [[FIRST + timedelta(days=i) for i in range(r.start, r.stop)] for r in (_rows(best[1]), _rows(best[1] + 1))]
    kinds = [kinds_of(own, _holidays(own)) for own in days]
    fitted, after = _rows(best[1]), _rows(best[1] + 1)
    return Pair(
        (temperature[fitted], temperature[after]),
        (by_day[fitted], by_day[after]),
        (kinds[0], kinds[1]),
        (days[0], days[1]),
    )


def _rows(year: int) -> slice:
    first = (date(year, 1, 1) - FIRST).days
    return slice(first, first + (date(year + 1, 1, 1) - date(year, 1, 1)).days)


def _holidays(days: Sequence[date]) -> list[date]:
    """The university is closed from Christmas Eve to New Year's Day, and on the Monday after Easter and Good Friday."""
    found = [d for d in days if (d.month, d.day) >= (12, 24) or (d.month, d.day) == (1, 1)]
    easter = _easter(days[0].year)
    return [*found, easter - timedelta(days=2), easter + timedelta(days=1)]


def _easter(year: int) -> date:
    """Gauss' rule for the Gregorian calendar, as Meeus has it."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    last = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * last) // 451
    month, day = divmod(h + last - 7 * m + 114, 31)
    return date(year, month, day + 1)


# -- settlement -------------------------------------------------------------------------------------------------------


async def _settlement() -> dict[str, float]:
    """A year of 200 meters, from the ledger to the sealed file, and reckoned again."""
    start = datetime(2025, 1, 1, tzinfo=ZONE)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = await stack.enter_async_context(open_store("memory:"))
        records = await stack.enter_async_context(open_records(f"sqlite:{folder / 'records.sqlite'}"))
        books = Books(open_ledger(store), Kept(_site()), read_factors(Path("config/factors.yaml")))
        await store.write(_hourly(start))
        await books.catch_up()
        contracts = Contracts(records, SteppedClock(datetime(2026, 1, 2, tzinfo=ZONE)), books, store)
        await contracts.registry.bring({"bench": _document()}, "bench")
        weather = {date(2025, 1, 1) + timedelta(days=i): (i * 37) % 3000 for i in range(365)}
        await contracts.registry.bring_weather("1", weather, "bench")
        day = date(2025, 1, 1), date(2026, 1, 1)
        agreed = await contracts.agree("bench", "savings", Decimal(6000), date(2024, 1, 1), day[0])
        await contracts.freeze_baseline("bench", agreed, "bench", "bench")
        began = time.perf_counter()
        made, objections = await contracts.draft("bench", *day)
        settled = time.perf_counter()
        assert not objections
        raw = canonical(made)
        written = time.perf_counter()
        assert verify(raw).faults == []
        return {
            "settlement_s": settled - began,
            "verify_s": time.perf_counter() - written,
            "bundle_mb": len(raw) / 1e6,
        }


def _site() -> Site:
    meters = tuple(
        Meter(f"m{i:03}", Text(str(i), str(i)), Medium.ELECTRICITY, quantities=(ENERGY,)) for i in range(METERS)
    )
    return Site("bench", Text("城市", "City"), ZONE.key, meters=meters)


def _hourly(start: datetime) -> ReadingColumns:
    hours = np.arange(365 * 24 + 1, dtype=np.int64)
    use = np.random.default_rng(1).integers(500, 1500, (METERS, len(hours) - 1))
    shown = np.c_[np.zeros(METERS, np.int64), np.cumsum(use, axis=1)] / 1000
    points = [Point(f"m{i:03}", ENERGY) for i in range(METERS)]
    index = np.repeat(np.arange(METERS, dtype=np.int32), len(hours))
    return ReadingColumns.of(points, index, np.tile(to_ms(start) + hours * 3_600_000, METERS), shown.ravel())


def _document() -> str:
    boundary = "\n".join(f'  - {{point: "m{i:03}:{ENERGY}"}}' for i in range(METERS))
    return f"""
contracts:
- id: bench
  number: B-1
  name: {{zh: 基准, en: Benchmark}}
  client: {{name: a, tax_id: 121100004000000014}}
  esco: {{name: b, tax_id: 91110105MA00000012}}
  signed_on: 2024-12-20
  from: 2025-01-01
  to: 2030-12-31
  station: 1
  boundary:
{boundary}
  clauses:
  - id: savings
    kind: shared_savings
    name: {{zh: 分享, en: Share}}
    price: {{agreed: [{{from: 2025-01-01, price: 0.80}}]}}
    tax: {{rate_percent: 6, included: true}}
    stages: [{{share_percent: 90}}]
"""
