"""Following the records: what this process or a command beside it has changed in them is taken over within a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from energy.errors import StoreError
from energy.ports import Clock
from energy.sites import Site
from gateway.accounts.people import KINDS as OF_ACCOUNTS
from gateway.ingest.judge import Judge
from gateway.ledger.books import Books
from gateway.ledger.keeping import OF_SITES, renewed
from gateway.records.changes import changed_kinds, last_change
from gateway.records.database import Records
from gateway.reporting.rows import FILING
from gateway.sites.moving import senders_of
from gateway.sites.records import SiteRecords
from gateway.sites.service import Directory
from gateway.sites.starting import differing

log = structlog.get_logger()

_LOOK_EVERY_S = 0.5


@dataclass(slots=True)
class Followers:
    """Who must know: the books of all, whoever shows the meters of the site; who judges them and the door of accounts,
    where these are in this process."""

    books: Books
    directory: Directory
    judge: Judge | None = None
    forget_accounts: Callable[[], None] = lambda: None


class Following:
    """Watches the log of changes.

    site : what the file says that the gateway was started on. file_behind : in how many records it says otherwise.
    """

    def __init__(self, records: Records, clock: Clock, site: Site, followers: Followers) -> None:
        self._records, self._clock, self._followers = records, clock, followers
        self.site = site
        self.file_behind = self._seen = 0

    async def begin(self, file_behind: int) -> None:
        """What was changed up to now is known already."""
        self.file_behind = file_behind
        # Filings are read where they are asked for; nobody needs to be told.
        self._seen = await last_change(self._records, without=[FILING])

    async def run(self) -> None:
        """Follow for ever; records that fail are told once, and asked again."""
        failing = False
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except StoreError as error:
                if not failing:
                    log.error("records.failed", cause=str(error))
                failing = True
            else:
                if failing:
                    log.info("records.back")
                failing = False

    async def look(self) -> None:
        """Take over what was changed since the last look."""
        now = await last_change(self._records, without=[FILING])
        if now != self._seen:
            await self._take(await changed_kinds(self._records, after=self._seen))
            self._seen = now

    async def _take(self, kinds: frozenset[str]) -> None:
        told = self._followers
        if not kinds.isdisjoint(OF_ACCOUNTS):
            told.forget_accounts()
        told.books.take(await renewed(told.books.told, kinds, self._records, self._clock, self.site))
        if not OF_SITES.isdisjoint(kinds):
            site = await SiteRecords(self._records, self._clock).site(self.site.id)
            told.directory.take(site)
            if told.judge is not None:
                told.judge.take(site.meters, await senders_of(self._records, site))
            if self.file_behind:
                self.file_behind = await asyncio.to_thread(differing, self.site, site)
