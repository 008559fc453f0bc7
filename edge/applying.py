"""Site files that the gateway hands over: checked, applied while meters are read, left for the last good one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from adapters.site_versions import SiteVersion, opened
from adapters.wire import SiteState
from edge.clock import EdgeClock
from edge.handed import Handed, Running, nothing
from edge.workers import Workers
from energy.errors import ConfigurationError, EnergyError

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0
_FAULTS = 10


@dataclass(frozen=True, slots=True)
class _Trial:
    """A site that runs on trial: what is kept of it if it is good, and how many meters answered when it began.

    at_any_rate : there is nothing better to fall back to.
    """

    since: datetime
    payload: bytes
    version: SiteVersion
    answered: int
    at_any_rate: bool = False


class Applying:
    """Takes what comes on the topic of site files; `changed` is called when there is something else to tell."""

    def __init__(
        self,
        edge: str,
        handed: Handed | None,
        first: Running,
        workers: Workers,
        clock: EdgeClock,
        changed: Callable[[], None],
    ) -> None:
        self._edge, self._handed, self._workers, self._clock = edge, handed, workers, clock
        self._changed = changed
        self._running = self._good = first
        self._trial: _Trial | None = None
        # What was left because no meter answered, until one answers to the last good one, or none does there either.
        self._doubted: _Trial | None = None
        self._failed: str | None = None
        self._said = False
        self._came = asyncio.Event()
        self._offered = b""
        self.state = SiteState(first.name, clock.wall_ms())

    def offer(self, payload: bytes) -> None:
        """A message has come; of several the newest is looked at."""
        if self._handed is None:
            if payload and not self._said:
                self._said = True
                log.warning("site.not_taken", cause="the key of the gateway is not known here; the local file holds")
        elif payload:
            self._offered = payload
            self._came.set()

    async def run(self) -> None:
        """Begin to read, then take what comes, for ever."""
        await self._begin()
        while True:
            await self._next()
            if self._came.is_set():
                self._came.clear()
                if self._handed is not None:
                    await self._take(self._offered, self._handed)
            elif self._trial is not None and self._handed is not None:
                await self._look(self._trial, self._handed)
            elif self._doubted is not None and self._handed is not None:
                await self._look_back(self._doubted, self._handed)

    async def _begin(self) -> None:
        try:
            await self._workers.put(self._running.installed)
        except Exception as error:
            if self._running.number == 0:
                raise
            # What ran before is not run by this version of ours: better to wait for another file than to die of it.
            log.exception("site.failed", version=self._running.name)
            self._failed, self._running = self._running.name, nothing(self._edge)
            self._good = self._running
            self.state = SiteState(self._running.name, self._clock.wall_ms())
            self._refuse(self._failed, f"could not be put to work: {type(error).__name__}: {error}")
        self._changed()

    async def _next(self) -> None:
        """Wait for a message; while a site is tried, for a second at most."""
        if self._trial is None and self._doubted is None:
            await self._came.wait()
            return
        waits = [asyncio.ensure_future(w) for w in (self._came.wait(), self._clock.sleep(_LOOK_EVERY_S))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _take(self, payload: bytes, handed: Handed) -> None:
        try:
            version = opened(payload, handed.key, self._edge)
        except EnergyError as error:
            self._refuse(None, str(error))
            return
        if version.digest == self._running.digest and version.number <= self._running.number:
            if self._failed is None:
                self._tell(msgspec.structs.replace(self.state, refused_version=None, refused=""))
            return
        if version.name == self._failed:
            return
        if version.number <= self._running.number:
            self._refuse(version.name, f"is not newer than {self._running.name}, which runs")
            return
        await self._apply(payload, version, handed)

    async def _apply(self, payload: bytes, version: SiteVersion, handed: Handed, *, at_any_rate: bool = False) -> None:
        """Check it as a local file is checked, then read what it says; before anything is touched it may still fail."""
        try:
            file = await asyncio.to_thread(handed.files.laid_out, version)
        except EnergyError as error:
            self._refuse(version.name, str(error))
            return
        try:
            installed = await asyncio.to_thread(handed.load, file)
        except EnergyError as error:
            self._failed = version.name
            self._refuse(version.name, _faults(error, file))
            return
        except Exception as error:
            # It must not end a process that would be handed the same file again.
            log.exception("site.failed", version=version.name)
            self._failed = version.name
            self._refuse(version.name, f"could not be read: {type(error).__name__}: {error}")
            return
        # While one is tried, what counts is how it was before that.
        tried = self._trial or self._doubted
        answered = tried.answered if tried is not None else len(self._workers.reporting())
        since = self._clock.now()
        self._workers.fault, self._workers.on_trial = None, True
        try:
            await self._workers.put(installed)
        except Exception as error:
            log.exception("site.failed", version=version.name)
            await self._fall_back(version.name, f"could not be put to work: {type(error).__name__}: {error}")
            return
        self._running = Running(version.name, installed, version.number, version.digest)
        self._failed = self._doubted = None
        log.info("site.applied", version=version.name, meters=len(installed.site.meters))
        self._tell(SiteState(version.name, self._clock.wall_ms()))
        self._trial = _Trial(since, payload, version, answered, at_any_rate)
        if not answered or not self._workers.stations:
            await self._approve(self._trial, handed)

    async def _look(self, trial: _Trial, handed: Handed) -> None:
        """Whether a site on trial is good: a meter has answered; or not: every one of them is silent, or we failed."""
        fault, stations = self._workers.fault, self._workers.stations
        if fault is not None:
            await self._fall_back(trial.version.name, f"could not be run: {type(fault).__name__}: {fault}")
        elif self._workers.reporting(trial.since):
            await self._approve(trial, handed)
        elif not trial.at_any_rate and all(s.state.state == "silent" for s in stations):
            text = f"none of its {len(stations)} meters answers, of those before it {trial.answered} did"
            await self._fall_back(trial.version.name, text)
            self._doubted = replace(trial, since=self._clock.now())

    async def _look_back(self, doubted: _Trial, handed: Handed) -> None:
        """Whether it was the fault of the site that was left: not if nobody answers to the last good one either."""
        if self._workers.reporting(doubted.since):
            self._doubted = None
        elif all(s.state.state == "silent" for s in self._workers.stations):
            log.info("site.tried_again", version=doubted.version.name, cause="the last good one is not answered either")
            await self._apply(doubted.payload, doubted.version, handed, at_any_rate=True)

    async def _approve(self, trial: _Trial, handed: Handed) -> None:
        self._trial, self._good = None, self._running
        self._workers.on_trial = False
        try:
            await asyncio.to_thread(handed.files.keep, trial.payload, trial.version)
        except EnergyError as error:
            # It runs all the same; after a restart the one before does, until it is handed over again.
            log.error("site.unkept", version=trial.version.name, cause=str(error))

    async def _fall_back(self, name: str, why: str) -> None:
        self._trial, self._failed, self._running = None, name, self._good
        self._workers.on_trial = False
        await self._workers.put(self._good.installed)
        self.state = SiteState(self._good.name, self._clock.wall_ms())
        self._refuse(name, why)

    def _refuse(self, name: str | None, why: str) -> None:
        if (name, why) != (self.state.refused_version, self.state.refused):
            log.error("site.refused", version=name, running=self._running.name, cause=why)
            self._tell(msgspec.structs.replace(self.state, refused_version=name, refused=why))

    def _tell(self, state: SiteState) -> None:
        if state != self.state:
            self.state = state
            self._changed()


def _faults(error: EnergyError, file: Path) -> str:
    """The faults as they are told of a local file, without where it lies here."""
    faults: Sequence[str] = error.faults if isinstance(error, ConfigurationError) else [str(error)]
    shown = "; ".join(faults[:_FAULTS]).replace(str(file), "site.yaml").replace(f"{file.parent}/", "")
    return shown if len(faults) <= _FAULTS else f"{shown}; and {len(faults) - _FAULTS} more"
