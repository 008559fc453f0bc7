"""Where it is kept what has come of each outbox, and what was refused: in files of the data folder, or in PostgreSQL
wherever the ledger is there, for one process or several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.quarantine_sqlite import SqliteQuarantine
from energy.ports import DeliveryLog, KeptQuarantine

log = structlog.get_logger()

QUARANTINE, DELIVERIES = "quarantine.sqlite", "deliveries.sqlite"
_ALL = 1 << 30


@dataclass(frozen=True, slots=True)
class Intake:
    """What is kept of deliveries, and the quarantine."""

    deliveries: DeliveryLog
    quarantine: KeptQuarantine

    async def adopt(self, other: Intake, *, anew: bool) -> bool:
        """Hold what another one holds, in place of what was held; where it is not `anew` only if nothing was."""
        outboxes, losses = await other.deliveries.outboxes(), await other.deliveries.losses()
        refusals, counts = await other.quarantine.newest(_ALL), await other.quarantine.counts()
        done = await self.deliveries.adopt(outboxes, losses, anew=anew)
        return await self.quarantine.adopt(refusals, counts, anew=anew) or done


@asynccontextmanager
async def open_intake(ledger: str | None, quarantine: Path) -> AsyncIterator[Intake]:
    """Both, by where the ledger is and the file of the quarantine, which the other one lies beside.

    What the files hold from before is taken over once by a database that holds nothing yet.
    """
    if ledger is None:
        async with open_intake_files(quarantine) as files:
            yield files
        return
    from adapters.deliveries_postgres import open_postgres_deliveries
    from adapters.quarantine_postgres import open_postgres_quarantine

    has_files = await asyncio.to_thread(quarantine.exists)
    async with open_postgres_deliveries(ledger) as delivered, open_postgres_quarantine(ledger) as refused:
        intake = Intake(delivered, refused)
        if has_files:
            async with open_intake_files(quarantine) as before:
                if await intake.adopt(before, anew=False):
                    log.info("intake.taken_over", meaning="deliveries and quarantine are in the ledger's database now")
        yield intake


@asynccontextmanager
async def open_intake_files(quarantine: Path) -> AsyncIterator[Intake]:
    """Both in files of SQLite, made if they are not there."""
    async with AsyncExitStack() as stack:
        refused = stack.enter_context(closing(SqliteQuarantine(quarantine)))
        delivered = stack.enter_context(closing(SqliteDeliveries(quarantine.with_name(DELIVERIES))))
        yield Intake(delivered, refused)
