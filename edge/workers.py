"""The workers of an edge, one for each wire: started and ended as the site says, the others going on untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from adapters.learnt_files import LearntFiles
from collectors.asked import Plan
from collectors.lines.byte_line import ByteLine
from collectors.lines.opening import open_line
from collectors.lines.tcp_line import TcpLine
from collectors.makes import AddressedMake, compile_addressed
from collectors.meter_profile import Profile
from collectors.planner import RequestCost
from edge.asking import Asking
from edge.clock import EdgeClock
from edge.clock_stamps import Stamps
from edge.meter_clocks import clock_of
from edge.poll import LineWorker, Sink, Station
from edge.schedule import Round
from edge.site_diff import Installed, Wire, diff
from edge.timings import Timings
from energy.sites import Meter

log = structlog.get_logger()

OpenLine = ByteLine | TcpLine
Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True, slots=True)
class Means:
    """What every worker needs. `paused` says that nothing can be kept; `files` keep what meters refuse; `start` lets a
    worker run."""

    clock: EdgeClock
    stamps: Stamps
    sink: Sink
    paused: Callable[[], bool]
    changed: Callable[[], None]
    files: LearntFiles | None
    start: Start
    timings: Timings | None = None


@dataclass(slots=True)
class _Working:
    """A worker at work on a wire."""

    wire: Wire
    line: OpenLine
    worker: LineWorker
    task: asyncio.Task[None]


class Workers:
    """All workers of an edge.

    on_trial : while a new site is tried, a fault of ours in a worker is kept in `fault`, instead of ending the process.
    """

    def __init__(self, means: Means, nothing: Installed) -> None:
        self._means = means
        self._installed = nothing
        self._working: dict[str, _Working] = {}
        self._late_before = 0
        self.on_trial = False
        self.fault: Exception | None = None
        # The workers by the id of the line that names their wire first; it is the same mapping for ever.
        self.by_line: dict[str, LineWorker] = {}

    @property
    def stations(self) -> list[Station]:
        return [station for one in self._working.values() for station in one.worker.stations]

    @property
    def late_ticks(self) -> int:
        """Readings skipped since the start, by workers that have ended, too."""
        return self._late_before + sum(one.worker.late_ticks for one in self._working.values())

    def reporting(self, since: datetime | None = None) -> list[str]:
        """The meters that answer; those of them that have answered since an instant."""
        return [
            s.meter.id
            for s in self.stations
            if s.state.state == "reporting" and (since is None or max(r.read_at for r in s.rounds) > since)
        ]

    async def put(self, new: Installed) -> None:
        """Read what this site says from now on. Whatever raises does so before anything was touched."""
        changes = diff(self._installed, new)
        kept = [(self._working[wire.key], wire) for wire in changes.kept]
        stations = [self._stations(one.line, wire, new, changes.unchanged) for one, wire in kept]
        lines = [(wire, self._open(wire)) for wire in changes.started]
        opened = [(wire, line, self._stations(line, wire, new)) for wire, line in lines]
        for key in changes.ended:
            await self._end(key)
        for (one, wire), now in zip(kept, stations, strict=True):
            one.wire = wire
            one.worker.change(now)
            self._follow(wire, one.line)
        for wire, line, now in opened:
            self._begin(wire, line, now)
        self._installed = new
        self._name()

    def _follow(self, wire: Wire, line: OpenLine) -> None:
        if self._means.timings is not None:
            self._means.timings.follow(wire.line, line, wire.meters)

    def _name(self) -> None:
        self.by_line.clear()
        self.by_line.update({one.wire.line: one.worker for one in self._working.values()})

    async def close(self) -> None:
        """End them all."""
        for key in list(self._working):
            await self._end(key)

    def _open(self, wire: Wire) -> OpenLine:
        line = open_line(str(wire.address), now=self._means.clock.now, timeout_s=wire.timeout_s)
        if self._means.timings is not None:
            self._means.timings.recall(wire.line, line, wire.meters)
        return line

    def _stations(
        self, line: OpenLine, wire: Wire, new: Installed, unchanged: frozenset[str] = frozenset()
    ) -> list[Station]:
        present = {s.meter.id: s for s in self._working[wire.key].worker.stations} if unchanged else {}
        return [
            present[meter.id]
            if meter.id in unchanged
            else _station(meter, new, self._means.files, line, self._means.clock)
            for meter in wire.meters
        ]

    def _begin(self, wire: Wire, line: OpenLine, stations: Sequence[Station]) -> None:
        means, characters = self._means, getattr(wire.address, "characters", None)
        worker = LineWorker(
            line,
            stations,
            means.clock,
            means.sink,
            means.changed,
            characters=characters,
            paused=means.paused,
            stamps=means.stamps,
        )
        self._working[wire.key] = _Working(wire, line, worker, means.start(self._work(worker)))

    async def _work(self, worker: LineWorker) -> None:
        try:
            await worker.run()
        except Exception as error:
            if not self.on_trial:
                raise
            log.exception("worker.failed")
            self.fault = error

    async def _end(self, key: str) -> None:
        one = self._working.pop(key)
        self._late_before += one.worker.late_ticks
        one.task.cancel()
        await asyncio.wait((one.task,))
        await one.line.close()


def _station(meter: Meter, new: Installed, files: LearntFiles | None, line: OpenLine, clock: EdgeClock) -> Station:
    """A meter with what is read of it at each of its rates."""
    make = new.profiles[meter.profile or ""]
    groups = meter.groups or [(meter.interval_s, ())]
    if not isinstance(make, Profile):
        rounds = [_addressed(meter, make, names, interval_s, clock) for interval_s, names in groups]
        return Station(meter, (), rounds[0].due, rounds, clock=clock_of(meter, make, new.site.zone))
    asking = Asking(meter, make, files)
    rounds = [_round(asking, names, interval_s, line, clock) for interval_s, names in groups]
    return Station(meter, (), rounds[0].due, rounds, asking)


def _round(asking: Asking, names: Sequence[str], interval_s: float, line: OpenLine, clock: EdgeClock) -> Round:
    def compiled(cost: RequestCost) -> Sequence[Plan]:
        return asking.plans(names, cost, clock.wall_ms())

    return Round(interval_s, compiled(line.cost), clock.next_tick(clock.now(), interval_s), compiled, line.cost, names)


def _addressed(meter: Meter, make: AddressedMake, names: Sequence[str], interval_s: float, clock: EdgeClock) -> Round:
    # What is asked by address is the same at any cost, and remembers what the meter refused.
    plans = compile_addressed(replace(meter, quantities=tuple(names), rates={}), make, clock.now)
    return Round(interval_s, plans, clock.next_tick(clock.now(), interval_s))
