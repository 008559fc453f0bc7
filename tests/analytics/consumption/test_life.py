"""What the events of a meter say of one of its counters."""

from __future__ import annotations

import pytest

from analytics.consumption.life import Boundary, Life, life_of
from analytics.consumption.limits import HOUR_MS
from energy.life import EventKind, MeterEvent
from energy.series import MICRO
from tests.analytics.consumption.registers import ENERGY, happened, life

REACTIVE = "reactive_energy_import"


def test_a_meter_to_which_nothing_happened_has_no_life() -> None:
    assert not life()
    assert not life(MeterEvent("main", EventKind.CALIBRATED, 5), MeterEvent("main", EventKind.MOVED, 5, place="hall"))


def test_an_exchange_ends_one_register_and_begins_another() -> None:
    event = happened(EventKind.EXCHANGED, 1, final_register=5003.25, initial_register=0.5)

    assert life(event) == Life((Boundary(HOUR_MS, 5_003_250_000, 500_000),))


def test_events_count_in_the_order_of_time_however_they_were_entered() -> None:
    events = [happened(EventKind.EXCHANGED, hour) for hour in (3, 1, 2)]

    assert [b.at_ms // HOUR_MS for b in life(*events).boundaries] == [1, 2, 3]


def test_of_two_events_at_one_instant_the_later_told_one_stands() -> None:
    events = [happened(EventKind.EXCHANGED, 1), happened(EventKind.EXCHANGED, 1, final_register=2, initial_register=0)]

    assert life(*events).boundaries == (Boundary(HOUR_MS, 2 * MICRO, 0),)


def test_registers_of_an_event_are_those_of_the_counter_that_the_meter_is_read_for() -> None:
    """Its other counters know that the meter was exchanged, but not what they showed."""
    event = happened(EventKind.EXCHANGED, 1, final_register=5003.0, initial_register=0.0)

    assert life_of([event], REACTIVE, main=False).boundaries == (Boundary(HOUR_MS),)


def test_registers_of_a_named_counter_are_of_no_other() -> None:
    event = MeterEvent(
        "main", EventKind.EXCHANGED, HOUR_MS, quantity=REACTIVE, final_register=70.0, initial_register=0.0
    )

    assert life_of([event], REACTIVE, main=False).boundaries == (Boundary(HOUR_MS, 70 * MICRO, 0),)
    assert not life_of([event], ENERGY, main=True)


def test_the_events_of_an_exchange_for_two_counters_meet_in_each_of_them() -> None:
    both = [
        MeterEvent("main", EventKind.EXCHANGED, HOUR_MS, quantity=q, final_register=f, initial_register=0.0)
        for q, f in ((ENERGY, 500.0), (REACTIVE, 70.0))
    ]

    assert life_of(both, ENERGY, main=True).boundaries == (Boundary(HOUR_MS, 500 * MICRO, 0),)
    assert life_of(both, REACTIVE, main=False).boundaries == (Boundary(HOUR_MS, 70 * MICRO, 0),)


def test_a_ratio_changes_and_the_register_goes_on() -> None:
    assert life(happened(EventKind.RATIO_CHANGED, 1, ratio=1.5)).boundaries == (
        Boundary(HOUR_MS, ratio=1.5, continues=True),
    )


@pytest.mark.parametrize("kind", [EventKind.INSTALLED, EventKind.REMOVED])
def test_before_an_installation_and_after_a_removal_nothing_is_missing_that_flowed(kind: EventKind) -> None:
    assert [b.explained for b in life(happened(kind, 1)).boundaries] == [True]


def test_a_fault_is_a_time_that_does_not_count() -> None:
    found = life(happened(EventKind.FAULTY, 1, until=3, final_register=10.0, initial_register=20.0))

    assert found.faulty == ((HOUR_MS, 3 * HOUR_MS),)
    assert found.boundaries == (Boundary(HOUR_MS, 10 * MICRO), Boundary(3 * HOUR_MS, None, 20 * MICRO))


def test_a_reading_by_hand_is_of_the_counter_that_it_was_read_on() -> None:
    events = [happened(EventKind.MANUAL, 1, final_register=12.5)]

    assert life(*events).manual == ((HOUR_MS, 12_500_000),)
    assert not life_of(events, REACTIVE, main=False)
