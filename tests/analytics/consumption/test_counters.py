"""Counters: what is booked, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.consumption.counters import Verdict, steps
from analytics.consumption.limits import HOUR_MS
from energy.life import EventKind
from energy.series import MICRO
from tests.analytics.consumption.registers import (
    MINUTE_MS,
    QUARTER_MS,
    amounts,
    booked,
    changed,
    days_and_nights,
    disputed_hours,
    happened,
    life,
    micro,
    of_its_own,
    quarters,
    told,
    verdicts,
    without,
)

LIMITED = told()


def test_steps_of_a_sound_register_are_its_differences() -> None:
    found = steps(*quarters(100.0, 102.5, 102.5, 110.0), LIMITED)

    assert amounts(found) == [2.5, 0.0, 7.5]
    assert set(verdicts(found)) == {Verdict.MEASURED}


def test_readings_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of time"):
        steps(np.array([2, 1]), micro([1.0, 2.0]), LIMITED)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_readings_are_no_step(count: int) -> None:
    found = of_its_own(quarters(*[5.0] * count))

    assert len(found) == 0


# -- roll-over ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("modulus", "before", "after"), [(1_000_000.0, 999_998.5, 3.5), (2.0**32, 2.0**32 - 2, 3.0)])
def test_a_roll_over_of_the_declared_modulus_is_exact(modulus: float, before: float, after: float) -> None:
    found = steps(*quarters(before, after), LIMITED, round(modulus * MICRO))

    assert amounts(found) == [5.0]
    assert verdicts(found) == [Verdict.ROLLED_OVER]


@pytest.mark.parametrize(
    ("before", "after"),
    [(999_998.5, 3.5), (99_999.0, 4.0), (99_999_997.0, 2.0), (2.0**32 - 2, 3.0), (2.0**32 / 100 - 2, 3.0)],
    ids=["999,999", "99,999", "99,999,999", "2^32", "2^32 hundredths"],
)
def test_a_roll_over_that_nobody_declared_is_believed_from_a_full_register_to_near_its_zero(
    before: float, after: float
) -> None:
    found = steps(*quarters(before, after), LIMITED)

    assert amounts(found) == [5.0]
    assert verdicts(found) == [Verdict.ROLLED_OVER]


def test_an_undeclared_register_that_was_not_full_did_not_roll_over() -> None:
    """What would have flowed, 20,005 kWh over a year, is within the limit: an exchange is far more likely."""
    found = steps(*quarters(80_000.0, 5.0, every_ms=365 * 24 * HOUR_MS), LIMITED)

    assert verdicts(found) == [Verdict.DISPUTED]


def test_a_fall_that_the_modulus_does_not_explain_within_the_limit_is_disputed() -> None:
    found = steps(*quarters(500_000.0, 10.0), LIMITED, 1_000_000 * MICRO)

    assert amounts(found) == [0.0]
    assert verdicts(found) == [Verdict.DISPUTED]


def test_without_a_limit_no_fall_is_taken_for_a_roll_over() -> None:
    found = of_its_own(quarters(999_999.0, 1.0), modulus=1_000_000.0)

    assert verdicts(found) == [Verdict.DISPUTED]


def test_a_limit_that_was_learnt_is_enough_for_a_roll_over() -> None:
    """A week of a meter that nobody described, which passes 999,999 in its middle."""
    t_ms, register = days_and_nights(7, QUARTER_MS, first=999_700.0)
    found = of_its_own((t_ms, register % (1_000_000 * MICRO)))

    assert booked(found) == 7 * (10 * 10 + 14)
    assert verdicts(found).count(Verdict.ROLLED_OVER) == 1
    assert found.strayed_ms.tolist() == []


def test_zeros_shortly_before_a_roll_over_are_zeros_and_the_roll_over_is_one() -> None:
    """A full register that reads 0 and is back at where it was: 12 kWh would have been booked too much."""
    read = quarters(999_987.0, 999_988.0, 0.0, 0.0, 999_994.0, 999_998.0, 2.0, 6.0)
    found = steps(*read, LIMITED, 1_000_000 * MICRO)

    assert (found.strayed_ms // QUARTER_MS).tolist() == [2, 3]
    assert booked(found) == 19.0
    assert disputed_hours(found) == []


# -- exchange ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("initial", [0.0, 8000.0])
def test_an_exchange_with_its_event_is_exact_to_a_lower_and_to_a_higher_register(initial: float) -> None:
    read = quarters(5000.0, 5002.0, initial + 1.5, initial + 4.0)
    event = happened(EventKind.EXCHANGED, 1 / 3, final_register=5003.0, initial_register=initial)

    found = steps(*read, LIMITED, life=life(event))

    assert amounts(found) == [2.0, 1.0, 1.5, 2.5]
    assert set(verdicts(found)) == {Verdict.MEASURED}


@pytest.mark.parametrize("initial", [0.0, 8000.0])
def test_an_exchange_without_its_event_is_never_booked(initial: float) -> None:
    found = steps(*quarters(5000.0, 5002.0, initial, initial + 2.5), LIMITED)

    assert booked(found) == 2.0 + 2.5
    assert verdicts(found) == [Verdict.MEASURED, Verdict.DISPUTED, Verdict.MEASURED]


def test_two_exchanges_between_two_readings_are_exact_too() -> None:
    events = [
        happened(EventKind.EXCHANGED, 2 / 3, final_register=12.0, initial_register=5.0),
        happened(EventKind.EXCHANGED, 1 / 3, final_register=103.0, initial_register=10.0),
    ]
    found = steps(*quarters(100.0, 7.0, every_ms=HOUR_MS), LIMITED, life=life(*events))

    assert amounts(found) == [3.0, 2.0, 2.0]


@pytest.mark.parametrize("shown", [5003.0, 0.0], ids=["the old register", "the new one"])
def test_a_reading_at_the_very_instant_of_an_exchange_may_be_of_either_meter(shown: float) -> None:
    event = happened(EventKind.EXCHANGED, 0.5, final_register=5003.0, initial_register=0.0)

    found = steps(*quarters(5000.0, 5002.0, shown, 2.5), LIMITED, life=life(event))

    assert amounts(found) == [2.0, 1.0, 2.5]
    assert disputed_hours(found) == []


def test_an_exchange_whose_registers_nobody_wrote_down_is_disputed_where_it_happened() -> None:
    """The new register is 0.5 above the old one: without the event it would pass for what flowed."""
    found = steps(*quarters(100.0, 102.0, 102.5, 105.0), LIMITED, life=life(happened(EventKind.EXCHANGED, 1 / 3)))

    assert booked(found) == 2.0 + 2.5
    assert disputed_hours(found) == [(0.25, 0.5)]


def test_an_exchange_in_a_week_with_a_spike_and_zeros_is_disputed_all_the_same() -> None:
    """Nobody told of the exchange, to a register 4,000 above; the spike and the zeros do not make it likely."""
    read = days_and_nights(14, QUARTER_MS)
    for at, value, by in (([200], None, 1000.0), ([420, 421], 0.0, 0.0), ([900], None, 1000.0)):
        read = changed(read, at, value, by)
    found = of_its_own(changed(read, slice(700, None), by=4000.0))

    assert disputed_hours(found) == [(174.75, 175.0)]
    assert booked(found) == 14 * 114 - 0.25
    assert len(found.strayed_ms) == 4


# -- what else happens to a meter --------------------------------------------------------------------------------------


def test_what_a_faulty_meter_shows_is_disputed_from_before_to_after() -> None:
    read = quarters(100.0, 102.0, 103.0, 104.0, 108.0, 110.0)
    found = steps(*read, LIMITED, life=life(happened(EventKind.FAULTY, 0.5, until=0.9)))

    assert booked(found) == 2.0 + 2.0
    assert disputed_hours(found) == [(0.25, 1.0)]


def test_a_faulty_meter_is_disputed_only_between_the_registers_that_were_noted() -> None:
    event = happened(EventKind.FAULTY, 0.5, until=0.75, final_register=104.0, initial_register=200.0)
    found = steps(*quarters(100.0, 102.0, 103.0, 200.0, 202.0), LIMITED, life=life(event))

    assert amounts(found) == [2.0, 2.0, 0.0, 2.0]
    assert disputed_hours(found) == [(0.5, 0.75)]


def test_the_fault_of_one_counter_of_a_meter_leaves_the_others_alone() -> None:
    event = happened(EventKind.FAULTY, 0.5, until=0.9, quantity="reactive_energy_import")  # type: ignore[arg-type]
    other = happened(EventKind.MANUAL, 10.0, final_register=190.0)
    read = quarters(100.0, 102.0, 104.0, 106.0, 108.0)

    assert amounts(steps(*read, LIMITED, life=life(event, other)))[:4] == [2.0] * 4


def test_between_removal_and_installation_nothing_flowed_and_nothing_is_disputed() -> None:
    events = [
        happened(EventKind.REMOVED, 0.5, final_register=104.0),
        happened(EventKind.INSTALLED, 1.5, initial_register=7.0),
    ]
    read = np.array([0, 1, 7, 8], np.int64) * QUARTER_MS, micro([100.0, 102.0, 9.0, 11.0])
    found = steps(*read, LIMITED, life=life(*events))

    assert amounts(found) == [2.0, 2.0, 2.0, 2.0]
    assert found.end_ms[1] == 0.5 * HOUR_MS
    assert found.start_ms[2] == 1.5 * HOUR_MS
    assert disputed_hours(found) == []


def test_a_ratio_that_changes_at_a_reading_holds_from_it_on() -> None:
    event = happened(EventKind.RATIO_CHANGED, 0.5, ratio=2.0)

    found = steps(*quarters(100.0, 102.0, 104.0, 105.0, 106.0), LIMITED, life=life(event))

    assert amounts(found) == [2.0, 2.0, 2.0, 2.0]
    assert disputed_hours(found) == []


def test_a_ratio_that_changes_between_readings_divides_the_step_by_time() -> None:
    """In the quarter hour 3 were shown: 1 until a third of it and 2 from then on, which stand for 4."""
    event = happened(EventKind.RATIO_CHANGED, 1 / 3, ratio=2.0)

    found = steps(*quarters(100.0, 102.0, 105.0, 106.0), LIMITED, life=life(event))

    assert amounts(found) == [2.0, 1.0, 4.0, 2.0]


def test_a_ratio_that_changes_with_its_registers_is_exact() -> None:
    """The register was set anew with the ratio: 102.5 before, 50 after."""
    event = happened(EventKind.RATIO_CHANGED, 1 / 3, final_register=102.5, initial_register=50.0, ratio=2.0)

    found = steps(*quarters(100.0, 102.0, 51.0, 52.0), LIMITED, life=life(event))

    assert amounts(found) == [2.0, 0.5, 2.0, 2.0]
    assert disputed_hours(found) == []


def test_a_reading_by_hand_fills_an_outage_and_is_called_so() -> None:
    read = np.array([0, 1, 8, 9], np.int64) * HOUR_MS, micro([100.0, 110.0, 180.0, 190.0])
    found = steps(*read, LIMITED, life=life(happened(EventKind.MANUAL, 4.0, final_register=125.0)))

    assert amounts(found) == [10.0, 15.0, 55.0, 10.0]
    assert verdicts(found) == [Verdict.MEASURED, Verdict.MANUAL, Verdict.MANUAL, Verdict.MEASURED]


def test_where_the_meter_itself_was_read_a_reading_by_hand_does_not_count() -> None:
    found = steps(
        *quarters(100.0, 102.0, 104.0), LIMITED, life=life(happened(EventKind.MANUAL, 0.25, final_register=1.0))
    )

    assert amounts(found) == [2.0, 2.0]
    assert set(verdicts(found)) == {Verdict.MEASURED}


# -- read wrong --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spike", [[1104.0], [1104.0, 1106.0]], ids=["one reading", "two readings"])
def test_a_spike_does_not_count(spike: list[float]) -> None:
    found = steps(*quarters(100.0, 102.0, *spike, 106.0, 108.0), LIMITED)

    assert booked(found) == 8.0
    assert (found.strayed_ms // QUARTER_MS).tolist() == list(range(2, 2 + len(spike)))
    assert set(verdicts(found)) == {Verdict.MEASURED}


@pytest.mark.parametrize("every_ms", [MINUTE_MS, QUARTER_MS], ids=["1 min", "15 min"])
def test_a_register_that_reads_zero_for_half_an_hour_does_not_count(every_ms: int) -> None:
    read = days_and_nights(3, every_ms)
    noon, half = 36 * HOUR_MS // every_ms, HOUR_MS // 2 // every_ms
    found = of_its_own(changed(read, slice(noon, noon + half), 0.0))

    assert booked(found) == 3 * 114
    assert len(found.strayed_ms) == half
    assert set(verdicts(found)) == {Verdict.MEASURED}


def test_a_dip_to_a_wrong_number_does_not_count() -> None:
    found = steps(*quarters(1000.0, 1002.0, 873.0, 1006.0, 1008.0), LIMITED)

    assert booked(found) == 8.0
    assert (found.strayed_ms // QUARTER_MS).tolist() == [2]


def test_a_register_that_begins_anew_and_grows_is_no_excursion() -> None:
    found = steps(*quarters(100.0, 102.0, 0.0, 2.0, 4.0, 6.0), LIMITED)

    assert found.strayed_ms.tolist() == []
    assert booked(found) == 2.0 + 6.0
    assert verdicts(found).count(Verdict.DISPUTED) == 1


def test_a_foreign_register_that_stays_for_more_than_six_hours_is_disputed_both_ways() -> None:
    """From a quarter to three at night to half past ten: 5.25 kWh of the night and 25 of the day are not known."""
    read = days_and_nights(7, QUARTER_MS)
    found = of_its_own(changed(read, slice(300, 330), 50_000.0))

    assert disputed_hours(found) == [(74.75, 75.0), (82.25, 82.5)]
    assert booked(found) == 7 * 114 - 30.25


# -- stuck and silent --------------------------------------------------------------------------------------------------


def test_a_register_that_stood_still_by_day_and_then_tells_all_is_held_and_exact() -> None:
    """Stuck from nine to three, then 60 kWh within a quarter hour: booked over the time that it stood."""
    read = days_and_nights(3, QUARTER_MS)
    nine, three = 33 * 4, 39 * 4
    stuck = changed(read, slice(nine, three), read[1][nine] / MICRO)
    found = of_its_own(stuck)
    of = found.verdict == Verdict.HELD

    assert booked(found) == 3 * 114
    assert (found.start_ms[of] / HOUR_MS, found.end_ms[of] / HOUR_MS) == (33.0, 39.0)
    assert amounts(found)[int(np.flatnonzero(of)[0])] == 60.0


def test_a_night_in_which_nothing_flows_is_no_standstill() -> None:
    """From six in the evening to eight in the morning the register stands; then it goes on as it does by day."""
    t_ms, _ = days_and_nights(4, QUARTER_MS)
    hour = t_ms[:-1] // HOUR_MS % 24
    read = t_ms, micro(np.r_[1000.0, 1000.0 + np.cumsum(np.where((hour >= 8) & (hour < 18), 2.5, 0.0))])
    found = of_its_own(read)

    assert set(verdicts(found)) == {Verdict.MEASURED}
    assert booked(found) == 400.0


def test_the_total_over_an_outage_is_exact() -> None:
    t_ms = np.array([0, QUARTER_MS, QUARTER_MS + 6 * HOUR_MS], dtype=np.int64)

    assert amounts(steps(t_ms, micro([100.0, 102.0, 342.0]), LIMITED)) == [2.0, 240.0]


def test_a_rise_beyond_what_the_supply_can_carry_is_not_booked() -> None:
    found = steps(*quarters(100.0, 126.0, 128.0), LIMITED)

    assert verdicts(found) == [Verdict.DISPUTED, Verdict.MEASURED]
    assert amounts(found) == [0.0, 2.0]


def test_an_outage_of_twelve_days_is_booked_whole() -> None:
    read = days_and_nights(30, QUARTER_MS)
    found = of_its_own(without(read, slice(96 * 10, 96 * 22)))

    assert booked(found) == 30 * 114
    assert set(verdicts(found)) == {Verdict.MEASURED}


# -- whatever is read --------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2500), min_size=2, max_size=60), st.sampled_from([None, 10_000]), st.data())
def test_whatever_is_read_of_a_sound_meter_the_total_between_first_and_last_is_what_flowed(
    hundredths: list[int], modulus: int | None, data: st.DataObject
) -> None:
    """Any subset of the readings gives the same total, over any number of roll-overs that the spacing allows."""
    flowed = np.cumsum([0, *hundredths]) * (MICRO // 100)
    shown = (flowed + 9_900 * MICRO) % (modulus * MICRO) if modulus else flowed
    kept = sorted(
        data.draw(st.sets(st.integers(1, len(hundredths) - 1), max_size=len(hundredths))) | {0, len(hundredths)}
    )
    t_ms = np.array(kept, dtype=np.int64) * QUARTER_MS

    found = steps(t_ms, shown[kept], LIMITED, modulus * MICRO if modulus else None)

    assert found.strayed_ms.tolist() == []
    assert found.amount.sum() == flowed[-1]


@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=40), st.data())
def test_whatever_a_register_does_no_step_overlaps_another_and_none_is_below_zero(
    changes: list[int], data: st.DataObject
) -> None:
    register = np.maximum(np.cumsum([2000, *changes]), 0) * MICRO
    spacing = data.draw(st.lists(st.integers(1, 40), min_size=len(changes), max_size=len(changes)))
    t_ms = np.cumsum([0, *spacing]).astype(np.int64) * QUARTER_MS

    found = steps(t_ms, register, LIMITED)

    assert np.all(found.amount >= 0)
    assert np.all(found.start_ms < found.end_ms)
    assert np.all(found.start_ms[1:] == found.end_ms[:-1])
    assert np.all(found.amount <= 100 * MICRO * (found.end_ms - found.start_ms) / HOUR_MS + MICRO / 100)
