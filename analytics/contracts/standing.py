"""Where a frozen statement stands: who has confirmed it, which lines are disputed, how far payment has come.

A dispute over a line does not hold up the others. Nothing of a statement is ever changed: it is taken back whole, by a
reversing statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from energy.errors import EnergyError


class Party(StrEnum):
    """Who has a word in it."""

    CLIENT = "client"
    ESCO = "esco"


class StepKind(StrEnum):
    """What can happen to a frozen statement."""

    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    # A party takes its dispute of a line back.
    AGREED = "agreed"
    # The line goes to a third party (第三方).
    REFERRED = "referred"
    PAYMENT_REQUESTED = "payment_requested"
    PAID = "paid"
    INVOICED = "invoiced"
    CLOSED = "closed"
    REVERSED = "reversed"


class StatementState(StrEnum):
    """Where it stands."""

    FROZEN = "frozen"
    CONFIRMED_BY_ONE = "confirmed_by_one"
    CONFIRMED = "confirmed"
    PAYMENT_REQUESTED = "payment_requested"
    PAID = "paid"
    INVOICED = "invoiced"
    CLOSED = "closed"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a party did; `line` where it is about one line."""

    kind: StepKind
    party: Party
    line: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a statement stands; `disputed` are its lines that are, each with who disputes it, `referred` those of them
    that a third party looks at."""

    amounts: dict[str, Decimal]
    state: StatementState = StatementState.FROZEN
    confirmed: frozenset[Party] = frozenset()
    disputed: dict[str, frozenset[Party]] = field(default_factory=dict)
    referred: frozenset[str] = frozenset()

    @property
    def disputed_amount(self) -> Decimal:
        """Of the lines that are disputed, before tax [yuan]."""
        return sum((self.amounts[line] for line in self.disputed), Decimal("0.00"))

    @property
    def undisputed_amount(self) -> Decimal:
        """Of all others: it goes on."""
        return sum(self.amounts.values(), Decimal("0.00")) - self.disputed_amount


_PAYMENT = {
    StepKind.PAYMENT_REQUESTED: (StatementState.CONFIRMED, StatementState.PAYMENT_REQUESTED, Party.ESCO),
    StepKind.PAID: (StatementState.PAYMENT_REQUESTED, StatementState.PAID, Party.CLIENT),
    StepKind.INVOICED: (StatementState.PAID, StatementState.INVOICED, Party.ESCO),
    StepKind.CLOSED: (StatementState.INVOICED, StatementState.CLOSED, Party.CLIENT),
}


def standing(amounts: dict[str, Decimal], steps: Sequence[Step]) -> Standing:
    """Where a statement of these lines stands after the steps; EnergyError at the first that is not possible."""
    made = Standing(amounts)
    for step in steps:
        made = after(made, step)
    return made


def after(now: Standing, step: Step) -> Standing:
    """Where it stands after a step more; EnergyError says why that cannot be."""
    if now.state is StatementState.REVERSED:
        raise EnergyError("the statement was taken back by a reversing one; nothing more happens to it")
    if step.kind is StepKind.CONFIRMED:
        return _confirmed(now, step)
    if step.kind is StepKind.REVERSED:
        return Standing(now.amounts, StatementState.REVERSED, now.confirmed, now.disputed, now.referred)
    if step.kind in _PAYMENT:
        return _paid(now, step)
    return _argued(now, step)


def _confirmed(now: Standing, step: Step) -> Standing:
    if step.party in now.confirmed:
        raise EnergyError(f"the {step.party} has confirmed it already")
    confirmed = now.confirmed | {step.party}
    state = StatementState.CONFIRMED if len(confirmed) == len(Party) else StatementState.CONFIRMED_BY_ONE
    return Standing(now.amounts, state, confirmed, now.disputed, now.referred)


def _paid(now: Standing, step: Step) -> Standing:
    needed, made, party = _PAYMENT[step.kind]
    if now.state is not needed:
        raise EnergyError(f"it is {now.state}; {step.kind} follows on {needed}")
    if step.party is not party:
        raise EnergyError(f"{step.kind} is for the {party} to say")
    if step.kind is StepKind.CLOSED and now.disputed:
        raise EnergyError(f"lines {', '.join(sorted(now.disputed))} are disputed; agree on them, or reverse it")
    return Standing(now.amounts, made, now.confirmed, now.disputed, now.referred)


def _argued(now: Standing, step: Step) -> Standing:
    if step.line not in now.amounts:
        raise EnergyError(f"line {step.line!r} is not in the statement; it has {', '.join(now.amounts)}")
    own = now.disputed.get(step.line, frozenset())
    disputed, referred = dict(now.disputed), now.referred
    if step.kind is StepKind.DISPUTED:
        _may_be_disputed(now, step, own)
        disputed[step.line] = own | {step.party}
    elif step.kind is StepKind.AGREED:
        if step.party not in own:
            raise EnergyError(f"the {step.party} does not dispute line {step.line}")
        disputed[step.line] = own - {step.party}
        if not disputed[step.line]:
            del disputed[step.line]
            referred -= {step.line}
    elif not own:
        raise EnergyError(f"line {step.line} is not disputed; only what is disputed goes to a third party")
    else:
        referred |= {step.line}
    return Standing(now.amounts, now.state, now.confirmed, disputed, referred)


def _may_be_disputed(now: Standing, step: Step, own: frozenset[Party]) -> None:
    if step.party in own:
        raise EnergyError(f"the {step.party} disputes line {step.line} already")
    if step.party in now.confirmed:
        raise EnergyError(f"the {step.party} has confirmed the statement; what is wrong now is reversed, not disputed")
