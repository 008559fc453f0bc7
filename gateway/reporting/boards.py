"""The filings of a month of all institutions, kept until the ledger or the records change."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.check_rules import Rule
from analytics.reporting.forms import Form
from energy.errors import StoreError
from energy.organisations import Organisation
from gateway.ledger.books import Books
from gateway.records.changes import last_change, logged_changes
from gateway.records.database import Records
from gateway.reporting.rows import FILING, Kept, kept_filings
from gateway.reporting.sources import Drawn, Month, Sources
from gateway.reporting.standing import Looking, Standing
from gateway.stock.service import Stock

log = structlog.get_logger()

# So many months are kept; the one that was not asked for longest is forgotten first.
_MONTHS = 8
_FACTOR_SETS = 4
# What took longer than this to draw is told as it was while it is drawn anew, and rests some times as long before.
_LONG_S, _RESTS = 0.5, 20
_Parts = tuple[Drawn, Drawn, Kept | None, Kept | None]


@dataclass(slots=True)
class _Board:
    """A month: what is known of each institution then and a year before, and the filings of both.

    books, records, filings : the state of each when it was drawn. made : standings by factor set, with what each was
    made of, so that only those are made again of which something is different.
    """

    drawn: dict[str, Drawn] = field(default_factory=dict)
    then: dict[str, Drawn] = field(default_factory=dict)
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    books: int = -1
    records: int = -1
    filings: int = -1
    took_s: float = 0.0
    drawn_at: float = 0.0
    made: OrderedDict[str, dict[str, tuple[_Parts, Standing]]] = field(default_factory=OrderedDict)


class Boards:
    """Months of all institutions; each is drawn once for all who ask."""

    def __init__(self, records: Records, books: Books, stock: Stock) -> None:
        self._records, self._books, self._stock = records, books, stock
        self._boards: OrderedDict[tuple[str, str], _Board] = OrderedDict()
        self._drawing = asyncio.Lock()
        self._anew: asyncio.Task[None] | None = None

    async def standings(
        self,
        form: Form,
        rules: Iterable[Rule],
        months: tuple[Month, Month],
        institutions: tuple[list[Organisation], list[str]],
        factors: FactorSet,
    ) -> dict[str, Standing]:
        """Of every institution of the month; `months` are the month and that of a year before.

        institutions : those that file, and the ids of all that there are, to tell whose an office is.
        """
        async with self._drawing:
            board = self._board(form, months[0])
            await self._up_to_date(board, form, months, institutions)
            return await self._made(board, Looking(form, rules, months[0], factors), months, institutions[0], factors)

    def _board(self, form: Form, month: Month) -> _Board:
        board = self._boards.setdefault((form.version, month.name), _Board())
        self._boards.move_to_end((form.version, month.name))
        while len(self._boards) > _MONTHS:
            self._boards.popitem(last=False)
        return board

    async def _up_to_date(
        self, board: _Board, form: Form, months: tuple[Month, Month], institutions: tuple[list[Organisation], list[str]]
    ) -> None:
        records = await last_change(self._records, without=[FILING])
        if board.records != records or (board.books != self._books.revision and board.took_s <= _LONG_S):
            await self._draw(board, form, months, institutions, records)
        elif board.books != self._books.revision and self._is_rested(board):
            self._anew = asyncio.create_task(self._draw_beside(board, form, months, institutions, records))
        await self._read(board, form, months)

    def _is_rested(self, board: _Board) -> bool:
        free = self._anew is None or self._anew.done()
        return free and time.monotonic() - board.drawn_at > _RESTS * board.took_s

    async def _draw_beside(
        self,
        board: _Board,
        form: Form,
        months: tuple[Month, Month],
        institutions: tuple[list[Organisation], list[str]],
        records: int,
    ) -> None:
        try:
            await self._draw(board, form, months, institutions, records)
        except StoreError as error:
            log.error("statistics.undrawn", month=months[0].name, cause=str(error))

    async def _draw(
        self,
        board: _Board,
        form: Form,
        months: tuple[Month, Month],
        institutions: tuple[list[Organisation], list[str]],
        records: int,
    ) -> None:
        """Ask ledger, bills and stocks anew. What is as before stays the same object."""
        began, revision = time.monotonic(), self._books.revision
        sources = Sources(self._books, self._stock, form)
        ids = [o.id for o in institutions[0]]
        drawn = await sources.drawn(months[0], ids, institutions[1])
        then = await sources.drawn(months[1], ids, institutions[1])
        board.drawn, board.then = _same_where(board.drawn, drawn), _same_where(board.then, then)
        board.books, board.records = revision, records
        board.drawn_at = time.monotonic()
        board.took_s = board.drawn_at - began

    async def _read(self, board: _Board, form: Form, months: tuple[Month, Month]) -> None:
        """Read the filings that changed since they were read last."""
        names = {month.name for month in months}
        newest = await last_change(self._records)
        if board.filings == newest:
            return
        only = None
        if board.filings >= 0:
            logged = await logged_changes(self._records, after=board.filings, kinds=[FILING])
            keys = [one.change.key.partition("/") for one in logged]
            only = sorted({name for period, _, name in keys if period in names})
        if only is None or only:
            async with self._records.reading() as connection:
                found = await kept_filings(connection, form.id, names, only)
            board.kept |= {(one.organisation, one.period): one for one in found}
        board.filings = newest

    async def _made(
        self,
        board: _Board,
        looking: Looking,
        months: tuple[Month, Month],
        institutions: list[Organisation],
        factors: FactorSet,
    ) -> dict[str, Standing]:
        known = board.made.get(factors.id, {})
        parts: dict[str, _Parts] = {
            o.id: (
                board.drawn[o.id],
                board.then[o.id],
                board.kept.get((o.id, months[0].name)),
                board.kept.get((o.id, months[1].name)),
            )
            for o in institutions
            if o.id in board.drawn
        }
        old = [o for o in institutions if o.id in known and o.id in parts and _is_of(known[o.id], o, parts[o.id])]
        made = {o.id: known[o.id] for o in old}
        anew = [o for o in institutions if o.id in parts and o.id not in made]
        if anew:
            made |= await asyncio.to_thread(_looked_at, looking, anew, parts)
        board.made[factors.id] = made
        board.made.move_to_end(factors.id)
        while len(board.made) > _FACTOR_SETS:
            board.made.popitem(last=False)
        return {name: standing for name, (_, standing) in made.items()}


def _looked_at(
    looking: Looking, institutions: Iterable[Organisation], parts: Mapping[str, _Parts]
) -> dict[str, tuple[_Parts, Standing]]:
    return {o.id: (parts[o.id], looking.standing(o, *parts[o.id])) for o in institutions}


def _is_of(known: tuple[_Parts, Standing], organisation: Organisation, parts: _Parts) -> bool:
    return known[1].organisation == organisation and all(a is b for a, b in zip(known[0], parts, strict=True))


def _same_where(old: Mapping[str, Drawn], new: Mapping[str, Drawn]) -> dict[str, Drawn]:
    """The new ones; the old object where both say the same."""
    return {name: old[name] if old.get(name) == one else one for name, one in new.items()}
