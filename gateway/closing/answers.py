"""Closed months in the words of the API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from energy.periods import month_of
from energy.quantities import quantity
from energy.readings import Point, to_ms
from energy.series import MICRO
from gateway.closing.figures import Booked, Difference, Figure
from gateway.closing.rows import Closing, ClosingEntry
from gateway.closing.service import Closings
from gateway.closing.words import (
    BookedWords,
    ClosedFigureWords,
    ClosingDifferenceWords,
    ClosingEntryWords,
    ClosingWords,
    ControlSumWords,
    PeriodAnswer,
    PeriodQuery,
    PeriodsAnswer,
)
from gateway.ledger.books import Books
from gateway.ledger.words import ShareWords


async def periods_of(closings: Closings, books: Books) -> PeriodsAnswer:
    """The closed months."""
    site = books.kept.site
    return PeriodsAnswer(site.id, site.zone, [closing_words(one) for one in await closings.closings()])


async def period_of(closings: Closings, books: Books, query: PeriodQuery) -> PeriodAnswer:
    """A closed month, with what would differ now."""
    closing = await closings.closing(query.month)
    figures = await closings.closed_figures(closing)
    entries, differences = await closings.entries(closing), await closings.differences(closing)
    own = {p: f for p, f in figures.items() if _asked(p, query.meter)}
    own_differences = [d for d in differences if _asked(d.point, query.meter)]
    own_entries = [e for e in entries if _asked(e.point, query.meter)]
    month = month_of(query.month, books.kept.site.zone_info)
    length_ms = to_ms(month.end) - to_ms(month.start)
    page = slice(query.offset, query.offset + query.limit)
    return PeriodAnswer(
        closing_words(closing),
        len(own),
        len(own_differences),
        len(own_entries),
        _sums(own, own_entries, own_differences),
        [_figure(p, f, length_ms) for p, f in list(own.items())[page]],
        [_difference(d) for d in own_differences[page]],
        [_entry(e) for e in own_entries[page]],
    )


def closing_words(closing: Closing) -> ClosingWords:
    return ClosingWords(closing.month, closing.closed_at_ms, closing.who, closing.why)


def _asked(point: Point, meters: Collection[str]) -> bool:
    return not meters or point.meter in meters


def _sums(
    figures: Mapping[Point, Figure], entries: Sequence[ClosingEntry], differences: Sequence[Difference]
) -> list[ControlSumWords]:
    points = [*figures, *(e.point for e in entries), *(d.point for d in differences)]
    return [
        ControlSumWords(
            name,
            quantity(name).unit,
            len({p for p in points if p.quantity == name}),
            _words(_sum(f.booked for p, f in figures.items() if p.quantity == name)),
            _words(_sum(e.booked for e in entries if e.point.quantity == name)),
            _words(_sum(d.booked for d in differences if d.point.quantity == name)),
        )
        for name in sorted({point.quantity for point in points})
    ]


def _sum(parts: Iterable[Booked]) -> Booked:
    return sum(parts, Booked())


def _figure(point: Point, figure: Figure, length_ms: int) -> ClosedFigureWords:
    known = figure.measured_ms, figure.estimated_ms, figure.manual_ms, figure.disputed_ms
    measured, estimated, manual, disputed = (round(ms / length_ms, 6) for ms in known)
    missing = round(max(0, length_ms - sum(known)) / length_ms, 6)
    closed = _words(figure.booked, known=figure.known)
    shares = ShareWords(measured, estimated, manual, missing, disputed)
    return ClosedFigureWords(*point, quantity(point.quantity).unit, closed, shares, figure.basis)


def _difference(one: Difference) -> ClosingDifferenceWords:
    told = _words(one.standing), _words(one.now), _words(one.booked)
    return ClosingDifferenceWords(*one.point, quantity(one.point.quantity).unit, *told)


def _entry(entry: ClosingEntry) -> ClosingEntryWords:
    of, booked = (entry.id, entry.point.meter, entry.point.quantity, str(entry.kind)), _words(entry.booked)
    return ClosingEntryWords(*of, booked, entry.booked_in, entry.at_ms, entry.who, entry.why)


def _words(booked: Booked, *, known: bool = True) -> BookedWords:
    cost = booked.priced_cost
    if not known:
        return BookedWords(None, None)
    return BookedWords(_six(booked.amount), None if cost is None else _six(cost))


def _six(micro: int) -> str:
    return f"{Decimal(micro) / MICRO:.6f}"
