"""What is wrong with the ledger and with what it says, in sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

import structlog

from energy.errors import StoreError
from energy.hours import Doubt
from energy.periods import Span, period
from energy.ports import Clock
from energy.readings import Point, to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.ledger.balance import balance
from gateway.ledger.books import Books
from gateway.ledger.service import Range
from gateway.ledger.words import BalanceRow

log = structlog.get_logger()

# The share of a main meter that its sub-meters may leave unaccounted for.
BOUND = 0.15
# A balance means something where main and subs were read nearly all of the day.
_READ = 0.95
_LOOK_EVERY_S = 600.0
_SETTLED_AFTER = timedelta(hours=2)
_SHOWN = 100


class LedgerWatch:
    """Looks at the balance of each day when it is over, and tells what is wrong."""

    def __init__(self, books: Books, timed: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._books, self._timed = books, timed
        self._unbalanced: tuple[int, list[BalanceRow]] = (0, [])

    async def run(self, clock: Clock) -> None:
        """Look for ever; a store that fails is told by who keeps the ledger up. Whoever stops tells nothing more."""
        try:
            while True:
                try:
                    with self._timed():
                        await self.look(clock)
                except StoreError as error:
                    log.error("balance.failed", cause=str(error))
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self._unbalanced = 0, []

    async def look(self, clock: Clock) -> None:
        """Take the balance of the last day that is over and worked in."""
        zone = self._books.kept.site.zone_info
        day = period(Span.DAY, clock.now() - _SETTLED_AFTER - timedelta(days=1), zone)
        found = await balance(self._books, Range(day.start, day.end, None, zone), BOUND)
        beyond = [row for row in found.rows if row.beyond and _read(row)]
        self._unbalanced = to_ms(day.start), beyond

    def problems(self) -> Iterator[OngoingProblem]:
        """That the ledger cannot be kept up; registers nobody has explained; mains and subs that differ."""
        trouble = self._books.trouble
        if trouble is not None:
            text = TextWords(f"用能台账无法更新：{trouble.cause}", f"The ledger cannot be kept up: {trouble.cause}")
            yield OngoingProblem("ledger.failing", "ledger", trouble.since_ms, text)
        for point, doubt in self._books.disputed[-_SHOWN:]:
            yield _disputed(point, doubt)
        since_ms, rows = self._unbalanced
        for row in rows[:_SHOWN]:
            yield _unbalanced(row, since_ms)


def _disputed(point: Point, doubt: Doubt) -> OngoingProblem:
    zh, en = {
        "fall": ("读数下降，疑似换表或清零；此段用量未计入，请登记换表事件", "The register fell: exchanged or reset?"),
        "jump": ("读数突增，疑似换表；此段用量未计入，请登记换表事件", "The register jumped: exchanged?"),
    }[doubt.kind]
    booked = "Nothing is booked for that time; enter the event."
    return OngoingProblem("register.disputed", str(point), doubt.from_ms, TextWords(zh, f"{en} {booked}"))


def _read(row: BalanceRow) -> bool:
    return min(row.main.shares.measured, row.subs.shares.measured) >= _READ


def _unbalanced(row: BalanceRow, since_ms: int) -> OngoingProblem:
    share = f"{row.rest_share or 0:.0%}"
    zh = f"{row.name.zh} 昨日与下级表合计相差 {share}，超过 {BOUND:.0%}：漏计、倍率错误或线路未装表"
    en = f"{row.name.en}: yesterday its sub-meters left {share} unaccounted for, more than {BOUND:.0%}"
    return OngoingProblem("balance.beyond", row.meter, since_ms, TextWords(zh, en))
