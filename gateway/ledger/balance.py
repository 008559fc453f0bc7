"""The balance of the metering tree: what a main meter measured against what its sub-meters did."""

from __future__ import annotations

from dataclasses import dataclass

from energy.errors import UnknownName
from energy.quantities import main_counter, quantity
from energy.readings import Point
from energy.series import MICRO
from energy.sites import Meter
from gateway.api.words import TextWords
from gateway.ledger.answers import figure_of
from gateway.ledger.books import Books
from gateway.ledger.periods import HALF_MS, Figures
from gateway.ledger.scope import Component
from gateway.ledger.service import Range
from gateway.ledger.words import BalanceAnswer, BalanceRow


async def balance(books: Books, asked: Range, bound: float, meter: str | None = None) -> BalanceAnswer:
    """Each meter that has sub-meters; of one, if it is named, also period by period.

    `bound` is the share of the main that may be unaccounted for.
    """
    scope = books.consumption.scope(asked.last_day)
    found = [f for f in (_Fork.of(m, below) for m, below in scope.balanced() if meter in (None, m.id)) if f is not None]
    if meter is not None and not found:
        raise UnknownName(f"meter {meter!r} has no sub-meters, or is not in the site")
    totals = await books.consumption.of_groups([g for fork in found for g in (fork.own, fork.theirs)], asked)
    rows = [_row(fork, own, subs, bound) for fork, own, subs in zip(found, totals[::2], totals[1::2], strict=True)]
    if meter is not None:
        each = [await books.consumption.together(group, asked) for group in (found[0].own, found[0].theirs)]
        rows[0].periods = _rests(*each)
    edges = (asked if meter is not None else asked.whole).edges * HALF_MS
    return BalanceAnswer(edges.tolist(), bound, rows)


@dataclass(frozen=True, slots=True)
class _Fork:
    """A meter and those behind it, with their counters."""

    main: Meter
    subs: list[Meter]
    own: list[Component]
    theirs: list[Component]

    @classmethod
    def of(cls, main: Meter, below: list[Meter]) -> _Fork | None:
        subs = [m for m in below if m.medium is main.medium]
        counter, counters = _counter(main), [c for m in subs if (c := _counter(m)) is not None]
        if counter is None or not counters:
            return None
        return cls(main, subs, [Component(counter)], [Component(c) for c in counters])


def _row(fork: _Fork, own: Figures, theirs: Figures, bound: float) -> BalanceRow:
    rest = _rests(own, theirs)[0]
    share = round(rest / (int(own.amount[0]) / MICRO), 6) if rest is not None and own.amount[0] else None
    return BalanceRow(
        fork.main.id,
        TextWords.of(fork.main.name),
        fork.main.medium,
        quantity(fork.own[0].point.quantity).unit,
        figure_of(own, 0),
        figure_of(theirs, 0),
        rest,
        share,
        [m.id for m in fork.subs],
        share is not None and abs(share) > bound,
        [],
    )


def _rests(own: Figures, theirs: Figures) -> list[float | None]:
    known = own.known & theirs.known
    rest = (own.amount - theirs.amount).tolist()
    return [r / MICRO if k else None for r, k in zip(rest, known, strict=True)]


def _counter(meter: Meter) -> Point | None:
    name = main_counter(meter.medium, meter.quantities)
    return Point(meter.id, name) if name else None
