"""How one meter is asked: the requests of its profile, less what it has been found to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from collectors.planner import Block, RequestCost, plan
from collectors.refusals import CODES, Learnt, Refusals, Unsupported
from collectors.register_map import Profile, Table
from energy.errors import StoreError
from energy.readings import Reason
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


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a plan was made for; `again` are the quantities that are tried once more."""

    cost: RequestCost
    learnt: Learnt
    again: tuple[str, ...]


class Asking:
    """The requests to a meter. A refused one is replaced by smaller ones until its cause is known, which is kept."""

    def __init__(self, meter: Meter, profile: Profile, files: LearntFiles | None = None) -> None:
        self._meter, self.profile, self._files = meter, profile, files
        self._registers = installed_registers(meter, profile)
        # Learnt of by the names that are read, which are others where the meter is wired backwards.
        registers = [replace(r.register, quantity=r.quantity) for r in self._registers]
        self._refusals = Refusals(registers, self._recalled())
        self._ratios = transformer_ratios(meter)
        self._planned: dict[tuple[str, ...], tuple[_Basis, Sequence[BlockPlan]]] = {}

    def plans(self, quantities: Sequence[str], cost: RequestCost, now_ms: int) -> Sequence[BlockPlan]:
        """The requests for some of the meter's quantities, all if none is named; made anew when more is known."""
        wanted = tuple(quantities)
        basis = _Basis(cost, self._refusals.learnt, tuple(self._refusals.on_trial(now_ms)))
        if wanted not in self._planned or self._planned[wanted][0] != basis:
            self._planned[wanted] = basis, self._made(wanted, basis)
        return self._planned[wanted][1]

    def _made(self, wanted: tuple[str, ...], basis: _Basis) -> Sequence[BlockPlan]:
        planned = compile_meter(
            replace(self._meter, quantities=wanted or self._meter.quantities, rates={}),
            self.profile,
            basis.cost,
            max_registers=basis.learnt.longest,
            forbidden=self._refusals.forbidden,
            cuts=basis.learnt.cuts,
            without=basis.learnt.unsupported,
        )
        alone = [r for r in self._registers if r.quantity in basis.again and (not wanted or r.quantity in wanted)]
        tried = [block for r in alone for block in plan([r.register], basis.cost)]
        return [*planned, *compile_blocks(tried, alone, self._ratios)]

    def refused(self, block: Block, code: int, now_ms: int) -> Sequence[BlockPlan]:
        """What to ask now instead of a refused request; nothing where the refusal says nothing of its registers."""
        if code not in CODES:
            return []
        before = self._refusals.learnt
        asks = self._refusals.refused(block, now_ms)
        self._keep(before)
        return self._compiled(asks)

    def answered(self, block: Block) -> Sequence[BlockPlan]:
        """What to ask now besides, since a request was answered."""
        before = self._refusals.learnt
        asks = self._refusals.answered(block)
        self._keep(before)
        return self._compiled(asks)

    def unsupported(self, quantities: Sequence[str]) -> Values | None:
        """Those of these points, or of all, that this meter has not, each bad with its reason; None if it has all."""
        missing = [q for q in self._refusals.learnt.unsupported if not quantities or q in quantities]
        return Values(dict.fromkeys(missing), dict.fromkeys(missing, Reason.UNSUPPORTED)) if missing else None

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
        return self.profile.id, self._meter.line or "", self._meter.unit

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
