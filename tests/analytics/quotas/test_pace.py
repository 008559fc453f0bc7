"""Where a year stands, and what is told once."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from analytics.quotas.pace import Bound, Bounds, Mark, Standing, allowed_by_day, crossed, runs_out

MONTHS = [310, 280, 310, 300, 310, 300, 310, 310, 300, 310, 300, 310]


def test_the_days_of_a_month_sum_to_it_and_workdays_have_more_of_it() -> None:
    # 2026 begins with a Thursday: 22 workdays of weight 2 and 9 weekend days of weight 1 in January.
    weights = [1 if (3 + i) % 7 >= 5 else 2 for i in range(365)]

    found = allowed_by_day([53 * 310, *MONTHS[1:]], 2026, weights)

    assert found[:4] == [620, 620, 310, 310]
    assert sum(found[:31]) == 53 * 310
    assert sum(found[31:59]) == 280


def test_a_month_of_days_that_weigh_nothing_goes_evenly() -> None:
    assert allowed_by_day(MONTHS, 2026, [0] * 365)[:31] == [10] * 31


def test_a_bound_is_told_once_however_often_the_figure_moves_about_it() -> None:
    told: set[Mark] = set()
    news = []
    for used in (79, 81, 79, 81, 77, 82):
        new, over = crossed(Standing(used, 100, 1000), told, Bounds())
        told = (told | set(new)) - set(over)
        news.append((len(new), len(over)))

    assert news == [(0, 0), (1, 0), (0, 0), (0, 0), (0, 1), (1, 0)]


def test_a_jump_over_several_bounds_tells_each_of_them() -> None:
    new, _ = crossed(Standing(101, 100, 1000), set(), Bounds())

    assert new == [(Bound.PACE, 0.8), (Bound.PACE, 0.9), (Bound.PACE, 1.0)]


def test_what_cannot_be_foretold_today_takes_nothing_back() -> None:
    told = {(Bound.CHANCE, 0.8)}

    assert crossed(Standing(1, 100, 1000, None), told, Bounds()) == ([], [])
    assert crossed(Standing(1, 100, 1000, 0.6), told, Bounds()) == ([], [(Bound.CHANCE, 0.8)])


def test_the_quota_runs_out_on_the_day_that_goes_beyond_it() -> None:
    first = date(2026, 11, 20)

    assert runs_out(90, 100, [4, 4, 4], first) == date(2026, 11, 22)
    assert runs_out(90, 100, [4, 4, 2], first) is None
    assert runs_out(101, 100, [], first) == first


@given(
    st.lists(st.integers(0, 10**12), min_size=12, max_size=12), st.lists(st.integers(0, 9), min_size=365, max_size=365)
)
def test_the_days_of_a_year_sum_to_its_quota(months: list[int], weights: list[int]) -> None:
    assert sum(allowed_by_day(months, 2026, weights)) == sum(months)
