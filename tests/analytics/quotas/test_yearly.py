"""Ways to a year's quota, and its months."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.quotas.standards import QuotaError
from analytics.quotas.yearly import by_history, over_months, parts

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
HEATED = [Decimal(n) for n in (20, 18, 12, 4, 2, 2, 2, 2, 2, 4, 12, 20)]


def test_own_history_is_the_mean_less_the_rate() -> None:
    # The mean of five years is 100; six percent off, as Beijing took in 2014.
    years = dict(zip(range(2021, 2026), map(Decimal, (90, 95, 100, 105, 110)), strict=True))

    assert by_history(years, Decimal("0.06")) == Decimal("94.000")


def test_a_year_that_is_not_known_whole_is_no_year_of_history() -> None:
    with pytest.raises(QuotaError, match="2024 not known whole"):
        by_history({2024: None, 2025: Decimal(100)}, Decimal(0))


def test_months_follow_the_years_before_and_not_twelfths() -> None:
    found = over_months(100_000_000, {2024: HEATED, 2025: [2 * n for n in HEATED]}, DAYS)

    # 20 of 100 in January, both years alike.
    assert found.amounts[0] == 20_000_000
    assert found.amounts[6] == 2_000_000
    assert (found.total, found.by) == (100_000_000, (2024, 2025))


def test_a_year_with_a_gap_tells_no_shape_and_without_any_the_days_do() -> None:
    found = over_months(365, {2025: [None, *HEATED[1:]]}, DAYS)

    assert found.amounts == DAYS
    assert found.by == ()


@given(st.integers(0, 10**18), st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
def test_the_parts_sum_to_the_whole_and_none_is_a_millionth_off(total: int, weights: list[int]) -> None:
    found = parts(total, [Fraction(w) for w in weights])

    assert sum(found) == total
    assert all(abs(p - Fraction(total * w, sum(weights))) < 1 for p, w in zip(found, weights, strict=True))
