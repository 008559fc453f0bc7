"""Counters: what is booked, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.consumption.counters import HOUR_MS, Exchange, Register, Steps, Verdict, limit_from_history, steps

MINUTE_MS = 60_000
# A meter behind a 100 kW supply, read every 15 minutes.
LIMITED = Register(limit_per_h=100.0, resolution=0.01)


def quarters(*totals: float, every_ms: int = 15 * MINUTE_MS) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(totals), dtype=np.int64) * every_ms, np.array(totals, dtype=np.float64)


def booked(found: Steps) -> float:
    return float(np.nansum(found.amount))


def test_steps_of_a_sound_register_are_its_differences() -> None:
    found = steps(*quarters(100.0, 102.5, 102.5, 110.0), LIMITED)

    assert found.amount.tolist() == [2.5, 0.0, 7.5]
    assert set(found.verdict) == {Verdict.MEASURED}


@pytest.mark.parametrize(("modulus", "before", "after"), [(1_000_000.0, 999_998.5, 3.5), (2.0**32, 2.0**32 - 2, 3.0)])
def test_a_roll_over_within_the_limit_is_exact(modulus: float, before: float, after: float) -> None:
    found = steps(*quarters(before, after), Register(limit_per_h=100.0, modulus=modulus))

    assert found.amount.tolist() == [5.0]
    assert found.verdict.tolist() == [Verdict.ROLLED_OVER]


def test_a_fall_that_the_modulus_does_not_explain_within_the_limit_is_disputed() -> None:
    found = steps(*quarters(500_000.0, 10.0), Register(limit_per_h=100.0, modulus=1_000_000.0))

    assert np.isnan(found.amount[0])
    assert found.verdict.tolist() == [Verdict.DISPUTED]


def test_without_a_limit_no_fall_is_taken_for_a_roll_over() -> None:
    found = steps(*quarters(999_999.0, 1.0), Register(modulus=1_000_000.0))

    assert found.verdict.tolist() == [Verdict.DISPUTED]


@pytest.mark.parametrize("initial", [0.0, 8000.0])
def test_an_exchange_with_its_event_is_exact_to_a_lower_and_to_a_higher_register(initial: float) -> None:
    t_ms, total = quarters(5000.0, 5002.0, initial + 1.5, initial + 4.0)
    event = Exchange(at_ms=20 * MINUTE_MS, final=5003.0, initial=initial)

    found = steps(t_ms, total, LIMITED, [event])

    assert booked(found) == 2.0 + 1.0 + 1.5 + 2.5
    assert Verdict.DISPUTED not in found.verdict


@pytest.mark.parametrize("initial", [0.0, 8000.0])
def test_an_exchange_without_its_event_is_never_booked(initial: float) -> None:
    found = steps(*quarters(5000.0, 5002.0, initial, initial + 2.5), LIMITED)

    assert booked(found) == 2.0 + 2.5
    assert found.verdict.tolist() == [Verdict.MEASURED, Verdict.DISPUTED, Verdict.MEASURED]


def test_two_exchanges_between_two_readings_are_exact_too() -> None:
    t_ms, total = quarters(100.0, 7.0, every_ms=HOUR_MS)
    events = [Exchange(40 * MINUTE_MS, 12.0, 5.0), Exchange(20 * MINUTE_MS, 103.0, 10.0)]

    found = steps(t_ms, total, LIMITED, events)

    assert found.amount.tolist() == [3.0, 2.0, 2.0]


def test_a_single_spike_does_not_count() -> None:
    found = steps(*quarters(100.0, 102.0, 1104.0, 106.0, 108.0), LIMITED)

    assert booked(found) == 8.0
    assert found.strayed.tolist() == [2]
    assert set(found.verdict) == {Verdict.MEASURED}


def test_a_register_that_reads_zero_for_half_an_hour_does_not_count() -> None:
    found = steps(*quarters(100.0, 102.0, 0.0, 0.0, 108.0, 110.0), LIMITED)

    assert booked(found) == 10.0
    assert found.strayed.tolist() == [2, 3]


def test_a_register_that_begins_anew_and_grows_is_no_excursion() -> None:
    found = steps(*quarters(100.0, 102.0, 0.0, 2.0, 4.0, 6.0), LIMITED)

    assert found.strayed.tolist() == []
    assert booked(found) == 2.0 + 6.0
    assert found.verdict.tolist().count(Verdict.DISPUTED) == 1


def test_the_total_over_an_outage_is_exact() -> None:
    t_ms = np.array([0, 15 * MINUTE_MS, 15 * MINUTE_MS + 6 * HOUR_MS], dtype=np.int64)
    found = steps(t_ms, np.array([100.0, 102.0, 342.0]), LIMITED)

    assert found.amount.tolist() == [2.0, 240.0]


def test_a_rise_beyond_what_the_supply_can_carry_is_not_booked() -> None:
    found = steps(*quarters(100.0, 126.0, 128.0), LIMITED)

    assert found.verdict.tolist() == [Verdict.DISPUTED, Verdict.MEASURED]


def test_a_limit_learnt_from_the_meter_itself_tells_a_spike_from_its_busiest_hour() -> None:
    """Ten kWh an hour by day, one by night, eighty in the busiest quarter; a spike of a thousand within a quarter."""
    per_quarter = np.where(np.arange(400) % 96 < 40, 2.5, 0.25)
    per_quarter[30] = 20.0
    t_ms, total = quarters(*np.cumsum([0.0, *per_quarter]))
    total[200] += 1000.0

    limit = limit_from_history(t_ms, total)
    found = steps(t_ms, total, Register(limit_per_h=limit))

    assert found.strayed.tolist() == [200]
    assert booked(found) == pytest.approx(per_quarter.sum())


def test_a_meter_that_never_moved_has_no_limit() -> None:
    assert limit_from_history(*quarters(5.0, 5.0, 5.0)) == np.inf


def test_readings_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of time"):
        steps(np.array([2, 1]), np.array([1.0, 2.0]), LIMITED)


@given(st.lists(st.integers(0, 2500), min_size=2, max_size=60), st.sampled_from([None, 10_000.0]), st.data())
def test_whatever_is_read_of_a_sound_meter_the_total_between_first_and_last_is_what_flowed(
    hundredths: list[int], modulus: float | None, data: st.DataObject
) -> None:
    """Any subset of the readings gives the same total, over any number of roll-overs that the spacing allows."""
    flowed = np.cumsum([0, *hundredths]) / 100
    shown = np.mod(flowed + 9_900.0, modulus) if modulus else flowed
    kept = sorted(
        data.draw(st.sets(st.integers(1, len(hundredths) - 1), max_size=len(hundredths))) | {0, len(hundredths)}
    )
    t_ms = np.array(kept, dtype=np.int64) * 15 * MINUTE_MS

    found = steps(t_ms, shown[kept], Register(limit_per_h=100.0, modulus=modulus, resolution=0.01))

    assert found.strayed.tolist() == []
    assert booked(found) == pytest.approx(flowed[-1], abs=1e-6)
