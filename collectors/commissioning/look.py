"""A closer look at one meter that answered: as each make would read it."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.asked import Now, Plan, ask
from collectors.commissioning.finding import Finding
from collectors.commissioning.fingerprint import Evidence, Fit, telling
from collectors.commissioning.noted_line import NotedLine
from collectors.decoder import BlockPlan, Decoded
from collectors.lines.line import NoAnswer, Refused, Unreachable
from collectors.makes import Make, compile_make
from collectors.meter_profile import Profile
from collectors.nameplate import marking_plans, number_of
from collectors.planner import Block
from energy.errors import LineError
from energy.quantities import main_counter
from energy.sites import Meter, Text

# A meter that leaves so many questions in a row unanswered is left alone.
_ENOUGH = 3


class Look:
    """A look at one meter with the eyes of each make; what was asked once is not asked again."""

    def __init__(self, line: NotedLine, finding: Finding, now: Now) -> None:
        self._line, self._finding, self._now = line, finding, now
        self._answers: dict[Block, bytes | LineError] = {}
        self._unanswered = 0

    @property
    def is_given_up(self) -> bool:
        return self._unanswered >= _ENOUGH

    async def at(self, make: Make) -> Fit:
        """How what is there fits a make; no more is asked once something speaks against it."""
        evidence = Evidence(make)
        evidence.says(self._finding.identification)
        for plan in self._plans(make, telling(make)):
            await self._weigh(make, plan, evidence)
            if evidence.is_ruled_out or self.is_given_up:
                break
        if isinstance(make, Profile) and evidence.fit().fits:
            await self._nameplate(make, evidence)
        elif isinstance(make, Profile) and evidence.wants_more and not self.is_given_up:
            await self._states(make, evidence)
        return evidence.fit()

    async def counts_backwards(self, fit: Fit) -> bool:
        """Whether the main counter of a make is less than it was."""
        name = main_counter(fit.make.medium, list(fit.values))
        if name is None:
            return False
        self._answers.clear()
        for plan in self._plans(fit.make, (name,)):
            for found in await self._decoded(plan) or ():
                if found.quantity == name and found.value is not None:
                    return found.value < fit.values[name]
        return False

    def _plans(self, make: Make, names: Sequence[str]) -> list[Plan]:
        of = self._finding
        meter = Meter(
            "meter",
            Text("", ""),
            make.medium,
            line="line",
            unit=of.unit or 1,
            address=of.address,
            quantities=tuple(names),
        )
        plans = compile_make(meter, make, self._line.cost, self._now)
        return sorted(plans, key=lambda plan: min(names.index(name) for name in plan.quantities))

    async def _weigh(self, make: Make, plan: Plan, evidence: Evidence) -> None:
        decoded = await self._decoded(plan)
        if decoded is not None:
            evidence.decoded(decoded)
            evidence.missing(sorted(set(plan.quantities) - {found.quantity for found in decoded}))
            return
        # A hole may have spoilt the rest of a block: each value is asked for by itself, until one is not there either.
        for i, name in enumerate(plan.quantities if len(plan.quantities) > 1 else ()):
            single = await self._decoded(self._plans(make, (name,))[0]) if isinstance(plan, BlockPlan) else None
            if single is None:
                evidence.missing(plan.quantities[i:])
                return
            evidence.decoded(single)
        if len(plan.quantities) == 1:
            evidence.missing(plan.quantities)

    async def _decoded(self, plan: Plan) -> Sequence[Decoded] | None:
        """What is answered; None where it is refused, or nothing is said."""
        try:
            return plan.decode(await self._payload(plan))
        except (NoAnswer, Refused):
            return None

    async def _payload(self, plan: Plan) -> bytes:
        if not isinstance(plan, BlockPlan):
            return await self._asked(plan)
        known = self._answers.get(plan.block)
        if known is None:
            try:
                known = await self._asked(plan)
            except (NoAnswer, Refused) as error:
                known = error
            self._answers[plan.block] = known
        if isinstance(known, LineError):
            raise known
        return known

    async def _asked(self, plan: Plan, *, again: bool = True) -> bytes:
        """What a meter answers; a connection that is lost is made anew once, and twice in a row tells nothing of it."""
        try:
            payload = (await ask(plan, self._line, self._finding.unit or 0)).payload
        except Unreachable:
            if not again:
                raise
            return await self._asked(plan, again=False)
        except NoAnswer:
            self._unanswered += 1
            raise
        except Refused:
            self._unanswered = 0
            raise
        self._unanswered = 0
        return payload

    async def _states(self, make: Profile, evidence: Evidence) -> None:
        """Numbers with a meaning of their own, where the values alone do not suffice."""
        for plan in marking_plans([m for m in (*make.status, *make.nameplate) if m.type != "string"]):
            try:
                reply = await self._line.read(self._finding.unit or 0, plan.block)
            except LineError:
                continue
            evidence.stands_for(plan.marking, number_of(plan.marking, reply.payload))

    async def _nameplate(self, make: Profile, evidence: Evidence) -> None:
        for plan in marking_plans([m for m in make.nameplate if m.type == "string"]):
            try:
                reply = await self._line.read(self._finding.unit or 0, plan.block)
                evidence.text(plan.marking.name, plan.text(reply.payload))
            except LineError:
                evidence.text(plan.marking.name, None)
