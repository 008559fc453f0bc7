"""All that quotas are answered from."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.quotas.intervals import Calibration
from analytics.quotas.standards import StandardBook
from energy.ports import Clock
from energy.working_days import WorkingDays
from gateway.ledger.books import Books
from gateway.quotas.paces import Paces
from gateway.quotas.service import Crossings, Quotas
from gateway.records.database import Records


@dataclass(frozen=True, slots=True)
class QuotaBooks:
    """What was entered, how years go against it, what was crossed, and the standards that are known."""

    entries: Quotas
    paces: Paces
    crossings: Crossings
    standards: StandardBook


def quota_books(
    records: Records,
    clock: Clock,
    books: Books,
    standards: StandardBook | None = None,
    misses: Calibration | None = None,
    working_days: WorkingDays | None = None,
) -> QuotaBooks:
    """The books of quotas over records and ledger; without `misses` no interval is told, without a calendar no holiday
    is known."""
    entries = Quotas(records, clock)
    paces = Paces(entries, books, clock, misses, working_days)
    return QuotaBooks(entries, paces, Crossings(records, clock), standards or StandardBook(()))
