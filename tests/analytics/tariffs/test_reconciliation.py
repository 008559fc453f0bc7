"""Why an invoice is not what meter and tariff say; the causes are the difference, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.tariffs.account import Use
from analytics.tariffs.bill import bill
from analytics.tariffs.hours import Band
from analytics.tariffs.reconciliation import Cause, Statement, metered, reconcile
from energy.errors import EnergyError
from tests.analytics.tariffs.files import tariff, version


def june(quantity: str, amount: str, first: int = 1, last: int = 30) -> Statement:
    return Statement(Decimal(quantity), Decimal(amount), date(2026, 6, first), date(2026, 6, last))


def causes(ours: Statement, theirs: Statement) -> dict[str, str]:
    return {cause.value: str(amount) for cause, amount in reconcile(ours, theirs).causes.items() if amount}


def test_an_invoice_for_more_units_differs_by_quantity() -> None:
    found = reconcile(june("1000", "500.00"), june("1100", "550.00"))

    assert (found.quantity, found.quantity_percent, found.amount) == (
        Decimal(100),
        Decimal(10),
        Decimal("50.00"),
    )
    assert causes(june("1000", "500.00"), june("1100", "550.00")) == {"quantity": "50.00"}


def test_an_invoice_at_another_price_differs_by_price() -> None:
    found = reconcile(june("1000", "500.00"), june("1000", "600.00"))

    assert (found.metered_price, found.billed_price) == (Decimal("0.5"), Decimal("0.6"))
    assert causes(june("1000", "500.00"), june("1000", "600.00")) == {"price": "100.00"}


def test_quantity_is_valued_at_our_price_and_price_at_the_billed_quantity() -> None:
    assert causes(june("1000", "500.00"), june("1100", "660.00")) == {"quantity": "50.00", "price": "110.00"}


def test_days_that_only_the_invoice_holds_are_told_and_valued_at_a_mean_day() -> None:
    ours, theirs = june("2000", "1000.00", 1, 20), june("2500", "1250.00", 1, 25)

    found = reconcile(ours, theirs)

    assert (found.days_only_billed, found.days_only_metered) == (5, 0)
    assert causes(ours, theirs) == {"period": "250.00"}


def test_a_shifted_period_is_told_by_its_days() -> None:
    found = reconcile(june("2000", "1000.00", 1, 20), june("2000", "1000.00", 3, 22))

    assert (found.days_only_billed, found.days_only_metered) == (2, 2)
    assert not any(found.causes.values())


def test_a_cent_for_each_line_is_rounding_and_more_is_price() -> None:
    assert causes(june("1000", "500.00"), june("1000", "500.02")) == {"rounding": "0.02"}
    assert causes(june("1000", "500.00"), june("1000", "500.03")) == {"price": "0.03"}


def test_where_nothing_was_metered_all_is_unexplained() -> None:
    found = reconcile(june("0", "0.00"), june("10", "5.00"))

    assert found.causes == {Cause.UNEXPLAINED: Decimal("5.00")}
    assert (found.quantity_percent, found.metered_price) == (None, None)


CENTS = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)
STATEMENTS = st.builds(
    lambda quantity, amount, first, days: june(str(quantity), str(amount), first, first + days),
    st.decimals(0, 10**6, places=2),
    CENTS,
    st.integers(1, 15),
    st.integers(0, 15),
)


@given(STATEMENTS, STATEMENTS)
def test_the_causes_are_the_difference_to_the_cent(ours: Statement, theirs: Statement) -> None:
    found = reconcile(ours, theirs)

    assert sum(found.causes.values()) == found.amount == theirs.amount - ours.amount
    assert abs(found.causes.get(Cause.ROUNDING, Decimal(0))) <= Decimal("0.04")


def test_a_bill_of_our_own_is_compared_only_when_it_lacks_nothing() -> None:
    found = tariff(version("price: 0.5", "basic_charge: {capacity: 30}"))
    use = {Band.NONE: Decimal(1000)}

    ours = metered(bill(found, "2026-06", Use(use, capacity=Decimal(10))))

    assert ours == Statement(Decimal(1000), Decimal(800), date(2026, 6, 1), date(2026, 6, 30), lines=2)
    with pytest.raises(EnergyError, match="lacks capacity"):
        metered(bill(found, "2026-06", Use(use)))


def test_a_statement_refuses_to_be_wrong() -> None:
    with pytest.raises(ValueError, match="whole cents"):
        june("1", "0.005")
    with pytest.raises(ValueError, match="before it begins"):
        june("1", "1.00", 2, 1)
