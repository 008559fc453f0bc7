"""Readings under a clock that is not set wait in the outbox, and are let go when it is known what their time was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Flag, MeterReadings, decode_batch, encode
from edge.clock import STEP, EdgeClock
from edge.clock_memory import UnsetClock
from edge.clock_stamps import Stamps
from energy.errors import StoreError
from energy.readings import Reason

log = structlog.get_logger()

_RELEASE_EVERY_S = 1.0


class Correction(NamedTuple):
    """What becomes of readings under an unset clock: moved by `by_ms`, and whether that is vouched for."""

    by_ms: int
    confirmed: bool

    def rewrite(self, payload: bytes, free: Callable[[MeterReadings, int], int]) -> bytes:
        """The batch with its times corrected, which then says by how much; as it is, where nothing is known."""
        moved = abs(self.by_ms) >= STEP.total_seconds() * 1000
        if not moved and not self.confirmed:
            return payload
        try:
            batch = decode_batch(payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.error("readings.uncorrected", cause=str(error))
            return payload
        new = Flag("uncertain", Reason.TIME_CORRECTED.value) if moved else None
        for one in batch.readings:
            if moved and isinstance(one.taken_at, int):
                one.taken_at = free(one, one.taken_at + self.by_ms)
            one.flags = _renewed(one.flags, new)
        return encode(msgspec.structs.replace(batch, corrected_ms=self.by_ms if moved else None))


def _renewed(flags: Mapping[str, Flag], new: Flag | None) -> dict[str, Flag]:
    """The flags with what they say of the time: that it was corrected, or nothing where it turned out to be right."""
    of_time = (Reason.CLOCK_NOT_SET.value, Reason.CLOCK_STEPPED.value)
    if new is not None:
        return {name: new if flag.reason in of_time else flag for name, flag in flags.items()}
    return {name: flag for name, flag in flags.items() if flag.reason != Reason.CLOCK_NOT_SET.value}


def correction(clock: EdgeClock, of: str) -> Correction | None:
    """How to correct what was dated by an unset clock; None as long as that may still be learnt."""
    unset = UnsetClock.parse(of)
    if unset is None or unset.boot != clock.boot:
        return Correction(0, confirmed=False)
    if clock.setting is False:
        return None
    return Correction(clock.started_ms - unset.started_ms, confirmed=clock.setting is True)


class Waiting:
    """Lets go of batches that were put under a clock that was not set, as soon as it is; those of an earlier run of
    the machine at once, since nobody will ever know.

    pending : how many readings are on their way into the outbox.
    """

    def __init__(self, outbox: SqliteOutbox, clock: EdgeClock, stamps: Stamps, pending: Callable[[], int]) -> None:
        self._outbox, self._clock, self._stamps, self._pending = outbox, clock, stamps, pending
        # Whether there may be such batches: those of a process before are not known yet.
        self._any = True

    def mark(self) -> str | None:
        """The name of the clock that a reading of just now is dated by, if it is not set."""
        unset = self._clock.unset
        self._any |= unset is not None
        return unset

    async def run(self, released: Callable[[], None]) -> None:
        """Let go for ever, telling when something was."""
        while True:
            try:
                if await self.release():
                    released()
            except StoreError as error:
                log.error("outbox.unreleased", cause=str(error))
            await asyncio.sleep(_RELEASE_EVERY_S)

    async def release(self) -> int:
        """Let go of what can be; how many batches that were. StoreError where the disk refuses."""
        if not self._any:
            return 0
        self._any = False
        pending, left = self._pending() > 0, True
        try:
            released, left = await asyncio.to_thread(self._release)
        finally:
            self._any |= left or pending
        return released

    def _release(self) -> tuple[int, bool]:
        released, left = 0, False
        for unset in self._outbox.clocks():
            found = correction(self._clock, unset)
            if found is None:
                left = True
                continue
            batches = self._outbox.release(unset, partial(found.rewrite, free=self._stamps.free), by_ms=found.by_ms)
            released += batches
            log.warning("readings.released", clock=unset, batches=batches, by_ms=found.by_ms, known=found.confirmed)
        return released, left
