"""Where a statement stands: two confirm it, a line may be disputed alone, and only a reversal takes it back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from analytics.contracts.standing import Party, Standing, StatementState, Step, StepKind, standing
from energy.errors import EnergyError

CLIENT, ESCO = Party.CLIENT, Party.ESCO
LINES = {"savings.1": Decimal("43.20"), "fee.1": Decimal("100.00")}


def after(*steps: tuple[StepKind, Party] | tuple[StepKind, Party, str]) -> Standing:
    return standing(LINES, [Step(*step) for step in steps])


CONFIRMED = ((StepKind.CONFIRMED, ESCO), (StepKind.CONFIRMED, CLIENT))
PAID = (*CONFIRMED, (StepKind.PAYMENT_REQUESTED, ESCO), (StepKind.PAID, CLIENT), (StepKind.INVOICED, ESCO))


def test_it_is_confirmed_by_one_and_then_by_both() -> None:
    assert after().state is StatementState.FROZEN
    assert after(CONFIRMED[0]).state is StatementState.CONFIRMED_BY_ONE
    assert after(*CONFIRMED).state is StatementState.CONFIRMED
    with pytest.raises(EnergyError, match="the esco has confirmed it already"):
        after(CONFIRMED[0], CONFIRMED[0])


def test_a_disputed_line_does_not_hold_up_the_others() -> None:
    found = after((StepKind.DISPUTED, CLIENT, "savings.1"), *CONFIRMED, (StepKind.PAYMENT_REQUESTED, ESCO))

    assert found.state is StatementState.PAYMENT_REQUESTED
    assert (found.undisputed_amount, found.disputed_amount) == (Decimal("100.00"), Decimal("43.20"))


def test_a_dispute_ends_when_who_raised_it_agrees() -> None:
    raised = ((StepKind.DISPUTED, CLIENT, "savings.1"), (StepKind.REFERRED, ESCO, "savings.1"))

    assert after(*raised).referred == {"savings.1"}
    assert after(*raised, (StepKind.AGREED, CLIENT, "savings.1")).disputed == {}
    with pytest.raises(EnergyError, match=r"the esco does not dispute line savings\.1"):
        after(*raised, (StepKind.AGREED, ESCO, "savings.1"))


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([(StepKind.PAYMENT_REQUESTED, ESCO)], "it is frozen; payment_requested follows on confirmed"),
        ([*CONFIRMED, (StepKind.PAYMENT_REQUESTED, CLIENT)], "payment_requested is for the esco to say"),
        ([(StepKind.DISPUTED, CLIENT, "other")], "line 'other' is not in the statement; it has savings.1, fee.1"),
        ([(StepKind.DISPUTED, CLIENT, "fee.1")] * 2, "the client disputes line fee.1 already"),
        ([(StepKind.CONFIRMED, CLIENT), (StepKind.DISPUTED, CLIENT, "fee.1")], "is reversed, not disputed"),
        ([(StepKind.REFERRED, CLIENT, "fee.1")], "only what is disputed goes to a third party"),
        ([(StepKind.REVERSED, CLIENT), (StepKind.CONFIRMED, ESCO)], "taken back by a reversing one"),
        ([(StepKind.DISPUTED, ESCO, "fee.1"), *PAID, (StepKind.CLOSED, CLIENT)], "lines fee.1 are disputed"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(steps: list[tuple[StepKind, Party]], why: str) -> None:
    with pytest.raises(EnergyError, match=why):
        after(*steps)


def test_it_goes_its_way_to_the_end() -> None:
    assert after(*PAID).state is StatementState.INVOICED
    assert after(*PAID, (StepKind.CLOSED, CLIENT)).state is StatementState.CLOSED
    assert after(*PAID, (StepKind.REVERSED, CLIENT)).state is StatementState.REVERSED
