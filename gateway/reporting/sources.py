"""What the ledger, the bills and the stocks say of a month, in the cells of the form."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeAlias

from analytics.carbon.factors import Carrier
from analytics.consumption.dated import NotKnown, mean_over
from analytics.reporting.filings import Filing, Filled, Origin, Size
from analytics.reporting.forms import Cell, CellKind, Form, FormItem
from energy.bills import SupplierBill
from energy.errors import UnitError
from energy.organisations import Account, Fact, FactName, Organisation
from energy.periods import Period
from energy.quantities import Medium
from energy.readings import to_ms
from energy.series import MICRO
from energy.units import factor
from gateway.ledger.billed import Billed
from gateway.ledger.books import Books
from gateway.ledger.periods import Figures
from gateway.ledger.service import Range
from gateway.stock.reckoning import FuelUse, uses
from gateway.stock.service import Stock

_HOUR_MS = 3_600_000
# Cells are filled in to two places, rounded half up; sums add what was filled in.
_PLACES = Decimal("0.01")
_SHARE = Decimal("0.0001")
_BY_MEDIUM = {Medium.ELECTRICITY: "electricity", Medium.WATER: "water", Medium.GAS: "natural_gas", Medium.HEAT: "heat"}
INSTITUTION = "institution"


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the site: its instants, and its days."""

    name: str
    period: Period
    first: date
    end: date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is known of one institution without anybody's hand.

    billed : what bills of the whole month say [unit of the item], where meters filled the item.
    """

    filing: Filing
    billed: Mapping[str, Decimal]


class Sources:
    """Fills in forms from what is known."""

    def __init__(self, books: Books, stock: Stock, form: Form) -> None:
        self._books, self._stock, self._form = books, stock, form

    async def drawn(
        self, month: Month, institutions: Sequence[str], among: Sequence[str] | None = None
    ) -> dict[str, Drawn]:
        """What is known of each institution, with the offices below it; `among` are all institutions that there are,
        so that what is below another one is not counted in."""
        site = self._books.kept.site
        wanted = set(institutions)
        every = belonging(site.organisations, institutions if among is None else among)
        whose = {name: of for name, of in every.items() if of in wanted}
        used = await self._used(month, whose)
        billed = await asyncio.to_thread(self._billed, month, whose)
        fuels = await self._fuels(month, whose)
        return await asyncio.to_thread(self._put_together, month, institutions, (used, billed, fuels))

    def _put_together(self, month: Month, institutions: Sequence[str], known: _Known) -> dict[str, Drawn]:
        used, billed, fuels = known
        facts = _facts(self._books.kept.site.facts)
        found = {}
        for name in institutions:
            cells = {**self._metered(used.get(name, {}), billed.get(name, {})), **self._stocked(fuels.get(name, []))}
            own = {item: said.quantity for item, said in billed.get(name, {}).items() if said.whole and said.metered}
            found[name] = Drawn(Filing(name, month.name, cells, _size(facts.get(name, {}), month)), own)
        return found

    # -- meters and bills -----------------------------------------------------------------------------------------

    async def _used(self, month: Month, whose: Mapping[str, str]) -> dict[str, dict[str, Sequence[Figures]]]:
        asked = Range(month.period.start, month.period.end, None, self._books.kept.site.zone_info)
        found: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
        for name, media in (await self._books.consumption.of_organisations(asked, whose)).items():
            for medium, figures in media.items():
                item = _BY_MEDIUM.get(medium)
                if name in whose and item in self._form.by_id and figures.known[0]:
                    found[whose[name]][str(item)].append(figures)
        return {name: dict(items) for name, items in found.items()}

    def _billed(self, month: Month, whose: Mapping[str, str]) -> dict[str, dict[str, _Bills]]:
        site, bills = self._books.kept.site, _by_account(self._books.kept.bills)
        metered = {m.account for m in site.meters}
        spread = Billed(site, self._books.kept.bills)
        low, high = to_ms(month.period.start) // _HOUR_MS, to_ms(month.period.end) // _HOUR_MS
        found: dict[str, dict[str, _Bills]] = defaultdict(dict)
        for account in site.accounts:
            item = _BY_MEDIUM.get(account.medium)
            name = whose.get(account.organisation or "")
            if name is None or item not in self._form.by_id:
                continue
            said = _said(account, bills.get(account.id, ()), month, spread, (low, high), account.id in metered)
            found[name][str(item)] = found[name][str(item)] + said if str(item) in found[name] else said
        return dict(found)

    def _metered(self, used: Mapping[str, Sequence[Figures]], billed: Mapping[str, _Bills]) -> dict[Cell, Filled]:
        """Meters first; of accounts that no meter names, bills. The fee is what was billed, else what it was worth."""
        cells: dict[Cell, Filled] = {}
        for one in self._form.items:
            figures, bills = used.get(one.id, ()), billed.get(one.id)
            unmetered = bills.unmetered if bills is not None else Decimal(0)
            if not figures and (bills is None or not bills.unmetered_known):
                continue
            amount = sum((Decimal(int(f.amount[0])) for f in figures), Decimal(0)) / MICRO + unmetered
            estimated, missing = _doubt(figures)
            origin = Origin.METERS if figures else Origin.BILLS
            basis = "; ".join([*(["ledger"] if figures else []), *(bills.accounts if bills is not None else ())])
            cells[Cell(one.id, CellKind.QUANTITY)] = Filled(_two(amount), origin, estimated, missing, basis)
            fee = self._fee(one, figures, bills)
            if fee is not None:
                cells[Cell(one.id, CellKind.FEE)] = fee
        return cells

    def _fee(self, one: FormItem, figures: Sequence[Figures], bills: _Bills | None) -> Filled | None:
        if not one.fee:
            return None
        if bills is not None and bills.whole:
            return Filled(_two(bills.amount), Origin.BILLS, basis="; ".join(bills.accounts))
        if not figures or any(int(f.unpriced[0]) for f in figures) or (bills is not None and bills.unmetered_known):
            return None
        worth = sum((Decimal(int(f.cost[0])) for f in figures), Decimal(0)) / MICRO
        estimated, missing = _doubt(figures)
        return Filled(_two(worth), Origin.METERS, estimated, missing, "tariff")

    # -- stocks ---------------------------------------------------------------------------------------------------

    async def _fuels(self, month: Month, whose: Mapping[str, str]) -> dict[str, list[FuelUse]]:
        moves = [entry.value for entry in await self._stock.entries(f"organisation/{name}" for name in whose)]
        found: dict[str, list[FuelUse]] = defaultdict(list)
        for use in uses(moves, month.first, month.end):
            found[whose[use.of.removeprefix("organisation/")]].append(use)
        return dict(found)

    def _stocked(self, fuels: Iterable[FuelUse]) -> dict[Cell, Filled]:
        own: dict[str, list[FuelUse]] = defaultdict(list)
        for use in fuels:
            own[use.fuel].append(use)
        cells: dict[Cell, Filled] = {}
        for fuel, parts in own.items():
            one = self._item_of(fuel)
            if one is None or any(part.used is None for part in parts):
                continue
            try:
                amount = sum((_in(part, one.unit) for part in parts), Decimal(0))
            except UnitError:
                # Weighed here and asked for by volume: without a density nothing is filled in.
                continue
            doubt = Decimal(1) if any(part.estimated for part in parts) else Decimal(0)
            basis = ", ".join(sorted({str(part.basis) for part in parts}))
            cells[Cell(one.id, CellKind.QUANTITY)] = Filled(_two(amount), Origin.STOCK, doubt, basis=basis)
            if one.fee and all(part.spent is not None for part in parts):
                spent = sum((part.spent or Decimal(0) for part in parts), Decimal(0))
                cells[Cell(one.id, CellKind.FEE)] = Filled(_two(spent), Origin.STOCK, basis="purchases")
        return cells

    def _item_of(self, fuel: str) -> FormItem | None:
        whole = (one for one in self._form.items if one.part_of is None and one.carrier is not None)
        return next((one for one in whole if one.carrier is Carrier(fuel)), None)


@dataclass(frozen=True, slots=True)
class _Bills:
    """What the accounts of an institution say of an item in a month.

    whole : whether the bills of all its accounts are of just these days, so that their sum is what was charged.
    metered : whether meters name any of them. unmetered : what those that no meter names were billed, by days.
    """

    accounts: tuple[str, ...]
    quantity: Decimal
    amount: Decimal
    whole: bool
    metered: bool
    unmetered: Decimal
    unmetered_known: bool

    def __add__(self, other: _Bills) -> _Bills:
        return _Bills(
            (*self.accounts, *other.accounts),
            self.quantity + other.quantity,
            self.amount + other.amount,
            self.whole and other.whole,
            self.metered or other.metered,
            self.unmetered + other.unmetered,
            self.unmetered_known or other.unmetered_known,
        )


# By institution: what meters, bills and stocks say.
_Known: TypeAlias = tuple[
    Mapping[str, Mapping[str, Sequence[Figures]]], Mapping[str, Mapping[str, _Bills]], Mapping[str, Sequence[FuelUse]]
]


def _said(
    account: Account,
    bills: Sequence[SupplierBill],
    month: Month,
    spread: Billed,
    hours: tuple[int, int],
    metered: bool,
) -> _Bills:
    own = sorted((b for b in bills if month.first <= b.start and b.end <= month.end), key=lambda b: b.start)
    edges = [month.first, *(b.end for b in own)]
    whole = bool(own) and edges[-1] == month.end and all(b.start == e for b, e in zip(own, edges, strict=False))
    quantity, amount = (sum((getattr(b, name) for b in own), Decimal(0)) for name in ("quantity", "amount"))
    sums = None if metered else spread.sums([account.id], *hours)
    unmetered = Decimal(0) if sums is None else Decimal(int(sums.amount.sum())) / MICRO
    return _Bills((account.id,), quantity, amount, whole, metered, unmetered, sums is not None)


def belonging(organisations: Iterable[Organisation], institutions: Iterable[str]) -> dict[str, str]:
    """Each organisation's institution: itself, or the nearest one above it; those above all are of none.

    >>> name = Text("", "")
    >>> belonging([Organisation("school", name), Organisation("hall", name, parent="school")], ["school"])
    {'school': 'school', 'hall': 'school'}
    """
    parents = {o.id: o.parent for o in organisations}
    filing = set(institutions)
    found = {}
    for name in parents:
        above: str | None = name
        while above is not None and above not in filing:
            above = parents.get(above)
        if above is not None:
            found[name] = above
    return found


def _by_account(bills: Iterable[SupplierBill]) -> dict[str, list[SupplierBill]]:
    found: dict[str, list[SupplierBill]] = defaultdict(list)
    for bill in bills:
        found[bill.account].append(bill)
    return found


def _facts(facts: Iterable[Fact]) -> dict[str, dict[FactName, list[Fact]]]:
    found: dict[str, dict[FactName, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        if fact.organisation is not None:
            found[fact.organisation][fact.fact].append(fact)
    return found


def _size(facts: Mapping[FactName, Sequence[Fact]], month: Month) -> Size:
    return Size(_mean(facts.get(FactName.AREA_M2, ()), month), _mean(facts.get(FactName.PEOPLE, ()), month))


def _mean(facts: Sequence[Fact], month: Month) -> Decimal | None:
    """The mean over the days of the month; None where a day has no value."""
    try:
        mean: Fraction = mean_over(facts, month.first, month.end)
    except NotKnown:
        return None
    return _two(Decimal(mean.numerator) / mean.denominator)


def _doubt(figures: Sequence[Figures]) -> tuple[Decimal, Decimal]:
    """The share of the amount that is estimated, and of the time of which nothing is known."""
    if not figures:
        return Decimal(0), Decimal(0)
    amount = sum(abs(int(f.amount[0])) for f in figures)
    estimated = sum(abs(int(f.estimated[0])) for f in figures)
    known = sum(min(1.0, float(f.measured[0] + f.estimated_time[0] + f.manual[0])) for f in figures) / len(figures)
    share = Decimal(estimated) / amount if amount else Decimal(0)
    return share.quantize(_SHARE), Decimal(str(max(0.0, 1.0 - known))).quantize(_SHARE)


def _in(use: FuelUse, unit: str) -> Decimal:
    ratio = factor(use.unit, unit)
    return (use.used or Decimal(0)) * ratio.numerator / ratio.denominator


def _two(value: Decimal) -> Decimal:
    return value.quantize(_PLACES, ROUND_HALF_UP)
