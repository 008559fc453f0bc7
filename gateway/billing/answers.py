"""Bills beside what was metered, in the words of the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from analytics.tariffs.reconciliation import Cause, Differences, Statement, reconcile
from energy.bills import SupplierBill
from energy.errors import EnergyError
from gateway.api.paging import last_page_of
from gateway.api.words import TextWords
from gateway.billing.metered import Metered, Metering
from gateway.billing.service import Bills
from gateway.billing.words import (
    BillsAnswer,
    BillsQuery,
    CauseWords,
    DaysWords,
    DifferenceWords,
    KeptBillWords,
    MeteredWords,
    ReconciledWords,
    TotalWords,
)
from gateway.ledger.answers import figure_of
from gateway.ledger.books import Books
from gateway.records.entries import Entry

_PRICE, _PERCENT = Decimal("0.000001"), Decimal("0.0001")


async def told(bills: Bills, books: Books, query: BillsQuery) -> BillsAnswer:
    """The bills that are asked for; of one account beside what was metered."""
    if query.from_ is not None and query.to is not None and not query.from_ < query.to:
        raise EnergyError(f"from {query.from_} must be before to {query.to}")
    found = await bills.entries(None if query.account is None else [query.account], withdrawn=query.withdrawn)
    touching = sorted((kept for kept in found if _touches(kept.value, query)), key=_order)
    chosen, older = last_page_of(touching, _order, query.limit, query.cursor)
    if query.account is None:
        return BillsAnswer([ReconciledWords(KeptBillWords.of(kept), None, None) for kept in chosen], None, [], older)
    words = [await _reconciled(kept, Metering(books)) for kept in chosen]
    standing = [kept.value for kept in chosen if kept.withdrawn_at_ms is None]
    days = unbilled(standing, query.from_, query.to)
    return BillsAnswer(words, _total(standing, words), [DaysWords(*d) for d in days], older)


def unbilled(bills: Sequence[SupplierBill], start: date | None, end: date | None) -> list[tuple[date, date]]:
    """The days of [start, end) that no bill charges for; of the days between the bills where these are not given."""
    spans = sorted((bill.start, bill.end) for bill in bills)
    if not spans:
        return [(start, end)] if start is not None and end is not None else []
    found = []
    at = start or spans[0][0]
    for first, after in spans:
        if at < first:
            found.append((at, first))
        at = max(at, after)
    if end is not None and at < end:
        found.append((at, end))
    return found


def _touches(bill: SupplierBill, query: BillsQuery) -> bool:
    return (query.from_ is None or query.from_ < bill.end) and (query.to is None or bill.start < query.to)


def _order(kept: Entry[SupplierBill]) -> tuple[str, str, int]:
    return kept.value.account, kept.value.start.isoformat(), kept.id


async def _reconciled(kept: Entry[SupplierBill], metering: Metering) -> ReconciledWords:
    bill = kept.value
    if kept.withdrawn_at_ms is not None:
        return ReconciledWords(KeptBillWords.of(kept), None, None)
    metered = await metering.of(bill.account, bill.start, bill.end)
    difference = None
    if metered.statement is not None:
        last = date.fromordinal(bill.end.toordinal() - 1)
        billed = Statement(bill.quantity, bill.amount, bill.start, last, max(1, len(bill.lines)))
        difference = _difference(reconcile(metered.statement, billed))
    return ReconciledWords(KeptBillWords.of(kept), _metered(metered), difference)


def _metered(metered: Metered) -> MeteredWords:
    return MeteredWords(
        [point.meter for point in metered.points],
        metered.unit,
        metered.quantity,
        figure_of(metered.figures, 0).shares,
        metered.basis,
        None if metered.statement is None else metered.statement.amount,
        list(metered.missing),
        None if metered.lacking is None else TextWords.of(metered.lacking),
    )


def _difference(found: Differences) -> DifferenceWords:
    return DifferenceWords(
        found.amount,
        found.quantity,
        _rounded(found.quantity_percent, _PERCENT),
        _rounded(found.metered_price, _PRICE),
        _rounded(found.billed_price, _PRICE),
        CauseWords(*(found.causes.get(cause, Decimal("0.00")) for cause in Cause)),
    )


def _rounded(value: Decimal | None, to: Decimal) -> Decimal | None:
    return None if value is None else value.quantize(to)


def _total(bills: Sequence[SupplierBill], reconciled: Sequence[ReconciledWords]) -> TotalWords:
    compared = [one.difference for one in reconciled if one.difference is not None]
    causes = CauseWords(*(_sum(getattr(d.causes, str(cause)) for d in compared) for cause in Cause))
    quantity, amount = _sum(bill.quantity for bill in bills), _sum(bill.amount for bill in bills)
    return TotalWords(len(bills), len(compared), quantity, amount, _sum(d.amount for d in compared), causes)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal("0.00"))
