"""The way of a filing: filled in, submitted, returned with a reason or accepted."""

from __future__ import annotations

from enum import StrEnum

from energy.errors import EnergyError


class State(StrEnum):
    """Where a filing stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"


class Step(StrEnum):
    """What is done with it."""

    FILL = "fill"
    SUBMIT = "submit"
    RETURN = "return"
    ACCEPT = "accept"


_WAY = {
    (State.DRAFT, Step.FILL): State.DRAFT,
    (State.RETURNED, Step.FILL): State.RETURNED,
    (State.DRAFT, Step.SUBMIT): State.SUBMITTED,
    (State.RETURNED, Step.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Step.RETURN): State.RETURNED,
    (State.SUBMITTED, Step.ACCEPT): State.ACCEPTED,
    # What was accepted is opened again only by a return, which says why.
    (State.ACCEPTED, Step.RETURN): State.RETURNED,
}
# While it is in one of these its figures follow the ledger; in the others they are those that were submitted.
OPEN = frozenset({State.DRAFT, State.RETURNED})


class StepError(EnergyError):
    """A step that a filing cannot take where it stands."""


def possible(state: State) -> tuple[Step, ...]:
    """The steps that a filing can take where it stands."""
    return tuple(step for (of, step) in _WAY if of is state)


def after(state: State, step: Step) -> State:
    """Where a filing stands after a step; StepError where it cannot be taken.

    >>> after(State.SUBMITTED, Step.RETURN)
    <State.RETURNED: 'returned'>
    """
    found = _WAY.get((state, step))
    if found is None:
        raise StepError(f"a filing that is {state} cannot be taken to {step}; it can: {', '.join(possible(state))}")
    return found
