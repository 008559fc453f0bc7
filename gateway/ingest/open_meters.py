"""Meters of which nobody says who sends their readings, among several processes: one at a time writes them.

Senders are shared out, and each is one process's; so whoever answers for the sender of a meter's readings is the only
one who writes them. Of a meter on no line that names no sender, readings may come from several senders, and so to
several processes. They are written in turns: who takes over learns first what the other one wrote.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from energy.ports import RegisterStore
from energy.readings import ReadingColumns
from gateway.ingest.judge import Judge


class Writers(Protocol):
    """Says whose turn it is to write the readings of meters."""

    def alone(self, meters: Collection[str]) -> AbstractAsyncContextManager[frozenset[str]]:
        """Nobody else writes these meanwhile; told are those that another one may have written since we did."""
        ...


class OpenMeters:
    """Those of the site, as the judge knows them."""

    def __init__(self, writers: Writers, store: RegisterStore, judge: Judge) -> None:
        self._writers, self._store, self._judge = writers, store, judge

    @asynccontextmanager
    async def alone(self, columns: ReadingColumns) -> AsyncIterator[None]:
        """Nobody else writes any of these readings meanwhile, and all that is there of their meters is known."""
        meters = self._judge.open_meters(columns)
        if not meters:
            yield
            return
        async with self._writers.alone(meters) as unlearnt:
            await self._store.learn(sorted(unlearnt))
            yield
