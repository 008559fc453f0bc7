"""The statistics over the form and the rules that are shipped."""

from __future__ import annotations

from energy.ports import Clock
from gateway.ledger.books import Books
from gateway.records.database import Records
from gateway.reporting.service import Statistics
from gateway.stock.service import Stock
from tests.analytics.reporting.shipped import form, rule_book


def statistics(records: Records, clock: Clock, books: Books, stock: Stock) -> Statistics:
    return Statistics(records, clock, books, stock, (form(),), rule_book())
