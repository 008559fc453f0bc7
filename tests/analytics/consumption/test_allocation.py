"""Division among beneficiaries: nothing is lost, nothing is made."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.consumption.allocation import WHOLE, Shares, cumulative, part, weights_of
from analytics.consumption.dated import NotKnown, mean_over
from energy.organisations import Basis, Fact, FactName, Part, Share
from energy.validity import Validity

YEAR = (date(2025, 1, 1), date(2026, 1, 1))

amounts = st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=5).map(lambda a: np.array(a, np.int64))
weights = st.lists(st.fractions(0, 1000), min_size=1, max_size=6).filter(any).map(lambda w: Shares(tuple(w)))
# Weights whose shares are whole out of WHOLE.
whole = st.lists(st.integers(0, WHOLE), max_size=5).map(
    lambda edges: Shares(tuple(b - a for a, b in pairwise([0, *sorted(edges), WHOLE])))
)


def allocate(amount: np.ndarray, shares: Shares) -> np.ndarray:
    """The parts of all beneficiaries (k, n)."""
    return np.stack([part(amount, low, high) for low, high in pairwise(cumulative(shares))])


def test_three_institutions_share_a_kilowatt_hour() -> None:
    found = allocate(np.array([1_000_000, -1_000_000, 1, 0]), Shares((1, 1, 1)))

    assert found.tolist() == [[333_333, -333_333, 0, 0], [333_334, -333_334, 1, 0], [333_333, -333_333, 0, 0]]


@given(amounts, weights)
def test_parts_add_up_exactly(amount: np.ndarray, shares: Shares) -> None:
    found = allocate(amount, shares)

    assert found.dtype == np.int64
    assert found.shape == (len(shares.weights), len(amount))
    assert [sum(column) for column in found.T.tolist()] == amount.tolist()


@given(amounts, weights)
def test_a_part_needs_nobody_else(amount: np.ndarray, shares: Shares) -> None:
    found = allocate(amount, shares)
    edges = cumulative(shares)

    assert edges[0] == 0 and edges[-1] == WHOLE
    for i, (low, high) in enumerate(pairwise(edges)):
        assert part(amount, low, high).tolist() == found[i].tolist()


@given(amounts, weights)
def test_what_is_negative_is_divided_as_its_opposite(amount: np.ndarray, shares: Shares) -> None:
    assert allocate(-amount, shares).tolist() == (-allocate(amount, shares)).tolist()


@given(amounts, whole, st.randoms(use_true_random=False))
def test_another_order_moves_a_millionth_at_most(amount: np.ndarray, shares: Shares, by_chance: object) -> None:
    order = list(range(len(shares.weights)))
    by_chance.shuffle(order)  # type: ignore[attr-defined]
    moved = allocate(amount, Shares(tuple(shares.weights[i] for i in order)))

    for place, i in enumerate(order):
        assert np.abs(moved[place] - allocate(amount, shares)[i]).max() <= 1


@given(amounts, weights)
def test_another_order_of_shares_that_are_not_whole_moves_little(amount: np.ndarray, shares: Shares) -> None:
    found, turned = allocate(amount, shares), allocate(amount, Shares(shares.weights[::-1]))[::-1]

    for row, other in zip(found.tolist(), turned.tolist(), strict=True):
        for a, b, of in zip(row, other, amount.tolist(), strict=True):
            assert abs(a - b) <= 2 + abs(of) // WHOLE


@given(amounts, st.tuples(*[st.integers(0, WHOLE)] * 4))
def test_a_wider_share_never_gets_less_and_none_is_opposed(amount: np.ndarray, edges: tuple[int, ...]) -> None:
    outer_low, low, high, outer_high = sorted(edges)

    inner = part(amount, low, high) * np.sign(amount)
    assert (inner >= 0).all()
    assert (part(amount, outer_low, outer_high) * np.sign(amount) >= inner).all()


@given(amounts, weights)
def test_a_part_is_its_share_to_the_millionth(amount: np.ndarray, shares: Shares) -> None:
    for (low, high), row in zip(pairwise(cumulative(shares)), allocate(amount, shares).tolist(), strict=True):
        for got, of in zip(row, amount.tolist(), strict=True):
            assert abs(got - Fraction(of * (high - low), WHOLE)) <= 1


def test_who_has_no_weight_gets_nothing() -> None:
    assert allocate(np.array([999]), Shares((0, Fraction(1, 2), 0)))[:, 0].tolist() == [0, 999, 0]


@pytest.mark.parametrize("bad", [(), (0, 0), (1, -1)])
def test_weights_that_divide_nothing_are_refused(bad: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weight"):
        Shares(bad)


def test_what_is_no_share_or_no_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="a share lies within 0"):
        part(np.array([1]), 5, 4)
    with pytest.raises(ValueError, match="must be int64"):
        part(np.array([1.0]), 0, WHOLE)
    with pytest.raises(ValueError, match="below what has an opposite"):
        part(np.array([-(2**63)]), 0, WHOLE)


def facts(*known: tuple[str | None, str | None, str], of: str = "bureau", what: str = "area_m2") -> list[Fact]:
    """Facts of an organisation as (from, to, value)."""

    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    return [
        Fact(FactName(what), Decimal(value), organisation=of, valid=Validity(day(start), day(end)))
        for start, end, value in known
    ]


def test_a_mean_counts_each_value_for_its_days() -> None:
    # 73 of 365 days at 1000, 292 at 2000: 1800
    assert mean_over(facts(("2025-03-15", None, "2000"), (None, "2025-03-15", "1000")), *YEAR) == 1800
    assert mean_over(facts((None, "2025-01-01", "5"), ("2025-01-01", "2026-01-01", "7")), *YEAR) == 7
    assert mean_over(facts(("2026-01-01", None, "9"), (None, "2026-01-01", "7")), *YEAR) == 7


def test_a_value_never_reaches_beyond_its_days() -> None:
    with pytest.raises(NotKnown, match="not known from 2025-01-01 to 2025-03-14"):
        mean_over(facts(("2025-03-15", None, "2000")), *YEAR)
    with pytest.raises(NotKnown, match="not known from 2025-03-01 to 2025-03-31"):
        mean_over(facts((None, "2025-03-01", "1"), ("2025-04-01", None, "1")), *YEAR)
    with pytest.raises(NotKnown, match="not known from 2025-12-31 to 2025-12-31"):
        mean_over(facts((None, "2025-12-31", "1")), *YEAR)
    with pytest.raises(NotKnown, match="not known from 2025-01-01 to 2025-12-31"):
        mean_over([], *YEAR)


def test_nothing_is_a_value_too() -> None:
    assert mean_over(facts((None, "2025-03-15", "0"), ("2025-03-15", None, "365")), *YEAR) == 292


def test_values_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="two values hold on 2025-06-01: 1 and 2"):
        mean_over(facts((None, None, "1"), ("2025-06-01", None, "2")), *YEAR)
    with pytest.raises(ValueError, match="must end after it begins"):
        mean_over(facts((None, None, "1")), YEAR[1], YEAR[0])


def shared(basis: Basis, **weights: str | None) -> Share:
    parts = tuple(Part(name, None if w is None else Decimal(w)) for name, w in weights.items())
    return Share(basis, "agreement of 2024", parts, meter="main")


def test_weights_follow_areas_over_the_period() -> None:
    areas = [
        *facts((None, "2025-03-15", "1000"), ("2025-03-15", None, "2000")),
        *facts((None, None, "3"), what="people"),
        *facts((None, None, "200.5"), of="court"),
    ]

    found = weights_of(shared(Basis.AREA, bureau=None, court=None), areas, *YEAR)

    assert found == {"bureau": Fraction(1800), "court": Fraction(401, 2)}
    assert list(found) == ["bureau", "court"]


def test_weights_that_are_written_count_as_they_are() -> None:
    assert weights_of(shared(Basis.FIXED, bureau="0.3", court="0.7"), [], *YEAR)["bureau"] == Fraction(3, 10)


def test_a_weight_that_is_not_known_is_never_guessed() -> None:
    with pytest.raises(NotKnown, match="people of court: not known from 2025-01-01 to 2025-05-31"):
        weights_of(
            shared(Basis.PEOPLE, court=None), facts(("2025-06-01", None, "12"), of="court", what="people"), *YEAR
        )
    with pytest.raises(ValueError, match="main: basis sub_meter has no weights"):
        weights_of(shared(Basis.SUB_METER, court=None), [], *YEAR)
