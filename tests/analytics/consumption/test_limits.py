"""The most that can flow: learnt from the meter itself, or told."""

from __future__ import annotations

import numpy as np

from analytics.consumption.limits import HOUR_MS, WEEK_MS, Limits
from energy.series import MICRO
from tests.analytics.consumption.registers import (
    MINUTE_MS,
    QUARTER_MS,
    Read,
    booked,
    changed,
    days_and_nights,
    disputed_hours,
    learnt,
    micro,
    of_its_own,
    quarters,
    told,
    without,
)


def per_h(limits: Limits, week: int = 0) -> float:
    return float(limits.per_ms[0, week]) * HOUR_MS / MICRO


def most(limits: Limits, hours: float, week: int = 0) -> float:
    took = np.array([round(hours * HOUR_MS)], np.int64)
    return float(limits.most(0, np.array([week]), took)[0]) / MICRO


def weeks(count: int, every_ms: int = QUARTER_MS) -> Read:
    """Whole weeks of limits: they begin at the epoch's own midnight."""
    return days_and_nights(7 * count, every_ms)


def test_ten_times_the_busiest_hours_is_the_limit() -> None:
    """Ten kWh an hour by day: a hundred can flow in an hour, and no spike of a thousand."""
    assert per_h(learnt(*weeks(1))) == 100.0


def test_a_meter_that_never_moved_has_no_limit() -> None:
    assert per_h(learnt(*quarters(*[5.0] * 400))) == np.inf
    assert of_its_own(quarters(5.0, 5.0, 5000.0)).amount.tolist() == [0, 4995 * MICRO]


def test_two_busy_hours_are_no_reason_for_a_higher_limit_and_the_third_is() -> None:
    def busy(hours: int) -> float:
        read = weeks(1)
        for i in range(hours):
            read = changed(read, slice(145 + 96 * i, None), by=17.5)  # twenty in a quarter hour at noon
        return per_h(learnt(*read))

    assert [busy(2), busy(3)] == [100.0, 800.0]


def test_spikes_three_times_a_week_do_not_raise_the_limit() -> None:
    read = weeks(2)
    for at in (50, 270, 500, 720, 950, 1200):
        read = changed(read, [at], by=1000.0)
    limits = learnt(*read)
    found = of_its_own(read)

    assert (per_h(limits, 0), per_h(limits, 1)) == (100.0, 100.0)
    assert len(found.strayed_ms) == 6
    assert booked(found) == 14 * 114


def test_zeros_three_times_a_week_do_not_raise_the_limit() -> None:
    read = weeks(2, MINUTE_MS)
    for day in (1, 3, 5, 8, 10, 12):
        begin = (day * 24 + 12) * 60
        read = changed(read, slice(begin, begin + 30), 0.0)
    found = of_its_own(read)

    assert len(found.strayed_ms) == 6 * 30
    assert booked(found) == 14 * 114


def test_a_week_has_the_limit_of_itself_and_the_week_before_and_of_no_other() -> None:
    """Ten times as much is used in the second of five weeks."""
    hour = np.arange(5 * 168)
    use = np.where((hour >= 168) & (hour < 336), 50.0, 5.0)
    read = np.arange(len(use) + 1, dtype=np.int64) * HOUR_MS, micro(np.r_[0.0, np.cumsum(use)])

    assert [per_h(learnt(*read), w) for w in range(5)] == [50.0, 500.0, 500.0, 50.0, 50.0]


def test_what_was_read_later_changes_no_limit_of_an_earlier_week() -> None:
    read = weeks(3)
    part = read[0] <= 2 * WEEK_MS
    first = learnt(read[0][part], read[1][part])
    whole = learnt(*changed(read, slice(1500, None), by=500.0))

    assert first.per_ms[0].tolist() == whole.per_ms[0, :2].tolist()


def test_a_short_time_can_be_ten_times_as_busy_as_ever_and_hours_on_end_twice() -> None:
    limits = learnt(*weeks(1))

    assert most(limits, 1) == 100.0 + 0.25
    assert most(limits, 8) == 10 * (8 + 2 * 8) + 0.25
    assert most(limits, 240) == 10 * (8 + 2 * 240) + 0.25


def test_over_a_long_outage_a_foreign_register_is_told_from_what_can_have_flowed() -> None:
    """Twelve days without readings: 1,368 kWh are booked, a meter that shows 20,000 more is not."""
    read = without(days_and_nights(30, QUARTER_MS), slice(96 * 10, 96 * 22))
    exchanged = changed(read, slice(96 * 10, None), by=20_000.0)

    assert booked(of_its_own(read)) == 30 * 114
    assert disputed_hours(of_its_own(exchanged)) == [(10 * 24 - 0.25, 22 * 24.0)]
    assert booked(of_its_own(exchanged)) == 30 * 114 - 12 * 114 - 0.25


def test_a_limit_that_was_told_holds_for_hours_on_end_and_wins_over_what_was_learnt() -> None:
    limits = told(per_h=40.0, resolution=0.01)

    assert most(limits, 1) == 40.01
    assert most(limits, 240) == 9600.01


def test_in_no_time_a_register_can_rise_by_its_smallest_step() -> None:
    """Tenths of a kWh, one each hour at night: read every minute it stands, and then rises by a tenth at once."""
    t_ms = np.arange(2 * 168 * 60, dtype=np.int64) * MINUTE_MS
    read = t_ms, micro(np.floor(t_ms / HOUR_MS) / 10)
    found = of_its_own(read)

    assert disputed_hours(found) == []
    assert booked(found) == read[1][-1] / MICRO
