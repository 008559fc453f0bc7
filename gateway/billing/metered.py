"""What the meters of an account say of the days of a bill, and what that costs by the tariff of the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from analytics.tariffs.account import Missing, Use
from analytics.tariffs.bill import bill
from analytics.tariffs.bill_lines import cents
from analytics.tariffs.hours import Band
from analytics.tariffs.prices import half_hour_prices
from analytics.tariffs.reconciliation import Statement
from analytics.tariffs.tariff import Tariff
from energy.errors import EnergyError, UnknownName
from energy.hours import Hours
from energy.organisations import Account
from energy.periods import Period, of_days
from energy.quantities import main_counter, quantity
from energy.readings import Point, to_ms
from energy.series import MICRO
from energy.sites import Site, Text
from gateway.ledger.books import Books
from gateway.ledger.periods import HALF_MS, Figures
from gateway.ledger.scope import Component
from gateway.ledger.service import Range

_REACTIVE = "reactive_energy_import"
_WHOLE = 1 - 1e-9
_NOTHING = Text("这些天没有任何数据", "nothing of these days is known")
_NO_METER = Text("没有表计登记在这个户号下", "no meter names this account")
_NO_PRICE = Text(
    "部分用量没有对应的价格，而这张账单又不是整月的",
    "no price is known for some of the use, and this bill is not of whole months",
)
# What a bill by tariff may lack, as officers call it.
_MISSING_ZH = {
    Missing.PRICE: "价格",
    Missing.USE: "用量",
    Missing.BANDS: "分时用量",
    Missing.REACTIVE: "无功电量",
    Missing.MAX_DEMAND: "最大需量",
    Missing.CAPACITY: "变压器容量",
    Missing.CHARGED_BY: "基本电费的计收方式（按容量或按需量）",
    Missing.AREA: "面积",
    Missing.QUOTA: "定额",
    Missing.USED_BEFORE: "年内此前的用量",
}
_MISSING_EN = {
    Missing.BANDS: "use by band",
    Missing.REACTIVE: "reactive energy",
    Missing.MAX_DEMAND: "maximum demand",
    Missing.CHARGED_BY: "whether by capacity or by demand",
    Missing.USED_BEFORE: "use earlier in the year",
}


@dataclass(frozen=True, slots=True)
class Metered:
    """What was metered.

    quantity : [unit]; None where nothing is known. figures : of one period, with the shares of its time.
    basis : what the money of `statement` rests on, `tariff` for bills of whole months by it, or `use` for the cost of
    each half hour, without what hangs on the month. Without a statement `lacking` says why.
    """

    points: tuple[Point, ...]
    unit: str
    figures: Figures
    quantity: Decimal | None
    basis: str | None = None
    statement: Statement | None = None
    missing: tuple[str, ...] = ()
    lacking: Text | None = None


class Metering:
    """Asks the books what accounts used."""

    def __init__(self, books: Books) -> None:
        self._books, self._site = books, books.kept.site

    async def of(self, account_id: str, start: date, end: date) -> Metered:
        """What the account used over the days [start, end); UnknownName for an account of no site."""
        account = _account(self._site, account_id)
        points = points_of(self._site, account_id)
        period = of_days(start, end, self._site.zone_info)
        figures = await self._figures(points, period)
        used = _micro(int(figures.amount[0])) if figures.known[0] else None
        unit = quantity(points[0].quantity).unit if points else ""
        return await self._priced(Metered(points, unit, figures, used), account, start, end)

    async def _priced(self, metered: Metered, account: Account, start: date, end: date) -> Metered:
        if metered.quantity is None:
            return replace(metered, lacking=_NOTHING if metered.points else _NO_METER)
        tariff = next((t for t in self._books.kept.tariffs if t.id == account.tariff), None)
        if tariff is None:
            return replace(metered, lacking=_no_tariff(account))
        if tariff.unit != metered.unit:
            return replace(metered, lacking=_other_unit(tariff.unit, metered.unit))
        months = whole_months(start, end)
        if months is not None:
            return await self._by_tariff(metered, account, tariff, months)
        return _by_use(metered, start, end)

    async def _by_tariff(self, metered: Metered, account: Account, tariff: Tariff, months: Sequence[date]) -> Metered:
        try:
            made = [bill(tariff, f"{m:%Y-%m}", await self._use(metered.points, account, tariff, m)) for m in months]
        except (EnergyError, ValueError) as error:
            why = Text(f"按电价 {tariff.id} 算不出账单（{error}）", str(error))
            return replace(metered, basis="tariff", lacking=why)
        missing = tuple(dict.fromkeys(name for one in made for name in one.missing))
        if missing:
            return replace(metered, basis="tariff", missing=tuple(map(str, missing)), lacking=_lacks(tariff, missing))
        total = sum((one.total for one in made), Decimal(0))
        lines = sum(len(one.lines) for one in made)
        assert metered.quantity is not None
        statement = Statement(metered.quantity, total, made[0].days[0], made[-1].days[1], lines)
        return replace(metered, basis="tariff", statement=statement)

    async def _use(self, points: Sequence[Point], account: Account, tariff: Tariff, month: date) -> Use:
        """What the account used in a month: by band, with what else a bill may ask for and the records tell."""
        period = of_days(month, _next_month(month), self._site.zone_info)
        before = None
        if month.month > 1:
            before = await self._in_full(points, of_days(month.replace(month=1), month, self._site.zone_info))
        return Use(
            bands=await self._bands(points, tariff, period),
            reactive=await self._reactive(points, period),
            capacity=None if account.capacity_kva is None else Decimal(str(account.capacity_kva)),
            used_before=before,
        )

    async def _bands(self, points: Sequence[Point], tariff: Tariff, period: Period) -> Mapping[Band, Decimal]:
        start, end = to_ms(period.start) // HALF_MS, to_ms(period.end) // HALF_MS
        hours = await self._books.ledger.hours(self._numbers(points), start // 2, -(-end // 2))
        used = _half_hours(hours, start, end)
        prices = half_hour_prices(tariff, start * HALF_MS, end - start, self._site.zone_info)
        if not prices.known[used != 0].all() or not prices.known.any():
            # By steps, or by days that nobody told: then no half hour has a band.
            return {Band.NONE: _micro(int(used.sum()))}
        codes = np.unique(prices.band[prices.known])
        return {Band(int(code)): _micro(int(used[prices.band == code].sum())) for code in codes}

    async def _reactive(self, points: Sequence[Point], period: Period) -> Decimal | None:
        meters = {m.id: m for m in self._site.meters}
        if not all(_REACTIVE in meters[p.meter].quantities for p in points):
            return None
        return await self._in_full([Point(p.meter, _REACTIVE) for p in points], period)

    async def _in_full(self, points: Sequence[Point], period: Period) -> Decimal | None:
        """What flowed, where all of the time is known; else nothing is said."""
        figures = await self._figures(points, period)
        known = figures.measured + figures.estimated_time + figures.manual
        return _micro(int(figures.amount[0])) if known[0] >= _WHOLE else None

    async def _figures(self, points: Sequence[Point], period: Period) -> Figures:
        asked = Range(period.start, period.end, None, self._site.zone_info)
        return await self._books.consumption.together([Component(p) for p in points], asked)

    def _numbers(self, points: Sequence[Point]) -> list[int]:
        return [n for p in points if (n := self._books.ledger.number(p)) is not None]


def points_of(site: Site, account_id: str) -> tuple[Point, ...]:
    """The main counters of the meters that name an account, but of none that stands behind another of them."""
    meters = {m.id: m for m in site.meters}
    named = {m.id for m in site.meters if m.account == account_id}
    found = []
    for name in (m.id for m in site.meters if m.id in named):
        above = meters[name].parent
        while above is not None and above not in named:
            above = meters[above].parent if above in meters else None
        counter = main_counter(meters[name].medium, meters[name].quantities)
        if above is None and counter is not None:
            found.append(Point(name, counter))
    return tuple(found)


def whole_months(start: date, end: date) -> list[date] | None:
    """The first days of the months that [start, end) is made of; None where it is not of whole months.

    >>> whole_months(date(2026, 1, 1), date(2026, 3, 1))
    [datetime.date(2026, 1, 1), datetime.date(2026, 2, 1)]
    """
    if start.day != 1 or end.day != 1:
        return None
    months = [start]
    while (following := _next_month(months[-1])) < end:
        months.append(following)
    return months


def _next_month(day: date) -> date:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)


def _account(site: Site, account_id: str) -> Account:
    for account in site.accounts:
        if account.id == account_id:
            return account
    raise UnknownName(f"account {account_id!r} is of no site")


def _no_tariff(account: Account) -> Text:
    if account.tariff is None:
        return Text("这个户号没有登记电价", "the account has no tariff")
    return Text(f"电价 {account.tariff!r} 不在记录中", f"tariff {account.tariff!r} is not in the records")


def _other_unit(of_tariff: str, of_meters: str) -> Text:
    zh = f"电价按 {of_tariff} 计，表计按 {of_meters} 计"
    return Text(zh, f"the tariff is in {of_tariff}, the meters count {of_meters}")


def _lacks(tariff: Tariff, missing: Sequence[Missing]) -> Text:
    zh = "、".join(_MISSING_ZH[name] for name in missing)
    en = ", ".join(_MISSING_EN.get(name, str(name)) for name in missing)
    return Text(f"按电价 {tariff.id} 计算账单，还缺{zh}", f"the bill by tariff {tariff.id} lacks {en}")


def _by_use(metered: Metered, start: date, end: date) -> Metered:
    if int(metered.figures.unpriced[0]) != 0:
        return replace(metered, basis="use", lacking=_NO_PRICE)
    last = date.fromordinal(end.toordinal() - 1)
    assert metered.quantity is not None
    cost = cents(_micro(int(metered.figures.cost[0])))
    return replace(metered, basis="use", statement=Statement(metered.quantity, cost, start, last))


def _half_hours(hours: Hours, start: int, end: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,) what flowed in each half hour of [start, end) [half hours since the epoch; millionths of the unit]."""
    low = start // 2 * 2
    grid = np.zeros(-(-end // 2) * 2 - low, np.int64)
    at = hours.hour.astype(np.int64) * 2 - low
    np.add.at(grid, at, hours.first_half)
    np.add.at(grid, at + 1, hours.amount - hours.first_half)
    return grid[start - low : end - low]


def _micro(amount: int) -> Decimal:
    return Decimal(amount) / MICRO
