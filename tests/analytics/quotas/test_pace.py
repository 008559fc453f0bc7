"""Where a year stands, and what is told once."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from analytics.quotas.pace import Bound, Bounds, Mark, Standing, allowed_until, crossed, runs_out

MONTHS = [310, 280, 310, 300, 310, 300, 310, 310, 300, 310, 300, 310]


def test_what_is_allowed_so_far_is_whole_months_and_days_of_this_one() -> None:
    # January and February, and ten of the 31 days of March.
    assert allowed_until(MONTHS, 2026, date(2026, 3, 11)) == 310 + 280 + 100
    assert allowed_until(MONTHS, 2026, date(2026, 1, 1)) == 0
    assert allowed_until(MONTHS, 2026, date(2027, 1, 1)) == sum(MONTHS)


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


@given(st.lists(st.integers(0, 10**12), min_size=12, max_size=12), st.dates(date(2026, 1, 1), date(2026, 12, 30)))
def test_more_is_never_allowed_the_day_before(months: list[int], day: date) -> None:
    following = date.fromordinal(day.toordinal() + 1)

    assert allowed_until(months, 2026, day) <= allowed_until(months, 2026, following) <= sum(months)
