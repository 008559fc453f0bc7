"""The edge's time: one that never steps, by which it keeps its schedule, and how the wall clock stands to it.

`now` and all intervals are of the steady clock of the machine. What the wall clock shows is the steady instant plus
what it is `ahead`; that is looked at with every reading and every second, so that a step is noticed and told, and moves
nothing that was taken before. Slewing moves both clocks alike and is no step. Decision 024.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from adapters.wire import ClockState
from edge.clock_memory import ClockMemory, Remembered, UnsetClock
from edge.schedule import next_tick
from energy.ports import MachineClock
from energy.readings import EPOCH, from_ms, to_ms

log = structlog.get_logger()

# From so much on a change of the wall clock against the steady one is a step; NTP slews what is less.
STEP = timedelta(milliseconds=100)
# By so much two looks at the same two clocks may differ.
NOISE = timedelta(milliseconds=10)
# After a step forwards by more, readings are in doubt until the kernel says that its clock is disciplined, or so long.
DOUBTFUL_STEP = timedelta(minutes=1)
DOUBT_S = 3600.0
# For so long after the machine started a clock that nobody disciplines is believed to be set yet.
PATIENCE_S = 600.0
_LOOK_S = 1.0
_FURTHEST_MS = 86_400_000
# So many spans that the clock showed are remembered.
_SPANS = 64
# As often it is written down what the wall clock shows, for whoever starts after a cut of power.
_REMEMBER_S = 60.0


class EdgeClock:
    """A clock whose `now` never steps; at the start of the process it shows what the wall clock showed."""

    def __init__(self, clock: MachineClock, memory: ClockMemory | None = None) -> None:
        self._clock, self._memory = clock, memory
        self.boot = clock.boot
        # When the machine started, by the wall clock: a step of the wall clock moves it, time does not.
        self._started, _ = self._sample()
        self._origin = self._started
        self._sleepers: set[asyncio.Task[None]] = set()
        self._was_set = False
        self._doubted_until_s = 0.0
        self._stepped: tuple[int, int] | None = None
        # What the wall clock showed when it was written down last, while it was trusted; and when that was.
        self._shown_ms, self._remembered_s = 0, 0.0
        # How many steps were noticed, and when the last one was, in steady time.
        self.steps = 0
        self.stepped_at = EPOCH
        # What the wall clock showed when it stopped being what it was: up to there readings bear its instants [ms].
        self._given_until_ms: list[int] = []
        self.setting: bool | None = None
        self._recall()
        self.look()

    # -- a clock that never steps --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The present instant in steady time."""
        return self._origin + timedelta(seconds=self._clock.steady())

    def steady(self) -> float:
        return self._clock.steady()

    async def sleep_until(self, instant: datetime) -> None:
        """Return at the steady instant, or sooner when the wall clock steps: the ticks are other instants then."""
        if instant <= self.now():
            await asyncio.sleep(0)
            return
        sleeper = asyncio.create_task(self._clock.sleep_until(self.wall(instant)))
        self._sleepers.add(sleeper)
        try:
            await asyncio.wait([sleeper])
        finally:
            self._sleepers.discard(sleeper)
            sleeper.cancel()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    # -- the wall clock ------------------------------------------------------------------------------------------------

    @property
    def ahead(self) -> timedelta:
        """By how much the wall clock is ahead of `now`: 0 until it steps."""
        return self._started - self._origin

    def wall(self, instant: datetime | None = None) -> datetime:
        """What the wall clock shows at a steady instant, now if none is given."""
        return (self.now() if instant is None else instant) + self.ahead

    def wall_ms(self) -> int:
        return to_ms(self.wall())

    def next_tick(self, instant: datetime, interval_s: float) -> datetime:
        """The steady instant of the next multiple of the interval on the wall clock."""
        return next_tick(instant, interval_s, self.ahead)

    @property
    def started_ms(self) -> int:
        """When the machine started, by the wall clock: what readings under an unset clock are corrected by."""
        return to_ms(self._started)

    @property
    def unset(self) -> str | None:
        """The name of the wall clock that readings are dated by just now, if it is not set."""
        return str(UnsetClock(self.boot, self.started_ms)) if self.setting is False else None

    @property
    def is_in_doubt(self) -> bool:
        """Whether the wall clock leapt forwards and nobody has vouched for it since."""
        return self._clock.steady() < self._doubted_until_s

    @property
    def _is_trusted(self) -> bool:
        return self.setting is not False and not self.is_in_doubt

    @property
    def state(self) -> ClockState:
        stepped_at, step_ms = self._stepped or (None, None)
        return ClockState(self.setting, stepped_at, step_ms)

    def repeats(self, t_ms: int) -> bool:
        """Whether the wall clock showed this instant before, and stepped back since: by a day at most.

        What it showed further ahead it showed when it was so wrong that this says nothing of the order of readings.
        """
        later = [until for until in self._given_until_ms if t_ms < until]
        return bool(later) and min(later) <= self.wall_ms() + _FURTHEST_MS

    def _given(self, until_ms: int) -> None:
        self._given_until_ms = [*self._given_until_ms, until_ms][-_SPANS:]

    # -- noticing ------------------------------------------------------------------------------------------------------

    async def run(self, changed: Callable[[], None]) -> None:
        """Look for ever, telling when there is something new to tell."""
        told = self.state
        while True:
            self.look()
            if self.state != told:
                told = self.state
                changed()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Notice a step, and whether the clock is set."""
        self.observe()
        told = self._clock.synchronized()
        before, self.setting = self.setting, self._judged(told)
        if told and self.setting:
            self._doubted_until_s = 0.0
        if (before is False) != (self.setting is False):
            # What was taken before counts as given, also what is held back until it is corrected or confirmed.
            self._given(self.wall_ms())
        if before is False and self.setting is not False:
            log.info("clock.set" if self.setting else "clock.believed", shows=self.wall().isoformat())
        elif before is not False and self.setting is False:
            log.warning("clock.not_set", shows=self.wall().isoformat())
        if before is not self.setting or self._clock.steady() - self._remembered_s >= _REMEMBER_S:
            self._remember()

    def _judged(self, told: bool | None) -> bool | None:
        """Whether the wall clock has been set since the machine started; None where nobody can know."""
        if self.wall() < self._clock.earliest:
            return False
        self._was_set |= told is True
        if self._was_set:
            return True
        return False if told is False and self._clock.steady() < PATIENCE_S else None

    def observe(self) -> bool:
        """Whether the wall clock stepped since it was looked at last."""
        started, width = self._sample()
        by = started - self._started
        if abs(by) < max(STEP, 2 * width):
            if abs(by) > NOISE:
                self._started = started
            return False
        self._step(started, by)
        return True

    def _sample(self) -> tuple[datetime, timedelta]:
        """When the machine started by its wall clock, and how sure that is: both clocks are read at once, nearly."""
        tightest: tuple[float, datetime] | None = None
        for _ in range(5):
            before = self._clock.steady()
            wall = self._clock.now()
            width = self._clock.steady() - before
            if tightest is None or width < tightest[0]:
                tightest = width, wall - timedelta(seconds=before + width / 2)
            if width < 0.001:
                break
        assert tightest is not None
        return tightest[1], timedelta(seconds=tightest[0])

    def _step(self, started: datetime, by: timedelta) -> None:
        shown = self.wall()
        trusted = self._is_trusted
        self._started = started
        self.steps += 1
        self.stepped_at = self.now()
        self._stepped = self.wall_ms(), round(by / timedelta(milliseconds=1))
        if trusted:
            self._shown_ms = to_ms(shown)
            self._given(self._shown_ms)
        if trusted and by > DOUBTFUL_STEP and shown >= self._clock.earliest:
            self._doubted_until_s = self._clock.steady() + DOUBT_S
        log.warning("clock.stepped", by_s=round(by.total_seconds(), 3), showed=shown.isoformat())
        self._remember()
        for sleeper in self._sleepers:
            sleeper.cancel()

    # -- remembering ---------------------------------------------------------------------------------------------------

    def _recall(self) -> None:
        """Take up where a process before ended: a step in between is noticed where the machine ran on."""
        found = None if self._memory is None else self._memory.read()
        if found is None:
            self._remember()
            return
        self._given_until_ms, self._shown_ms = found.given_until_ms, found.shown_ms
        if found.boot != self.boot:
            self._given(found.shown_ms + round(1000 * _REMEMBER_S))
            self._remember()
            return
        self.setting, self._was_set = found.setting, found.setting is True
        self._doubted_until_s, self._stepped = found.doubted_until_s, found.stepped
        self._started = from_ms(found.started_ms)
        self.observe()
        self._origin, self.stepped_at = self._started, EPOCH

    def _remember(self) -> None:
        if self._memory is None:
            return
        self._remembered_s = self._clock.steady()
        if self._is_trusted:
            self._shown_ms = self.wall_ms()
        self._memory.write(
            Remembered(
                self.boot,
                self.started_ms,
                self.setting,
                self._given_until_ms,
                self._shown_ms,
                self._doubted_until_s,
                self._stepped,
            )
        )
