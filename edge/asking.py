"""How one meter is asked: the requests of its profile, less what it has been found to refuse."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import structlog

from adapters.learnt_files import LearntFiles
from collectors.decoder import (
    BlockPlan,
    Values,
    compile_blocks,
    compile_meter,
    installed_registers,
    transformer_ratios,
)
from collectors.lines.line import Line, Refused
from collectors.planner import Block, RequestCost, plan
from collectors.refusals import CODES, Learnt, Refusals, Unsupported
from collectors.register_map import Profile, Table
from energy.errors import StoreError
from energy.ports import Clock
from energy.readings import Reason, to_ms
from energy.sites import Meter

log = structlog.get_logger()


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """The file of a meter; it holds for this profile at this unit of this line."""

    profile: str
    line: str
    unit: int
    forbidden: list[tuple[Table, int]] = []
    cuts: list[tuple[Table, int]] = []
    unsupported: dict[str, Unsupported] = {}
    longest: int | None = None


class Asking:
    """The requests to a meter. A refused one is replaced by smaller ones until its cause is known, which is kept."""

    def __init__(self, meter: Meter, profile: Profile, cost: RequestCost, files: LearntFiles | None = None) -> None:
        self._meter, self._profile, self._cost, self._files = meter, profile, cost, files
        self._registers = installed_registers(meter, profile)
        # Learnt of by the names that are read, which are others where the meter is wired backwards.
        registers = [replace(r.register, quantity=r.quantity) for r in self._registers]
        self._refusals = Refusals(registers, self._recalled())
        self._ratios = transformer_ratios(meter)
        self._plans: Sequence[BlockPlan] = ()
        self._of: tuple[Learnt, tuple[str, ...]] | None = None

    def plans(self, now_ms: int) -> Sequence[BlockPlan]:
        """The requests of a cycle."""
        learnt, again = self._refusals.learnt, tuple(self._refusals.on_trial(now_ms))
        if self._of != (learnt, again):
            planned = compile_meter(
                self._meter,
                self._profile,
                self._cost,
                max_registers=learnt.longest,
                forbidden=self._refusals.forbidden,
                cuts=learnt.cuts,
                without=learnt.unsupported,
            )
            alone = [r for r in self._registers if r.quantity in again]
            tried = [b for r in alone for b in plan([r.register], self._cost, max_registers=125)]
            self._plans = [*planned, *compile_blocks(tried, alone, self._ratios)]
            self._of = (learnt, again)
        return self._plans

    def refused(self, block: Block, code: int, now_ms: int) -> Sequence[BlockPlan] | None:
        """What to ask now instead of a refused request; None where the refusal says nothing of its registers."""
        if code not in CODES:
            return None
        before = self._refusals.learnt
        asks = self._refusals.refused(block, now_ms)
        self._keep(before)
        if not asks and self._refusals.learnt == before:
            return None
        return self._compiled(asks)

    def answered(self, block: Block) -> Sequence[BlockPlan]:
        """What to ask now besides, since a request was answered."""
        before = self._refusals.learnt
        asks = self._refusals.answered(block)
        self._keep(before)
        return self._compiled(asks)

    def unsupported(self) -> Values:
        """The points that this meter has not, each bad with its reason."""
        names = list(self._refusals.learnt.unsupported)
        return Values(dict.fromkeys(names), dict.fromkeys(names, Reason.UNSUPPORTED))

    async def sweep(self, line: Line, clock: Clock) -> AsyncIterator[tuple[datetime, Values]]:
        """All that the meter says in a cycle, reply by reply, then the points that it has not.

        LineError where it does not answer; a refusal is one only where it says nothing of single registers.
        """
        asks, taken_at, refusal = deque(self.plans(to_ms(clock.now()))), None, None
        while asks:
            ask = asks.popleft()
            try:
                reply = await line.read(self._meter.unit, ask.block)
            except Refused as error:
                instead = self.refused(ask.block, error.code, to_ms(clock.now()))
                if instead is None:
                    raise
                asks.extendleft(reversed(instead))
                refusal = error
                continue
            taken_at = reply.taken_at
            asks.extendleft(self.answered(ask.block))
            yield taken_at, ask.values(reply.payload)
        if taken_at is not None:
            if (missing := self.unsupported()).values:
                yield taken_at, missing
        elif refusal is not None:
            raise refusal

    def _compiled(self, asks: Sequence[Block]) -> list[BlockPlan]:
        return compile_blocks(asks, self._registers, self._ratios) if asks else []

    def _recalled(self) -> Learnt | None:
        try:
            content = self._files.read(self._meter.id) if self._files is not None else None
            kept = None if content is None else msgspec.json.decode(content, type=_Kept)
        except (StoreError, msgspec.DecodeError) as error:
            log.warning("learnt.unreadable", meter=self._meter.id, cause=str(error))
            return None
        if kept is None or (kept.profile, kept.line, kept.unit) != self._identity():
            return None
        return Learnt(frozenset(kept.forbidden), frozenset(kept.cuts), kept.unsupported, kept.longest)

    def _identity(self) -> tuple[str, str, int]:
        return self._profile.id, self._meter.line or "", self._meter.unit

    def _keep(self, before: Learnt) -> None:
        learnt = self._refusals.learnt
        if learnt == before:
            return
        log.info(
            "meter.refuses",
            meter=self._meter.id,
            unsupported=sorted(learnt.unsupported),
            forbidden=len(learnt.forbidden),
            longest=learnt.longest,
        )
        if self._files is None:
            return
        kept = _Kept(
            *self._identity(), sorted(learnt.forbidden), sorted(learnt.cuts), dict(learnt.unsupported), learnt.longest
        )
        try:
            self._files.write(self._meter.id, msgspec.json.format(msgspec.json.encode(kept)))
        except StoreError as error:
            log.warning("learnt.unwritten", meter=self._meter.id, cause=str(error))
