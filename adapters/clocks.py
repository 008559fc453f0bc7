"""Clocks: the system's, one that runs faster or elsewhere in time for rehearsals, and two that tests set wrong."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from adapters.kernel_time import any_setter, kernel_boot, kernel_synchronized
from energy.errors import EnergyError
from energy.ports import MachineClock

log = structlog.get_logger()

# Where the machine's sleep is not counted, it is so nearly never asleep that the monotonic clock does.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
# This program is not older: a machine that shows an earlier instant was never set.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
# Looking through all processes is not done more often.
_LOOK_EVERY_S = 10.0


class SystemClock:
    """The clock of the machine."""

    earliest = EARLIEST

    def __init__(self) -> None:
        # Whether a program was seen that sets clocks, and when it was looked for.
        self._setter, self._looked_s = False, float("-inf")

    @property
    def boot(self) -> str:
        return kernel_boot()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def steady(self) -> float:
        return time.clock_gettime(_STEADY)

    def synchronized(self) -> bool | None:
        return kernel_synchronized(self._any_setter)

    def _any_setter(self) -> bool:
        if time.monotonic() - self._looked_s > _LOOK_EVERY_S:
            self._setter, self._looked_s = any_setter(), time.monotonic()
        return self._setter

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

    @property
    def boot(self) -> str:
        return f"scaled:{self._start.isoformat()}@{self._began.timestamp():.3f}x{self._speed}"

    def now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._began) * self._speed

    @property
    def earliest(self) -> datetime:
        """A rehearsal may lie at any time."""
        return self._start

    def steady(self) -> float:
        """It is never set, and so it is steady itself."""
        return (self.now() - self._start).total_seconds()

    def synchronized(self) -> bool | None:
        """It is right by agreement."""
        return True

    async def sleep_until(self, instant: datetime) -> None:
        await self.sleep((instant - self.now()).total_seconds())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds / self._speed))


class ShiftedClock(SystemClock):
    """The machine's clock, wrong by what a file says: whoever writes the file sets the clock. For tests.

    The file holds a number of seconds, ahead if positive, and behind it, if wanted, `synchronized` or `unsynchronized`,
    as what the kernel is to answer; without it, and without a file, it answers as one that cannot be asked.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._read: tuple[int, int] | None = None
        self._ahead = timedelta()
        self._synchronized: bool | None = None

    def now(self) -> datetime:
        self._look()
        return super().now() + self._ahead

    def synchronized(self) -> bool | None:
        self._look()
        return self._synchronized

    async def sleep_until(self, instant: datetime) -> None:
        await asyncio.sleep(max(0.0, (instant - self.now()).total_seconds()))

    def _look(self) -> None:
        """Read the file if it is another than before; one that says nothing of use leaves all as it is."""
        try:
            found = self._file.stat()
            if (found.st_mtime_ns, found.st_ino) == self._read:
                return
            words = self._file.read_text().split()
            self._ahead, self._synchronized = shift_of(words)
            self._read = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            return
        except (OSError, ValueError, OverflowError) as error:
            log.warning("clock.unshifted", file=str(self._file), cause=str(error))


def shift_of(words: list[str]) -> tuple[timedelta, bool | None]:
    """What the words of the file of a shifted clock say.

    >>> shift_of(["-3600", "unsynchronized"])
    (datetime.timedelta(days=-1, seconds=82800), False)
    """
    states = {"synchronized": True, "unsynchronized": False}
    if len(words) not in (1, 2) or (words[1:] and words[1] not in states):
        raise ValueError("must hold seconds, and behind them nothing, synchronized or unsynchronized")
    return timedelta(seconds=float(words[0])), states.get(words[1]) if words[1:] else None


class SteppedClock:
    """A clock that moves only when it is told to; sleepers wake when it has reached their instant.

    `step` lets time pass, `set_by` sets the wall clock as an operator or NTP would. `boot` and `disciplined` are what
    the machine says of itself.
    """

    earliest = EARLIEST

    def __init__(self, start: datetime) -> None:
        # Of the steady clock, as an instant so that no rounding gathers; the wall clock is `_ahead` of it.
        self._start = self._steady = start
        self._ahead = timedelta()
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []
        self.boot = "stepped"
        self.disciplined: bool | None = None

    def now(self) -> datetime:
        return self._steady + self._ahead

    def steady(self) -> float:
        return (self._steady - self._start).total_seconds()

    def synchronized(self) -> bool | None:
        return self.disciplined

    def set_by(self, seconds: float) -> None:
        """Step the wall clock alone, no time passing; sleepers sleep on."""
        self._ahead += timedelta(seconds=seconds)

    async def sleep_until(self, instant: datetime) -> None:
        await self._sleep_to(instant - self._ahead)

    async def sleep(self, seconds: float) -> None:
        await self._sleep_to(self._steady + timedelta(seconds=seconds))

    async def _sleep_to(self, instant: datetime) -> None:
        if instant <= self._steady:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((instant, woken))
        await woken

    async def step(self, seconds: float) -> None:
        """Move on, waking sleepers one by one in the order of their instants."""
        goal = self._steady + timedelta(seconds=seconds)
        while due := sorted((s for s in self._sleepers if s[0] <= goal and not s[1].done()), key=lambda s: s[0]):
            instant, woken = due[0]
            self._sleepers.remove(due[0])
            self._steady = max(self._steady, instant)
            woken.set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self._sleepers = [s for s in self._sleepers if not s[1].done()]
        self._steady = goal


_SCALED = re.compile(r"scaled:(?P<start>[^@]+)@(?P<began>\d+(\.\d+)?)x(?P<speed>\d+(\.\d+)?)")


def open_clock(address: str) -> MachineClock:
    """The clock at an address: `system`, `scaled:START@BEGANxSPEED`, or `shifted:FILE` for tests.

    START is an ISO 8601 instant with offset, BEGAN the seconds since the epoch at which it was that time, SPEED how
    many seconds pass in one. FILE says by how many seconds the clock is wrong, and may be written at any time.
    """
    if address == "system":
        return SystemClock()
    kind, _, file = address.partition(":")
    if kind == "shifted" and file:
        return ShiftedClock(Path(file))
    found = _SCALED.fullmatch(address)
    if found is None:
        raise EnergyError(
            f"clock {address!r} must be 'system' or 'scaled:START@BEGANxSPEED', or 'shifted:FILE' for tests"
        )
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
