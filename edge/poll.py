"""Polling: one worker per line reads the meters that are due, one request at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec
import structlog

from adapters.wire import Flag, LineState, MeterReadings, MeterState
from collectors.asked import Plan, ask, cost_s
from collectors.decoder import BlockPlan, Decoded, Values
from collectors.lines.address import Characters
from collectors.lines.line import Line, Refused, WritableLine
from collectors.planner import RequestCost
from collectors.writing import NotWritten, Order, Outcome, carried_out, decoded, shown
from edge.asking import Asking
from edge.clock import EdgeClock
from edge.clock_stamps import Stamps
from edge.load import line_state
from edge.meter_clocks import MeterClock
from edge.schedule import Patience, Round, Standing
from energy.errors import LineError
from energy.ports import MachineClock
from energy.readings import EPOCH, Quality, to_ms
from energy.sites import Meter

log = structlog.get_logger()

# So long nothing else may be due before a meter's own clock is looked at: what that takes at 1200 baud, twice over.
ROOM_S = 3.0

Sink = Callable[[MeterReadings], None]


# At most this share of a line's time goes to meters that do not answer.
_PROBE_SHARE = 0.05
# How often a line looks whether what it reads can be kept again.
_PAUSE_S = 1.0
# Exceptions by which a gateway tells that the meter behind it is silent.
_SILENT_BEHIND = (10, 11)


@dataclass(slots=True)
class Station:
    """A meter on a line: how it is read, when it is due, and how it has answered.

    `plans` are what is read at the interval of the meter, from `first` on; `quicker` is read more often. `asking`
    learns what the meter refuses. `clock` is its own clock, where it has one. Instants are of the edge's steady time.
    """

    meter: Meter
    plans: InitVar[Sequence[Plan]]
    first: InitVar[datetime]
    quicker: InitVar[Sequence[Round]] = ()
    asking: Asking | None = None
    clock: MeterClock | None = None
    rounds: list[Round] = field(init=False)
    patience: Patience = field(init=False)
    state: MeterState = field(init=False)
    # Not to be asked before: its late answer may come, or it is silent.
    rests_until: datetime = field(init=False)
    # Since when its state is what it is.
    changed_at: datetime = field(init=False)

    def __post_init__(self, plans: Sequence[Plan], first: datetime, quicker: Sequence[Round]) -> None:
        own = [Round(self.meter.interval_s, plans, first)] if plans else []
        self.rounds = [*quicker, *own]
        self.patience = Patience(min(r.interval_s for r in self.rounds))
        self.state, self.changed_at = MeterState("unread", to_ms(first)), first
        self.rests_until = EPOCH

    @property
    def due(self) -> datetime:
        """When it is to be read next."""
        return max(self.rests_until, min(r.due for r in self.rounds))


class LineWorker:
    """Reads what is due on a line, the earliest deadline first; a failing meter holds nobody up for long."""

    def __init__(
        self,
        line: Line,
        stations: Sequence[Station],
        clock: EdgeClock | MachineClock,
        sink: Sink,
        changed: Callable[[], None],
        *,
        characters: Characters | None = None,
        paused: Callable[[], bool] = lambda: False,
        stamps: Stamps | None = None,
    ) -> None:
        self._line = line
        self.stations = list(stations)
        self._clock = clock if isinstance(clock, EdgeClock) else EdgeClock(clock)
        self._stamps = stamps or Stamps(self._clock)
        self._steps = self._clock.steps
        self._sink = sink
        self._changed = changed
        self._characters = characters
        self._paused = paused
        self._probe_from = EPOCH
        self._changes = asyncio.Event()
        # Whoever waits for it is next: at most the request that is open goes before a write.
        self._turn = asyncio.Lock()
        self.late_ticks = 0

    async def run(self) -> None:
        """Read for ever."""
        while self.stations:
            self._align()
            station, found = self._next()
            ready = self._ready(station, found)
            if (due := self._clock_to_compare(ready)) is not None:
                await self._compare(*due)
                continue
            if not await self._has_come(ready):
                continue
            if self._paused():
                await self._clock.sleep(_PAUSE_S)
                continue
            # Woken sooner when the wall clock was set: something else may be due first then.
            if ready <= self._clock.now() and self._steps == self._clock.steps:
                await self._read(station, found)

    def change(self, stations: Sequence[Station]) -> None:
        """Read these from now on; what is being read just now is read to its end."""
        self.stations = list(stations)
        self._changes.set()

    async def _has_come(self, instant: datetime) -> bool:
        """Sleep until the instant; not if there are other stations before it has come."""
        self._changes.clear()
        if instant <= self._clock.now():
            await self._clock.sleep_until(instant)
            return True
        sleeping = asyncio.ensure_future(self._clock.sleep_until(instant))
        changing = asyncio.ensure_future(self._changes.wait())
        try:
            await asyncio.wait((sleeping, changing), return_when=asyncio.FIRST_COMPLETED)
            if sleeping.done():
                sleeping.result()
            return not self._changes.is_set()
        finally:
            sleeping.cancel()
            changing.cancel()

    def _align(self) -> None:
        """After a step of the wall clock ticks are those of the new one."""
        if self._steps == self._clock.steps:
            return
        self._steps = self._clock.steps
        for round_ in (r for s in self.stations for r in s.rounds):
            round_.align(self._clock.now(), self._clock.ahead)

    async def write(self, order: Order, begun: Callable[[Decimal | None], None]) -> Outcome:
        """Carry out an order before anything else that is due, in one go; a LineError where nothing was written."""
        if not isinstance(self._line, WritableLine):
            raise NotWritten("nothing can be written on this line")
        async with self._turn:
            return await carried_out(order, self._line, begun)

    async def show(self, order: Order) -> Decimal | None:
        """What stands in a meter where an order would write."""
        if not isinstance(self._line, WritableLine):
            raise NotWritten("nothing can be written on this line")
        async with self._turn:
            return decoded(order.setting, await shown(self._line, order.unit, order.setting))

    @property
    def state(self) -> LineState:
        """How the line keeps its schedule; silent meters need none of it."""
        rounds = [r for s in self.stations if s.patience.standing is not Standing.SILENT for r in s.rounds]
        return line_state(rounds, self.late_ticks, self._characters, self._line.cost)

    @property
    def behind_s(self) -> float:
        """For how long what has waited longest has been due; silent meters are not waited for."""
        now = self._clock.now()
        waits = (
            (now - self._ready(s, r)).total_seconds() for s in self.stations if not _is_silent(s) for r in s.rounds
        )
        return max(0.0, max(waits, default=0.0))

    def _next(self) -> tuple[Station, Round]:
        """Of what is due by now the one with the earliest deadline, of these the one read longest ago; else what is due
        first."""
        now = self._clock.now()
        everything = [(s, r) for s in self.stations for r in (s.rounds if not _is_silent(s) else s.rounds[:1])]
        due = [(s, r) for s, r in everything if self._ready(s, r) <= now]
        if due:
            return min(due, key=lambda of: (self._deadline(*of), of[1].read_at))
        return min(everything, key=lambda of: self._ready(*of))

    def _ready(self, station: Station, found: Round) -> datetime:
        ready = max(found.due, station.rests_until)
        return max(ready, self._probe_from) if _is_silent(station) else ready

    def _deadline(self, station: Station, found: Round) -> datetime:
        """Of a silent meter it runs from when it may be probed, so that on a full line its turn comes, too."""
        if _is_silent(station):
            return self._ready(station, found) + timedelta(seconds=found.interval_s)
        return found.deadline

    async def _read(self, station: Station, found: Round) -> None:
        began = self._clock.now()
        refused: Refused | None = None
        answered, taken_at = False, began
        rounds, plans = _together(station, found, began, self._clock.wall_ms(), self._line.cost)
        try:
            asks = deque(plans)
            while asks:
                plan = asks.popleft()
                asked = self._clock.now()
                try:
                    async with self._turn:
                        reply = await ask(plan, self._line, station.meter.unit)
                except Refused as error:
                    if error.code in _SILENT_BEHIND:
                        raise
                    # The meter is there; what it refuses takes nothing from its other values.
                    refused = error
                    asks.extendleft(_instead(station, plan, error.code, self._clock.wall_ms())[::-1])
                    continue
                answered, taken_at = True, reply.taken_at
                asks.extendleft(_besides(station, plan))
                self._sink(
                    self._stamps.stamp(_readings(station.meter.id, taken_at, plan, reply.payload), asked, taken_at)
                )
            if refused is not None and not answered:
                raise refused
            for each in rounds:
                self._tell_missing(station, each, began, taken_at)
        except LineError as error:
            self._failed(station, found, error, began)
        else:
            self._answered(station, rounds, began)

    def _tell_missing(self, station: Station, found: Round, began: datetime, taken_at: datetime) -> None:
        """Points that the meter has not are bad each time they would have been read."""
        missing = None if station.asking is None else station.asking.unsupported(found.quantities)
        if missing:
            self._sink(self._stamps.stamp(as_readings(station.meter.id, taken_at, missing), began, taken_at))

    def _failed(self, station: Station, found: Round, error: LineError, began: datetime) -> None:
        now = self._clock.now()
        was_silent = _is_silent(station)
        station.patience.failed()
        again = now + timedelta(seconds=getattr(error, "again_in_s", 0.0))
        # A lost answer is nothing to report, and is asked for again as soon as it can no longer come; two in a row are.
        station.rests_until = again
        if station.patience.standing is not Standing.SILENT:
            return
        pause = timedelta(seconds=station.patience.pause_s())
        station.rests_until = max(again, self._clock.next_tick(now + pause, found.interval_s))
        if was_silent:
            self._probe_from = now + (now - began) / _PROBE_SHARE
        if station.state.state != "silent":
            log.warning("meter.silent", meter=station.meter.id, detail=str(error))
            self._tell(station, "silent", str(error))

    def _answered(self, station: Station, rounds: Sequence[Round], began: datetime) -> None:
        now = self._clock.now()
        if station.patience.failures:
            # What was missed in the meantime is not the line's fault.
            for each in station.rounds:
                each.done(now, self._clock.ahead)
        else:
            self.late_ticks += sum(each.done(now, self._clock.ahead) for each in rounds)
        costs = [_cost_of(each.plans, self._line.cost) for each in rounds]
        for each, own in zip(rounds, costs, strict=True):
            # What was read together took each as much as it would have by itself.
            share = own / sum(costs) if len(rounds) > 1 else 1.0
            each.took((now - began).total_seconds() * share)
            each.suit(self._line.cost)
        station.patience.answered()
        station.rests_until = EPOCH
        if station.state.state == "reporting":
            return
        if station.state.state == "silent":
            after_s = (now - station.changed_at).total_seconds()
            log.info("meter.back", meter=station.meter.id, after_s=round(after_s, 1))
        self._tell(station, "reporting")

    def _tell(self, station: Station, state: Literal["silent", "reporting"], detail: str = "") -> None:
        station.changed_at = self._clock.now()
        station.state = MeterState(state, self._clock.wall_ms(), detail, station.state.clock_drift_ms)
        self._changed()

    def _clock_to_compare(self, until: datetime) -> tuple[Station, MeterClock] | None:
        """A meter whose own clock is to be looked at, where nothing else needs the line for a while."""
        now = self._clock.now()
        if (until - now).total_seconds() < ROOM_S or self._clock.setting is False or self._clock.is_in_doubt:
            return None
        for station in self.stations:
            clock = station.clock
            if clock is not None and clock.due <= now and station.state.state == "reporting":
                return station, clock
        return None

    async def _compare(self, station: Station, clock: MeterClock) -> None:
        drift_ms = await clock.drift_ms(self._line, self._clock)
        if drift_ms is not None:
            station.state = msgspec.structs.replace(station.state, clock_drift_ms=drift_ms)


def _plans(station: Station, found: Round) -> Sequence[Plan]:
    if station.asking is not None:
        found.anew()
    return found.plans


def _together(
    station: Station, found: Round, now: datetime, wall_ms: int, cost: RequestCost
) -> tuple[Sequence[Round], Sequence[Plan]]:
    """A round with its requests; with those of the meter that are due as well, where requests for all are cheaper."""
    plans = _plans(station, found)
    others = [r for r in station.rounds if r is not found and r.due <= now]
    if station.asking is None or not others:
        return [found], plans
    names = [name for r in station.rounds if r is found or r in others for name in r.quantities]
    joined = station.asking.plans(names, cost, wall_ms)
    apart = _cost_of(plans, cost) + sum(_cost_of(_plans(station, r), cost) for r in others)
    return ([found, *others], joined) if _cost_of(joined, cost) < apart else ([found], plans)


def _cost_of(plans: Sequence[Plan], cost: RequestCost) -> float:
    """What requests take of the line's time [s]."""
    return sum(cost_s(plan, cost) for plan in plans)


