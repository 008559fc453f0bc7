"""Half hours: what flowed in each, and how we know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.consumption.counters import Steps, Verdict, steps
from analytics.consumption.limits import HOUR_MS
from analytics.consumption.spread import GAP_MS, HALF_MS, HalfHours, ManySteps, half_hours
from energy.life import EventKind
from energy.series import MICRO
from tests.analytics.consumption.registers import MONDAY_MS, at_hours, happened, life, micro, told

DAY = 48


def many(*of_points: Steps) -> ManySteps:
    """The steps of several points together."""
    point = np.repeat(np.arange(len(of_points)), [len(s) for s in of_points])
    names = ("start_ms", "end_ms", "amount", "verdict")
    return ManySteps(len(of_points), point, *(np.concatenate([getattr(s, n) for s in of_points]) for n in names))


def spread(found: Steps, halves: int, first: int = 0) -> HalfHours:
    return half_hours(many(found), first, halves)


def read(pairs: dict[float, float]) -> Steps:
    """Steps of a register as {hour: total}."""
    return steps(*at_hours(pairs), told())


def kwh(grid: np.ndarray) -> list[float]:
    return [a / MICRO for a in grid[0].tolist()]


def shares(found: HalfHours) -> list[tuple[float, ...]]:
    """Measured, estimated, manual and disputed, of each half hour."""
    columns = (found.measured_ms, found.estimated_ms, found.manual_ms, found.disputed_ms)
    return [tuple(float(c[0, i]) / HALF_MS for c in columns) for i in range(found.amount.shape[1])]


def test_quarters_add_up_to_their_half_hour() -> None:
    found = spread(read({0: 0, 0.25: 1, 0.5: 3, 0.75: 6, 1: 10}), 2)

    assert kwh(found.amount) == [3.0, 7.0]
    assert shares(found) == [(1, 0, 0, 0)] * 2


def test_a_step_across_the_edge_is_shared_by_time() -> None:
    found = spread(read({0: 0, 0.25: 2, 0.75: 6, 1: 8}), 2)

    assert kwh(found.amount) == [4.0, 4.0]
    assert shares(found) == [(1, 0, 0, 0)] * 2


def test_a_step_of_an_hour_is_measured_and_a_longer_one_is_a_gap() -> None:
    found = spread(read({0: 0, 1: 4, 2.5: 10}), 5)

    assert shares(found) == [(1, 0, 0, 0)] * 2 + [(0, 1, 0, 0)] * 3
    assert kwh(found.amount) == [2.0] * 5
    assert kwh(found.estimated) == [0.0, 0.0, 2.0, 2.0, 2.0]


def test_a_six_hour_outage_keeps_its_total_and_says_that_its_spread_is_an_estimate() -> None:
    found = spread(read({0: 0, 1: 10, 7: 130, 8: 140}), 16)

    assert found.amount.sum() == 140 * MICRO
    assert kwh(found.amount) == [5.0] * 2 + [10.0] * 12 + [5.0] * 2
    assert kwh(found.estimated) == [0.0] * 2 + [10.0] * 12 + [0.0] * 2
    assert shares(found)[3] == (0, 1, 0, 0)


def test_a_half_hour_without_a_reading_before_or_after_is_missing_and_not_zero() -> None:
    found = spread(read({0.5: 5, 0.75: 7, 1: 9}), 3)

    assert kwh(found.amount) == [0.0, 4.0, 0.0]
    assert shares(found) == [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0)]


def test_a_disputed_step_is_not_booked_and_its_time_is_called_so() -> None:
    found = spread(read({0: 100, 0.25: 105, 0.75: 5000, 1: 5010}), 2)

    assert kwh(found.amount) == [5.0, 10.0]
    assert shares(found) == [(0.5, 0, 0, 0.5)] * 2


def test_what_was_read_by_hand_is_called_so_and_is_no_estimate() -> None:
    register = at_hours({0: 100, 1: 110, 9: 190, 10: 200})
    found = spread(steps(*register, told(), life=life(happened(EventKind.MANUAL, 5, final_register=150.0))), 20)

    assert shares(found) == [(1, 0, 0, 0)] * 2 + [(0, 0, 1, 0)] * 16 + [(1, 0, 0, 0)] * 2
    assert found.amount.sum() == 100 * MICRO
    assert found.estimated.sum() == 0


def test_what_lies_outside_is_cut_off() -> None:
    whole = read({0: 0, 0.25: 1, 0.75: 3, 1.25: 5, 1.5: 6})
    found = spread(whole, 1, first=1)

    assert kwh(found.amount) == [2.0]


def test_a_gap_from_before_the_first_half_hour_is_cut_by_time() -> None:
    found = spread(read({0: 0, 4: 8}), 4, first=4)

    assert kwh(found.amount) == [1.0] * 4
    assert shares(found) == [(0, 1, 0, 0)] * 4


def test_points_do_not_mix() -> None:
    one, other = read({0: 0, 0.5: 1, 1: 2}), read({0: 0, 0.25: 10, 0.75: 30, 1: 40})
    found = half_hours(many(one, other), 0, 2)

    assert found.amount.tolist() == [[1 * MICRO] * 2, [20 * MICRO] * 2]


# -- the spread over gaps ----------------------------------------------------------------------------------------------


def house(days: int) -> np.ndarray:
    """(48 days,) half hours from Monday midnight on: by day 5 a half hour on workdays, 2 on others; by night 0.5."""
    slot = np.arange(days * DAY)
    by_day = (slot % DAY >= 16) & (slot % DAY < 36)
    free = slot // DAY % 7 >= 5
    return np.where(by_day, np.where(free, 2.0, 5.0), 0.5)


def with_gap(use: np.ndarray, begin: int, end: int) -> HalfHours:
    """Read every half hour from Monday midnight on, but for [begin, end)."""
    t_ms = MONDAY_MS + np.arange(len(use) + 1, dtype=np.int64) * HALF_MS
    register = micro(np.r_[0.0, np.cumsum(use)])
    keep = np.ones(len(t_ms), bool)
    keep[begin + 1 : end] = False
    found = steps(t_ms[keep], register[keep], told())
    return spread(found, len(use), MONDAY_MS // HALF_MS)


@pytest.mark.parametrize("day", [10, 12], ids=["Thursday", "Saturday"])
def test_a_day_without_readings_is_spread_as_the_days_of_its_kind_were(day: int) -> None:
    use = house(14)
    found = with_gap(use, day * DAY, (day + 1) * DAY)

    assert (
        found.amount[0, day * DAY : (day + 1) * DAY].tolist() == micro(use[:DAY] if day == 10 else use[-DAY:]).tolist()
    )
    assert found.estimated.sum() == found.amount[0, day * DAY : (day + 1) * DAY].sum()


def test_a_gap_over_a_friday_and_a_saturday_has_both_kinds_of_day() -> None:
    use = house(14)
    found = with_gap(use, 11 * DAY, 13 * DAY)

    assert found.amount[0].tolist() == micro(use).tolist()


def test_before_any_weekend_was_seen_a_weekend_is_like_the_days_before() -> None:
    found = with_gap(house(6), 5 * DAY, 6 * DAY)
    saturday = found.amount[0, 5 * DAY :]

    assert saturday.sum() == micro([20 * 2.0 + 28 * 0.5])[0]
    assert saturday[20] / saturday[0] == pytest.approx(5.0 / 0.5, abs=1e-3)


def test_where_nothing_is_known_of_the_time_before_a_gap_is_spread_evenly() -> None:
    found = with_gap(house(3), 0, 2 * DAY)

    assert set(found.amount[0, : 2 * DAY].tolist()) == {round((20 * 5.0 + 28 * 0.5) / DAY * MICRO)}


def test_a_gap_in_hours_that_are_never_used_is_spread_evenly() -> None:
    use = np.zeros(4 * DAY)
    use[-DAY:] = 1.0
    found = with_gap(use, 3 * DAY, 4 * DAY)

    assert kwh(found.amount)[-DAY:] == [1.0] * DAY


def test_what_comes_after_a_gap_does_not_change_its_spread() -> None:
    """A month that is asked for again later has the same hours."""
    use = house(14)
    later = use.copy()
    later[11 * DAY :] = 7.0

    one, other = with_gap(use, 9 * DAY, 10 * DAY), with_gap(later, 9 * DAY, 10 * DAY)

    assert one.amount[0, : 11 * DAY].tolist() == other.amount[0, : 11 * DAY].tolist()


# -- sums --------------------------------------------------------------------------------------------------------------

SPACING_MS = st.one_of(st.integers(1, 40 * 60_000), st.integers(GAP_MS + 1, 40 * HOUR_MS))


@given(
    st.lists(
        st.tuples(
            SPACING_MS, st.integers(0, 10**12), st.sampled_from([Verdict.MEASURED, Verdict.HELD, Verdict.MANUAL])
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, HALF_MS),
)
def test_the_half_hours_of_steps_add_up_to_them_exactly_however_they_lie(
    drawn: list[tuple[int, int, Verdict]], begin_ms: int
) -> None:
    edges = begin_ms + np.cumsum([0, *(spacing for spacing, _, _ in drawn)], dtype=np.int64)
    amount = np.array([a for _, a, _ in drawn], np.int64)
    found = Steps(edges[:-1], edges[1:], amount, np.array([v for _, _, v in drawn], np.uint8))

    halves = spread(found, int(edges[-1] // HALF_MS) + 1)

    assert halves.amount.sum() == amount.sum()
    assert np.all(halves.amount >= 0)
    assert np.all((halves.estimated >= 0) & (halves.estimated <= halves.amount))
    time = halves.measured_ms + halves.estimated_ms + halves.manual_ms + halves.disputed_ms
    assert time.sum() == edges[-1] - edges[0]
    assert time.max() <= HALF_MS


@given(SPACING_MS, st.integers(0, 2**62), st.integers(0, HALF_MS - 1))
def test_the_half_hours_of_one_step_of_any_size_add_up_to_it(took_ms: int, amount: int, begin_ms: int) -> None:
    step = Steps(np.array([begin_ms]), np.array([begin_ms + took_ms]), np.array([amount]), np.zeros(1, np.uint8))

    halves = spread(step, (begin_ms + took_ms) // HALF_MS + 1)

    assert int(halves.amount.sum()) == amount
    assert np.all(halves.amount >= 0)


@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_a_half_hour_is_the_same_however_much_is_looked_at_around_it(
    count: int, wider: int, data: st.DataObject
) -> None:
    """What a window shows of steps without gaps is what the whole shows."""
    quarters = data.draw(st.lists(st.integers(0, 10**9), min_size=80, max_size=80))
    edges = np.arange(81, dtype=np.int64) * (HALF_MS // 3)
    found = Steps(edges[:-1], edges[1:], np.array(quarters, np.int64), np.zeros(80, np.uint8))

    whole, part = spread(found, 60), spread(found, min(count, 60 - wider), first=wider)

    assert part.amount[0].tolist() == whole.amount[0, wider : wider + part.amount.shape[1]].tolist()
