"""Today, this month and this year of a node: so far, in the same time a year before, and as a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from energy.periods import Span, period
from energy.quantities import Medium, quantity
from energy.readings import to_ms
from energy.series import MICRO
from gateway.ledger.answers import CARRIERS, comparable, compared, converted, figure_of
from gateway.ledger.books import Books
from gateway.ledger.periods import HALF_MS, Figures
from gateway.ledger.scope import Node
from gateway.ledger.service import Counted, Range
from gateway.ledger.words import ConvertedWords, FigureWords
from gateway.overview.words import (
    OverviewCurveWords,
    OverviewMassWords,
    OverviewMediumWords,
    OverviewMoneyWords,
    OverviewSeriesWords,
    OverviewSpanWords,
)

_BY = {Span.DAY: Span.HOUR, Span.MONTH: Span.DAY, Span.YEAR: Span.MONTH}
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Running:
    """A span that is not over: what there is of it by now, and all of it by its periods."""

    span: Span
    so_far: Range
    whole: Range

    @classmethod
    def at(cls, span: Span, now: datetime, zone: ZoneInfo) -> Running:
        """Up to the last full hour; in the first hour of a span, to the end of that."""
        own, by = period(span, now, zone), _BY[span]
        full = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return cls(span, Range(own.start, max(full, own.start + _HOUR), by, zone), Range(own.start, own.end, by, zone))


async def spans(books: Books, node: Node, now: datetime, factors: str) -> list[OverviewSpanWords]:
    """The three spans of a node, longest asked first: what is read for one is there for the others."""
    zone = books.kept.site.zone_info
    asked = [Running.at(span, now, zone) for span in (Span.YEAR, Span.MONTH, Span.DAY)]
    tariffs = books.consumption.priced_by(node, asked[-1].so_far.last_day, books.builder.terms)
    return [await _Told(books, node, factors, tariffs).of(one) for one in asked][::-1]


class _Told:
    """A span in words."""

    def __init__(self, books: Books, node: Node, factors: str, tariffs: Mapping[Medium, Sequence[str]]) -> None:
        self._books, self._node, self._factors, self._tariffs = books, node, factors, tariffs

    async def of(self, asked: Running) -> OverviewSpanWords:
        of_node = self._books.consumption.of_node
        whole_then = await of_node(self._node, asked.whole.a_year_before())
        curve = await of_node(self._node, asked.so_far)
        total = await of_node(self._node, asked.so_far.whole)
        then = asked.so_far.whole.a_year_before()
        before = await of_node(self._node, then)
        media = [self._medium(m, counted, then, before.get(m), asked) for m, counted in total.items()]
        start, end = (int(e) * HALF_MS for e in then.edges)
        return OverviewSpanWords(
            str(asked.span),  # type: ignore[arg-type]
            to_ms(asked.so_far.start),
            to_ms(asked.so_far.end),
            to_ms(asked.whole.end),
            start,
            end,
            media,
            _money(media),
            _mass(media, "coal_kg"),
            _mass(media, "co2_kg"),
            self._series(asked, curve, whole_then),
        )

    def _medium(
        self, medium: Medium, counted: Counted, then: Range, before: Counted | None, asked: Running
    ) -> OverviewMediumWords:
        name, now = counted.quantity, figure_of(counted.figures, 0)
        year = _year(asked.so_far)
        old = None if before is None else self._converted(medium, before.quantity, before.figures, _year(then), 0)
        return OverviewMediumWords(
            medium,
            name,
            quantity(name).unit if name else "",
            counted.counters,
            now,
            compared(then, before, now),
            self._converted(medium, name, counted.figures, year, 0),
            old,
            list(self._tariffs.get(medium, ())),
        )

    def _converted(self, medium: Medium, name: str, figures: Figures, year: int, i: int) -> ConvertedWords | None:
        return converted(self._books.factors, self._factors, medium, name, figures, year, i)

    # -- curves -----------------------------------------------------------------------------------------------------

    def _series(
        self, asked: Running, now: Mapping[Medium, Counted], then: Mapping[Medium, Counted]
    ) -> OverviewSeriesWords:
        before = asked.whole.a_year_before()
        edges, old = (r.edges * HALF_MS for r in (asked.whole, before))
        count = len(edges) - 1
        return OverviewSeriesWords(
            str(_BY[asked.span]),  # type: ignore[arg-type]
            edges.tolist(),
            old.tolist(),
            self._coal(now, _year(asked.whole), count),
            self._coal(then, _year(before), len(old) - 1),
            [
                OverviewCurveWords(
                    medium,
                    quantity(counted.quantity).unit if counted.quantity else "",
                    _values(counted.figures, count),
                    _values(then[medium].figures, len(old) - 1) if medium in then else [None] * (len(old) - 1),
                )
                for medium, counted in now.items()
            ],
        )

    def _coal(self, media: Mapping[Medium, Counted], year: int, count: int) -> list[float | None]:
        """Of each period, what of it is known; periods beyond the figures have not begun."""
        made: list[float | None] = []
        for i in range(count):
            known = [
                told.coal_kg
                for m, c in media.items()
                if i < len(c.figures.amount)
                and (told := self._converted(m, c.quantity, c.figures, year, i)) is not None
            ]
            made.append(round(sum(known), 6) if known else None)
        return made


def _values(figures: Figures, count: int) -> list[float | None]:
    found = [int(a) / MICRO if k else None for a, k in zip(figures.amount, figures.known, strict=True)]
    return found + [None] * (count - len(found))


def _year(asked: Range) -> int:
    return asked.start.astimezone(asked.zone).year


# -- media together ---------------------------------------------------------------------------------------------------


def _money(media: Sequence[OverviewMediumWords]) -> OverviewMoneyWords:
    """What they cost together."""
    counted = [m for m in media if m.total.cost is not None]
    then = [m for m in media if m.last_year is not None and m.last_year.figure.cost is not None]
    now_yuan = sum((Decimal(m.total.cost or 0) for m in counted), Decimal(0))
    old_yuan = sum((Decimal(_then(m).cost or 0) for m in then), Decimal(0))
    whole = not any(f.unpriced for m in counted for f in (m.total, _then(m)) if m in then)
    return OverviewMoneyWords(
        f"{now_yuan:.6f}" if counted else None,
        f"{old_yuan:.6f}" if then else None,
        _change(float(now_yuan), float(old_yuan)) if whole and counted == then and _alike(counted) else None,
        [m.medium for m in counted],
        [m.medium for m in counted if m.total.unpriced],
        [m.medium for m in media if m.total.cost is None],
        _known(counted),
    )


def _mass(media: Sequence[OverviewMediumWords], name: str) -> OverviewMassWords:
    """What they come to together under the factor set; `name` of it is coal_kg or co2_kg."""

    def kg(told: Any) -> float | None:
        found: float | None = None if told is None else getattr(told, name)
        return found

    carriers = [m for m in media if m.medium in CARRIERS]
    counted = [m for m in carriers if kg(m.converted) is not None]
    then = [m for m in carriers if kg(m.converted_last_year) is not None]
    now, old = (
        sum(found)
        for found in ([kg(m.converted) or 0 for m in counted], [kg(m.converted_last_year) or 0 for m in then])
    )
    return OverviewMassWords(
        round(now, 6) if counted else None,
        round(old, 6) if then else None,
        _change(now, old) if counted == then and _alike(counted) else None,
        [m.medium for m in counted],
        [m.medium for m in carriers if kg(m.converted) is None],
        _known(counted),
    )


def _then(medium: OverviewMediumWords) -> FigureWords:
    assert medium.last_year is not None
    return medium.last_year.figure


def _alike(media: Sequence[OverviewMediumWords]) -> bool:
    """Whether enough is known of each, now and then, to set the two against each other."""
    return all(comparable(m.total) and comparable(_then(m)) for m in media)


def _change(now: float, then: float) -> float | None:
    return round((now - then) / then, 6) if then else None


def _known(media: Sequence[OverviewMediumWords]) -> float:
    """The share of their time of which something is known; 0 of none."""
    known = [1 - m.total.shares.missing - m.total.shares.disputed for m in media]
    return round(sum(known) / len(known), 6) if known else 0.0
