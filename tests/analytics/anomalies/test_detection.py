"""Each fault is told for what it is, and an hour is scored with what was known then."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.anomalies import rules
from analytics.anomalies.channels import usual_runs
from analytics.anomalies.detection import Event, events_of, reaches_back
from analytics.anomalies.events import Stretch, stretches
from analytics.anomalies.profiles import (
    BACK_DAYS,
    TRAILING_DAYS,
    Hourly,
    between,
    by_day,
    day_means,
    median,
    usual,
    usual_on,
)
from analytics.anomalies.replay import Replay, replay, thresholds
from energy.findings import FindingKind
from energy.working_days import Mask, Numbers

DAYS = 90
AT = 70 * 24


def office(seed: int = 1, days: int = DAYS) -> Hourly:
    """Two meters: 10 kWh each hour by night, 30 on weekdays from 8 to 18 h; the second is never touched."""
    hours = np.arange(days * 24)
    busy = (hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 18)
    noise = np.random.default_rng(seed).normal(0, 0.4, (2, len(hours)))
    return (np.where(busy, 30.0, 10.0) + noise).astype(np.float32)


def week(days: int = DAYS) -> Mask:
    return np.asarray(np.arange(days) % 7 < 5)


def found(use: Hourly, worked: Mask | None = None) -> list[Event]:
    worked = week() if worked is None else worked
    made = replay(use, worked)
    limits, runs = thresholds(made.score[:, :AT]), usual_runs(use[:, :AT])
    return events_of(use, made, worked, limits, runs, (AT, use.shape[1]))


def test_a_meter_that_does_as_it_always_does_is_left_alone() -> None:
    assert found(office()) == []


@pytest.mark.parametrize(
    ("hours", "change", "kind"),
    [
        (range(AT + 50, AT + 52), lambda use: use * 4, FindingKind.SPIKE),
        (range(AT + 34, AT + 38), lambda use: use * 0, FindingKind.DROP),
        (range(AT + 24, AT + 24 * 5), lambda use: use + 5, FindingKind.CONSTANT),
        (range(AT + 24, AT + 60), lambda use: use * 10, FindingKind.SCALE),
        (range(AT + 24, AT + 60), lambda use: use / 1000, FindingKind.SCALE),
        (range(AT + 24, AT + 60), lambda use: use * np.nan, FindingKind.MISSING),
        (range(AT + 24, AT + 60), lambda use: use * 0 + 12, FindingKind.STUCK),
        (range(AT + 24, AT + 26), lambda use: -use, FindingKind.NEGATIVE),
        (range(AT + 24, AT + 24 * 6), lambda use: use * 0.6, FindingKind.LOW),
    ],
)
def test_a_fault_is_told_for_what_it_is(hours: range, change: object, kind: FindingKind) -> None:
    use = office()
    at = slice(hours.start, hours.stop)
    use[0, at] = change(use[0, at])  # type: ignore[operator]

    events = found(use)

    assert {e.meter for e in events} == {0}
    assert events[0].kind is kind
    assert abs(events[0].start - hours.start) <= 12


def test_ten_times_next_to_nothing_is_no_wrong_factor() -> None:
    expected = np.tile(np.r_[np.full(12, 0.2), np.full(12, 30.0)], 4).astype(np.float32)
    more, less = expected.copy(), expected.copy()
    more[24:36] *= 10
    less[24:36] /= 10

    assert rules.wrong_scale(more, expected) == []
    assert rules.wrong_scale(less, expected) == []
    [(hours, power)] = rules.wrong_scale(expected * 10, expected)
    assert (hours.start, hours.end, power) == (0, 96, 10.0)


def test_plant_that_was_switched_on_with_the_season_before_has_no_wrong_factor() -> None:
    """Ten times the idle load: so it was on many days of the year before, so it is no factor of ten."""
    days = 400
    use = (np.random.default_rng(1).normal(2.0, 0.01, (1, days * 24))).astype(np.float32)
    use[:, : 40 * 24] *= 10
    at = Stretch(380 * 24 + 5, 380 * 24 + 30, 0.0)
    use[0, at.start : at.end] *= 10

    assert rules.was_so_before(use[0], at, more=True)
    use[:, : 40 * 24] /= 10
    assert not rules.was_so_before(use[0], at, more=True)


def test_heating_that_starts_as_it_did_a_year_before_is_no_finding() -> None:
    """A circulation pump that runs from a day of November on, this year five days sooner; a leak beside it is seen."""
    days = 420
    use = np.random.default_rng(1).normal(1.0, 0.02, (2, days * 24)).astype(np.float32)
    hours = np.arange(days * 24)
    runs = (hours < 100 * 24) & (hours >= 36 * 24) | (hours >= 395 * 24)
    use[0, runs] *= 20
    use[1, hours >= 395 * 24] *= 1.5
    worked = np.ones(days, np.bool_)
    made = replay(use, worked, first_day=370)
    events = events_of(use, made, worked, np.full(2, 1.9, np.float32), np.full(2, 5, np.float32), (380 * 24, days * 24))

    assert [(e.meter, e.kind) for e in events] == [(1, FindingKind.CONSTANT)]


def test_less_than_usual_on_a_public_holiday_is_no_finding() -> None:
    """Two days with 6 kWh an hour instead of 10 are told; of five days that nobody works it is what one expects."""
    weekend, holiday, closed = office(), office(), week()
    first = AT // 24 + 5
    weekend[0, first * 24 : (first + 2) * 24] *= 0.6
    closed[first : first + 5] = False
    less = weekend[:, first * 24 : (first + 2) * 24]
    holiday[:, first * 24 : (first + 5) * 24] = np.concatenate([less, less, less[:, :24]], axis=1)

    assert [e.kind for e in found(weekend)] == [FindingKind.LOW]
    assert found(holiday, closed) == []


def test_other_amounts_that_follow_each_other_are_not_one_that_is_stuck() -> None:
    """Twice 4 kWh, and then nothing for days, as is expected of it: the meter is not stuck since the 4 kWh."""
    use = np.r_[np.linspace(3, 9, 40), 4.0, 4.0, np.zeros(100)].astype(np.float32)

    assert rules.stuck(use, 3.0, np.zeros(len(use), np.float32)) == []
    [still] = rules.stuck(use, 3.0, np.full(len(use), 5.0, np.float32))
    assert (still.start, still.end) == (42, 142)


def test_a_few_steps_of_a_coarse_register_may_stay_the_same() -> None:
    """A standby load of 0.6 kWh an hour at a meter that counts by 0.2; one that counts by 0.01 would be stuck."""
    coarse = np.r_[np.tile([0.6, 0.8, 0.4], 20), np.full(30, 0.6)].astype(np.float32)
    fine = np.r_[np.tile([0.6, 0.61, 0.58], 20), np.full(30, 0.6)].astype(np.float32)

    assert rules.stuck(coarse, 3.0, coarse) == []
    assert [s.end - s.start for s in rules.stuck(fine, 3.0, fine)] == [30]


def test_nights_and_days_of_rest_are_told_apart() -> None:
    nights, rest = office(), office()
    hours = np.arange(DAYS * 24)
    nights[0, (hours >= AT) & (hours < AT + 24 * 5) & ((hours % 24 >= 22) | (hours % 24 < 6))] += 8
    # 70 days after a Monday is a Monday: the fifth and sixth day after it are of rest.
    rest[0, AT + 24 * 5 : AT + 24 * 7] = rest[0, AT + 24 * 3 : AT + 24 * 5]

    assert [e.kind for e in found(nights)] == [FindingKind.NIGHT]
    assert [e.kind for e in found(rest)] == [FindingKind.REST_DAY]


def test_a_weekend_day_that_is_worked_is_no_finding() -> None:
    use, worked = office(), week()
    saturday = AT // 24 + 5
    use[:, saturday * 24 : saturday * 24 + 24] = use[:, (saturday - 3) * 24 : (saturday - 2) * 24]
    worked[saturday] = True

    assert found(use, worked) == []


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31), st.integers(20, 88))
def test_no_score_knows_what_comes_after_it(seed: int, day: int) -> None:
    use = office(seed % 97)
    later = use.copy()
    later[:, day * 24 :] = np.random.default_rng(seed).uniform(-1e6, 1e6, later[:, day * 24 :].shape)

    before, changed = replay(use, week()), replay(later, week())

    np.testing.assert_array_equal(before.score[:, : day * 24], changed.score[:, : day * 24])


def test_what_all_meters_do_together_is_no_finding_of_one() -> None:
    use = np.concatenate([office(seed) for seed in range(6)])
    use[:, AT + 24 : AT + 48] *= 1.3

    assert found(use) == []


def test_a_meter_is_not_judged_in_its_first_days() -> None:
    use = office()
    use[0, : AT - 24] = np.nan
    made = replay(use, week())

    assert not np.isfinite(made.score[0, : AT + 24 * 8]).any()
    assert np.isfinite(made.score[0, AT + 24 * 10 :]).all()


def years(seed: int) -> Hourly:
    """Two offices over 465 days, with gaps and days of nothing; the second begins to be read after a while."""
    use = office(seed % 97, 465)
    random = np.random.default_rng(seed)
    for start in random.integers(0, use.shape[1] - 200, 12).tolist():
        use[seed % 2, start : start + int(random.integers(1, 200))] = random.choice([np.nan, 0.0])
    use[1, : int(random.integers(0, 300)) * 24] = np.nan
    return use


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 464))
def test_what_is_usual_on_a_day_is_the_same_however_much_of_it_is_asked_for(seed: int, day: int) -> None:
    cube, worked = by_day(years(seed)), week(465)

    own, of_worked = usual_on(cube, worked, day, day_means(cube))

    kinds = usual(cube, worked, day)
    asked = kinds[0 if worked[day] else 1]
    np.testing.assert_array_equal(own.expected, asked.expected)
    np.testing.assert_array_equal(own.spread, asked.spread)
    np.testing.assert_array_equal(own.days, kinds[0].days + kinds[1].days)
    assert (of_worked is None) == worked[day]
    if of_worked is not None:
        np.testing.assert_array_equal(of_worked, kinds[0].expected)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_days_that_nothing_stands_on_need_not_be_read(seed: int) -> None:
    use, worked, unread = years(seed), week(465), between(BACK_DAYS, 465)
    late = slice(unread.stop * 24, BACK_DAYS * 24)
    if seed % 3 == 0:
        use[0, unread.start * 24 + 50 :] = np.nan
    less = use.copy()
    less[:, unread.start * 24 : unread.stop * 24] = np.nan
    back = reaches_back(less[:, late])
    less[back] = use[back]
    limits, runs = np.full(2, 2.0, np.float32), np.full(2, 6.0, np.float32)
    hours = 465 * 24 - 31 * 24, 465 * 24 - 2

    def told(of: Hourly, since: Numbers | None) -> list[Event]:
        made = replay(of, worked, first_day=BACK_DAYS, usual_run=runs)
        return events_of(of, made, worked, limits, runs, hours, since)

    assert told(less, np.where(back, 0, unread.stop * 24)) == told(use, None)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_whoever_has_facts_is_looked_at(seed: int) -> None:
    random, use = np.random.default_rng(seed), office(seed % 97)
    expected, hours = office(1), (AT, use.shape[1] - 2)
    for _ in range(4):
        start, long = int(random.integers(AT - 200, DAYS * 24 - 1)), int(random.integers(1, 80))
        kind = int(random.integers(5))
        use[seed % 2, start : start + long] *= [np.nan, -1.0, 0.0, 10.0, 0.01][kind]
    made = Replay(expected, np.ones_like(expected), np.full_like(expected, np.nan), np.zeros(use.shape, np.int8))
    runs = np.full(2, 3.0, np.float32)

    events = events_of(use, made, week(), np.full(2, 2.0, np.float32), runs, hours)

    for i in range(2):
        facts = [
            *rules.missing(use[i], hours[1]),
            *rules.negative(use[i]),
            *rules.stuck(use[i], 3.0, expected[i], use[i, AT - TRAILING_DAYS * 24 :]),
            *(
                s
                for s, factor in rules.wrong_scale(use[i], expected[i])
                if not rules.was_so_before(use[i], s, more=factor > 1)
            ),
        ]
        assert [(e.start, e.end) for e in events if e.meter == i] == [(s.start, s.end) for s in facts if s.end > AT]


@given(st.lists(st.one_of(st.floats(-1e3, 1e3, width=32), st.just(float("nan"))), min_size=1, max_size=30))
def test_the_median_is_that_of_what_is_known(values: list[float]) -> None:
    given_ = np.array([values], np.float32)
    known = given_[np.isfinite(given_)]

    assert np.isnan(median(given_)[0]) if not len(known) else median(given_)[0] == np.float32(np.median(known))


def test_an_event_goes_on_over_short_pauses_and_ends_after_long_ones() -> None:
    score = np.zeros(200, np.float32)
    score[[10, 30, 100]] = 5.0

    assert [(s.start, s.end) for s in stretches(score, 3.0)] == [(10, 31), (100, 101)]


def test_hours_before_the_first_reading_are_not_missing() -> None:
    use = np.r_[np.full(50, np.nan), np.ones(10), np.full(8, np.nan), np.ones(4)].astype(np.float32)

    assert [(s.start, s.end) for s in rules.missing(use, len(use))] == [(60, 68)]
