"""Clocks: the system's, and one that runs faster or elsewhere in time for rehearsals."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta

from energy.errors import EnergyError
from energy.ports import Clock


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, instant: datetime) -> None:
        await asyncio.sleep(max(0.0, (instant - self.now()).total_seconds()))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScaledClock:
    """A clock that stood at `start` when the machine's stood at `began`, and runs `speed` times as fast.

    Processes that are given the same three numbers agree on the time.
    """

    def __init__(self, start: datetime, began: datetime, speed: float) -> None:
        self._start, self._began, self._speed = start, began, speed

    def now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._began) * self._speed

    async def sleep_until(self, instant: datetime) -> None:
        await self.sleep((instant - self.now()).total_seconds())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds / self._speed))


class SteppedClock:
    """A clock that moves only when it is told to; sleepers wake when it has reached their instant."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, instant: datetime) -> None:
        if instant <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((instant, woken))
        await woken

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self._now + timedelta(seconds=seconds))

    async def step(self, seconds: float) -> None:
        """Move on, waking sleepers one by one in the order of their instants."""
        goal = self._now + timedelta(seconds=seconds)
        while due := sorted((s for s in self._sleepers if s[0] <= goal and not s[1].done()), key=lambda s: s[0]):
            instant, woken = due[0]
            self._sleepers.remove(due[0])
            self._now = max(self._now, instant)
            woken.set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self._now = goal


_SCALED = re.compile(r"scaled:(?P<start>[^@]+)@(?P<began>\d+(\.\d+)?)x(?P<speed>\d+(\.\d+)?)")


def open_clock(address: str) -> Clock:
    """The clock at an address: `system`, or `scaled:START@BEGANxSPEED`.

    START is an ISO 8601 instant with offset, BEGAN the seconds since the epoch at which it was that time, SPEED how
    many seconds pass in one.
    """
    if address == "system":
        return SystemClock()
    found = _SCALED.fullmatch(address)
    if found is None:
        raise EnergyError(f"clock {address!r} must be 'system' or 'scaled:START@BEGANxSPEED'")
    try:
        start = datetime.fromisoformat(found["start"])
    except ValueError as error:
        raise EnergyError(f"clock {address!r}: {found['start']} is not an ISO 8601 instant") from error
    if not float(found["speed"]) > 0:
        raise EnergyError(f"clock {address!r}: the speed must be above 0")
    if start.tzinfo is None:
        raise EnergyError(f"clock {address!r}: {found['start']} has no offset; write {found['start']}+08:00")
    return ScaledClock(start, datetime.fromtimestamp(float(found["began"]), UTC), float(found["speed"]))


def scaled_address(start: datetime, speed: float) -> str:
    """The address of a clock that stands at `start` now.

    >>> scaled_address(datetime(2026, 1, 1, tzinfo=UTC), 60.0).endswith("x60.0")
    True
    """
    return f"scaled:{start.isoformat()}@{time.time():.3f}x{speed}"
