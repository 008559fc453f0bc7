"""Jobs of which each is done by one process at a time: begun where its claim is gained, ended where that is lost.

What a job keeps in memory ends with it: wherever it begins, it begins anew, from what is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from energy.ports import Claims
from gateway.process.role import Task

log = structlog.get_logger()

# Kinds of work: parts of the points of the ledger, and jobs of which each is one.
LEDGER, JOBS = "ledger", "jobs"


class ClaimedJobs:
    """Runs the jobs that this process holds.

    jobs : by name, in an order that is the same in all processes: that is how they are numbered. ended : told the name
    of one that another process does from now on.
    """

    def __init__(self, claims: Claims, jobs: Mapping[str, Task], ended: Callable[[str], None] = lambda _: None) -> None:
        self._claims, self._jobs, self._ended = claims, list(jobs.items()), ended
        self._running: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever; a job that fails beyond what it can deal with ends the process."""
        async with asyncio.TaskGroup() as group:

            async def gained(numbers: frozenset[int]) -> None:
                for number in sorted(numbers):
                    name, job = self._jobs[number]
                    log.info("job.begun", job=name)
                    self._running[number] = group.create_task(job())

            self._claims.take_part(JOBS, len(self._jobs), gained=gained, lost=self._lost)
            await asyncio.Event().wait()

    async def _lost(self, numbers: frozenset[int]) -> None:
        """Return when none of them works any more."""
        ending = [self._running.pop(number) for number in sorted(numbers) if number in self._running]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        for number in sorted(numbers):
            log.info("job.ended", job=self._jobs[number][0])
            self._ended(self._jobs[number][0])

    @property
    def running(self) -> list[str]:
        """The names of the jobs that are done here."""
        return [self._jobs[number][0] for number in sorted(self._running)]
