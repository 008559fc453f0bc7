"""Accounts without meters: what is known of them is what the supplier billed, spread evenly over its days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import numpy as np

from analytics.consumption.allocation import WHOLE
from energy.bills import SupplierBill
from energy.hours import HOUR_MS, Sums, Whole
from energy.quantities import MAIN_COUNTERS, Medium
from energy.readings import to_ms
from energy.series import MICRO
from energy.sites import Site
from gateway.ledger.periods import joined


class Billed:
    """The bills of the accounts that no meter names."""

    def __init__(self, site: Site, bills: Sequence[SupplierBill]) -> None:
        self._zone = site.zone_info
        metered = {m.account for m in site.meters}
        self._accounts = {a.id: a for a in site.accounts if a.id not in metered}
        self._bills: dict[str, list[SupplierBill]] = defaultdict(list)
        for bill in bills:
            if bill.account in self._accounts:
                self._bills[bill.account].append(bill)

    def of(self, organisations: Collection[str]) -> Mapping[Medium, list[str]]:
        """The accounts of the organisations that have bills, by medium."""
        found: dict[Medium, list[str]] = defaultdict(list)
        for account in self._accounts.values():
            if account.organisation in organisations and self._bills[account.id]:
                found[account.medium].append(account.id)
        return found

    def sums(self, accounts: Sequence[str], low: int, high: int) -> Sums | None:
        """What they were billed in the hours [low, high); None where nothing of it was."""
        bills = [b for name in accounts for b in self._bills[name]]
        parts = [s for b in bills if (s := self._spread(b, low, high)) is not None]
        return joined(parts) if parts else None

    def _spread(self, bill: SupplierBill, low: int, high: int) -> Sums | None:
        first, end = (self._hour(day.year, day.month, day.day) for day in (bill.start, bill.end))
        hours = np.arange(max(low, first), min(high, end), dtype=np.int64)
        if len(hours) == 0:
            return None
        edges = np.array([(h - first) * WHOLE // (end - first) for h in (hours[0], *(hours + 1))], np.int64)
        amount, cost = (_shared(_micro(of), edges) for of in (bill.quantity, bill.amount))
        zero, ones = np.zeros_like(hours), np.ones_like(hours)
        return Sums(
            of=hours,
            amount=amount,
            first_half=amount // 2,
            estimated=zero,
            cost=cost,
            unpriced=zero,
            measured_ms=zero,
            estimated_ms=zero,
            manual_ms=ones * HOUR_MS,
            disputed_ms=zero,
            rows=ones,
        )

    def _hour(self, year: int, month: int, day: int) -> int:
        return to_ms(datetime(year, month, day, tzinfo=self._zone)) // HOUR_MS


def billed_quantity(medium: Medium) -> str:
    """In which quantity bills of a medium are."""
    return MAIN_COUNTERS[medium][0]


def _shared(whole: int, edges: Whole) -> Whole:
    """A whole shared out by edges out of WHOLE, each part the difference of what is rounded: together exact."""
    upto = np.array([whole * int(edge) // WHOLE for edge in edges], np.int64)
    shared: Whole = np.diff(upto)
    return shared


def _micro(amount: Decimal) -> int:
    return int((amount * MICRO).to_integral_value())
