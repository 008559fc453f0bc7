"""Readings under a clock that is not set wait in the outbox, and are let go when it is known what their time was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import structlog

from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Flag, decode_batch, encode
from edge.clock import STEP, EdgeClock
from edge.clock_memory import UnsetClock
from energy.readings import Reason

log = structlog.get_logger()


class Correction(NamedTuple):
    """What becomes of readings that were taken under an unset clock: moved by `by_ms`, and whether it is vouched for."""

    by_ms: int
    confirmed: bool

    def rewrite(self, payload: bytes) -> bytes:
        """The batch with its times corrected, which then says by how much; as it is, where nothing is known."""
        batch = decode_batch(payload)
        moved = abs(self.by_ms) >= STEP.total_seconds() * 1000
        if not moved and not self.confirmed:
            return payload
        new = Flag("uncertain", Reason.TIME_CORRECTED.value) if moved else None
        for one in batch.readings:
            if moved and isinstance(one.taken_at, int):
                one.taken_at += self.by_ms
            one.flags = dict(_renewed(one.flags, new))
        return encode(msgspec.structs.replace(batch, corrected_ms=self.by_ms if moved else None))


def _renewed(flags: Mapping[str, Flag], new: Flag | None) -> list[tuple[str, Flag]]:
    marked = [(n, new if f.reason == Reason.CLOCK_NOT_SET.value else f) for n, f in flags.items()]
    return [(name, flag) for name, flag in marked if flag is not None]


def correction(clock: EdgeClock, of: str) -> Correction | None:
    """How to correct what was dated by an unset clock; None as long as that may still be learnt."""
    unset = UnsetClock.parse(of)
    if unset.boot != clock.boot:
        return Correction(0, confirmed=False)
    if clock.setting is False:
        return None
    return Correction(clock.started_ms - unset.started_ms, confirmed=clock.setting is True)


class Waiting:
    """Lets go of batches that were put under a clock that was not set, as soon as it is; those of an earlier run of
    the machine at once, since nobody will ever know."""

    def __init__(self, outbox: SqliteOutbox, clock: EdgeClock) -> None:
        self._outbox, self._clock = outbox, clock
        # Whether there may be such batches: those of a process before are not known yet.
        self.any = True

    def release(self) -> bool:
        """Let go of what can be; whether any was. Blocks while it writes; StoreError where the disk refuses."""
        if not self.any:
            return False
        self.any = False
        released = 0
        for unset in self._outbox.clocks():
            found = correction(self._clock, unset)
            if found is None:
                self.any = True
                continue
            batches = self._outbox.release(unset, found.rewrite)
            released += batches
            log.warning("readings.released", clock=unset, batches=batches, by_ms=found.by_ms, known=found.confirmed)
        return released > 0