def _instead(station: Station, plan: Plan, code: int, now_ms: int) -> Sequence[Plan]:
    """What to ask in place of a refused request."""
    if station.asking is None or not isinstance(plan, BlockPlan):
        return ()
    return station.asking.refused(plan.block, code, now_ms)


def _besides(station: Station, plan: Plan) -> Sequence[Plan]:
    """What to ask further, since a request was answered."""
    return station.asking.answered(plan.block) if station.asking is not None and isinstance(plan, BlockPlan) else ()


def _readings(meter: str, taken_at: datetime, plan: Plan, payload: bytes) -> MeterReadings:
    if isinstance(plan, BlockPlan):
        return as_readings(meter, taken_at, plan.values(payload))
    return to_wire(meter, taken_at, plan.decode(payload))


def _is_silent(station: Station) -> bool:
    return station.patience.standing is Standing.SILENT


def as_readings(meter: str, taken_at: datetime, found: Values) -> MeterReadings:
    """What a reply said, as it travels."""
    flags = {name: Flag("bad", reason.value) for name, reason in found.bad.items()}
    return MeterReadings(meter, to_ms(taken_at), found.values, flags)


def to_wire(meter: str, taken_at: datetime, decoded: Sequence[Decoded]) -> MeterReadings:
    """What a meter said, as it travels."""
    flags = {
        d.quantity: Flag("bad" if d.quality is Quality.BAD else "uncertain", d.reason.value)
        for d in decoded
        if d.quality is not Quality.GOOD
    }
    return MeterReadings(meter, to_ms(taken_at), {d.quantity: d.value for d in decoded}, flags)
