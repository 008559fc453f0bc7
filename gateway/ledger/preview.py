"""What an event in the life of a meter would change, before anybody confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

import numpy as np

from energy.hours import UNPRICED, Hours, Sums, Whole
from energy.life import MeterEvent
from energy.periods import Span, period
from energy.quantities import Kind, quantity
from energy.readings import from_ms
from energy.series import MICRO
from energy.sites import Text
from gateway.api.words import TextWords
from gateway.ledger.answers import figure_of
from gateway.ledger.books import Books
from gateway.ledger.build import difference
from gateway.ledger.periods import HALF_MS, of_periods
from gateway.ledger.service import Range
from gateway.ledger.words import ChangedDay, PreviewAnswer, PreviewPoint

_DAYS = 400


async def preview(books: Books, events: Sequence[MeterEvent], without: Sequence[MeterEvent] = ()) -> PreviewAnswer:
    """The consumption of the meters as it is, and as it would be with these events, and without those."""
    meters = {e.meter for e in (*events, *without)}
    numbers = [
        i for i, p in enumerate(books.ledger.points) if p.meter in meters and quantity(p.quantity).kind is Kind.COUNTER
    ]
    if not numbers:
        return PreviewAnswer(None, None, [])
    # What it is today is reckoned too, not looked up: readings may have come that the ledger does not hold yet.
    today = await books.builder.under(books.terms_with([], []), numbers)
    then = await books.builder.under(books.terms_with(events, without), numbers)
    gone, come = difference(today, then)
    if len(gone) == 0 and len(come) == 0:
        return PreviewAnswer(None, None, [])
    asked = _days(books, np.r_[gone.hour, come.hour].astype(np.int64))
    touched = sorted({int(p) for p in np.r_[gone.point, come.point].tolist()})
    points = [_point(books, n, today.take(today.point == n), then.take(then.point == n), asked) for n in touched]
    edges = asked.edges * HALF_MS
    return PreviewAnswer(int(edges[0]), int(edges[-1]), points)


def _days(books: Books, hours: Whole) -> Range:
    """The days that change."""
    zone = books.kept.site.zone_info
    first = period(Span.DAY, from_ms(int(hours.min()) * 2 * HALF_MS), zone)
    last = period(Span.DAY, from_ms(int(hours.max()) * 2 * HALF_MS), zone)
    by = Span.DAY if last.end - first.start < timedelta(days=_DAYS) else Span.MONTH
    return Range(first.start, last.end, by, zone)


def _point(books: Books, number: int, today: Hours, then: Hours, asked: Range) -> PreviewPoint:
    point = books.ledger.points[number]
    name = next((m.name for m in books.kept.site.meters if m.id == point.meter), Text(point.meter, point.meter))
    whole = asked.whole.edges[[0, -1]]
    before, after = (of_periods(_sums(h), asked.edges, 1) for h in (today, then))
    days = [
        ChangedDay(int(asked.edges[i]) * HALF_MS, *(_value(f.amount[i], f.known[i]) for f in (before, after)))
        for i in np.flatnonzero((before.amount != after.amount) | (before.known != after.known)).tolist()
    ]
    was, would_be = (figure_of(of_periods(_sums(h), whole, 1), 0) for h in (today, then))
    return PreviewPoint(str(point), TextWords.of(name), quantity(point.quantity).unit, was, would_be, days)


def _value(amount: np.int64, known: np.bool_) -> float | None:
    return int(amount) / MICRO if known else None


def _sums(hours: Hours) -> Sums:
    priced = hours.cost != UNPRICED
    made = {
        "of": hours.hour.astype(np.int64),
        "cost": np.where(priced, hours.cost, 0),
        "unpriced": np.where(priced, 0, hours.amount),
        "rows": np.ones(len(hours), np.int64),
    }
    rest = {f.name: getattr(hours, f.name).astype(np.int64) for f in fields(Sums) if f.name not in made}
    return Sums(**made, **rest)
