"""Paces of quotas: what the ledger knows of each organisation by day, kept for an hour, and reckoned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from analytics.carbon.factors import Carrier
from analytics.quotas.daily import Days, Floats, days_of_types, plain_days
from analytics.quotas.intervals import Calibration
from energy.bills import SupplierBill
from energy.hours import Whole
from energy.life import MeterEvent
from energy.periods import Span
from energy.ports import Clock
from energy.quantities import Medium
from energy.quotas import QUOTA_UNITS, Quota, QuotaOf
from energy.readings import to_ms
from energy.series import MICRO
from energy.sites import Site
from energy.working_days import WorkingDays
from gateway.ledger.books import Books
from gateway.ledger.scope import Node
from gateway.ledger.service import Range
from gateway.quotas.reckoning import MISSING_MOST, Group, Pace, Series
from gateway.quotas.service import Quotas
from gateway.records.entries import Entry

# Years before that of the quota which tell its months and its forecast.
_YEARS_BACK = 3
_FRESH_MS = 3_600_000
_LATELY_MS = 2 * _FRESH_MS
# What comes later than so is worked in when the day changes.
_LATE_DAYS = 45
_CARRIERS = {
    QuotaOf.ELECTRICITY: Carrier.ELECTRICITY,
    QuotaOf.GAS: Carrier.NATURAL_GAS,
    QuotaOf.HEAT: Carrier.HEAT,
}


class Paces:
    """Reckons paces, and keeps what was read of the ledger for an hour."""

    def __init__(
        self,
        quotas: Quotas,
        books: Books,
        clock: Clock,
        calibration: Calibration | None = None,
        working_days: WorkingDays | None = None,
    ) -> None:
        self._quotas, self._books, self._clock = quotas, books, clock
        self._calibration, self._working_days = calibration or Calibration(), working_days
        self._series: dict[tuple[str, QuotaOf, str | None, int], Series] = {}
        # What was reckoned last of each quota, and when.
        self._reckoned: dict[int, tuple[Pace, int]] = {}
        self._of: tuple[Site, Sequence[MeterEvent], Sequence[SupplierBill]] | None = None
        self._reckoning = asyncio.Lock()

    def over(self, books: Books) -> Paces:
        """The same by what these books reckon."""
        return Paces(self._quotas, books, self._clock, self._calibration, self._working_days)

    @property
    def today(self) -> date:
        """The local day that is not over."""
        return self._clock.now().astimezone(self._books.kept.site.zone_info).date()

    async def of(self, owners: Iterable[str] | None = None, year: int | None = None) -> list[Pace]:
        """The paces of what holds for these owners, or for all, in a year; this one where none is given."""
        wanted = year if year is not None else self.today.year
        entries = [e for e in await self._quotas.holding(owners) if e.value.year == wanted]
        return await self.of_entries(entries)

    async def lately(self, owners: Iterable[str] | None = None) -> list[Pace]:
        """The paces of what holds this year, as the last sweep reckoned them if that was within two hours of the same
        day; nobody who only looks waits for one that runs."""
        today, now, kept = self.today, to_ms(self._clock.now()), self._books.kept
        entries = [e for e in await self._quotas.holding(owners) if e.value.year == today.year]
        of = kept.site, kept.events, kept.bills
        found = {} if self._of is None or self._of != of else dict(self._reckoned)
        old = [
            e
            for e in entries
            if e.id not in found or found[e.id][0].today != today or now - found[e.id][1] > _LATELY_MS
        ]
        anew = dict(zip((e.id for e in old), await self.of_entries(old), strict=True)) if old else {}
        return [anew[e.id] if e.id in anew else found[e.id][0] for e in entries]

    async def of_entries(self, entries: Sequence[Entry[Quota]]) -> list[Pace]:
        """The paces of quotas, in their order; those of one medium and year are forecast together."""
        async with self._reckoning:
            self._forget_what_was_of_other_records()
            found: dict[int, Pace] = {}
            for limited, year in sorted({(e.value.limited, e.value.year) for e in entries}):
                own = [e for e in entries if (e.value.limited, e.value.year) == (limited, year)]
                series = [await self._read(e.value) for e in own]
                made = Group(own, series, self._days, self._calibration).paces()
                found |= dict(zip((e.id for e in own), made, strict=True))
            now = to_ms(self._clock.now())
            self._reckoned |= {name: (pace, now) for name, pace in found.items()}
        return [found[e.id] for e in entries]

    async def past_years(self, quota: Quota) -> dict[int, Decimal | None]:
        """What was used in each of the years before; None of a year that is not known whole."""
        series = await self._read(quota)
        found: dict[int, Decimal | None] = {}
        for year in range(series.first.year, quota.year):
            start, stop = ((date(y, 1, 1) - series.first).days for y in (year, year + 1))
            known = series.known[start:stop]
            whole = stop <= len(series.known) and known.mean() >= 1 - MISSING_MOST
            found[year] = Decimal(int(series.amount[start:stop].sum())) / MICRO if whole else None
        return found

    def _days(self, first: date, count: int) -> Days:
        if self._working_days is None:
            return plain_days(first, count)
        days = np.datetime64(first) + np.arange(count)
        return days_of_types(first, self._working_days.day_types(days))

    # -- reading --------------------------------------------------------------------------------------------------

    def _forget_what_was_of_other_records(self) -> None:
        """Who uses what, and what happened to meters, may have been set right for the past too."""
        kept = self._books.kept
        of = kept.site, kept.events, kept.bills
        if self._of is not None and self._of != of:
            self._series.clear()
            self._reckoned.clear()
        self._of = of

    async def _read(self, quota: Quota) -> Series:
        """A node by day: all of it once a day, the last weeks of it anew every hour."""
        name = quota.of, quota.limited, quota.factor_set, quota.year
        now, today = to_ms(self._clock.now()), min(self.today, date(quota.year + 1, 1, 1))
        kept = self._series.get(name)
        if kept is None or kept.today != today:
            first = date(quota.year - _YEARS_BACK, 1, 1)
            self._series[name] = kept = Series(first, today, now, *await self._days_of(quota, first, today))
        elif now - kept.read_at_ms >= _FRESH_MS:
            since = max(kept.first, today - timedelta(days=_LATE_DAYS))
            amount, known = await self._days_of(quota, since, today)
            at = (since - kept.first).days
            joined = np.concatenate([kept.amount[:at], amount]), np.concatenate([kept.known[:at], known])
            self._series[name] = kept = Series(kept.first, today, now, *joined)
        return kept

    async def _days_of(self, quota: Quota, first: date, end: date) -> tuple[Whole, Floats]:
        """Amount [millionths] and known share of the days [first, end); nothing is known where nothing measures."""
        count = max((end - first).days, 0)
        amount, known = np.zeros(count, dtype=np.int64), np.ones(count)
        media = list(_CARRIERS) if quota.limited is QuotaOf.ENERGY else [quota.limited]
        found = False
        for limited in media if count else []:
            own = await self._by_day(quota, limited, first, end)
            if own is not None:
                found = True
                amount, known = amount + own[0], np.minimum(known, own[1])
        return amount, known if found else np.zeros(count)

    async def _by_day(self, quota: Quota, limited: QuotaOf, first: date, today: date) -> tuple[Whole, Floats] | None:
        zone = self._books.kept.site.zone_info
        start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, today))
        medium = Medium(limited.value)
        consumption = self._books.consumption
        counted = (await consumption.of_node(Node.parse(quota.of), Range(start, end, Span.DAY, zone), medium)).get(
            medium
        )
        if counted is None:
            return None
        figures = counted.figures
        amount, known = figures.amount, 1 - figures.missing - figures.disputed
        if quota.limited is QuotaOf.ENERGY:
            amount = np.rint(amount * float(self._kgce(quota, limited))).astype(np.int64)
        return amount, np.asarray(known, dtype=np.float64)

    def _kgce(self, quota: Quota, limited: QuotaOf) -> Decimal:
        """Standard coal of a unit, under the factor set that the quota was made with."""
        factors = self._books.factors.set(quota.factor_set or "")
        return factors.convert(_CARRIERS[limited], Decimal(1), QUOTA_UNITS[limited], quota.year).kgce
