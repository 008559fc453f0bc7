"""When meters are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.schedule import Patience, next_tick
from energy.readings import EPOCH

instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(instants, st.sampled_from([0.5, 1, 5, 10, 60, 900, 3600]))
def test_ticks_are_aligned_to_the_clock_and_always_ahead(now: datetime, interval_s: float) -> None:
    tick = next_tick(now, interval_s)

    assert timedelta(0) < tick - now <= timedelta(seconds=interval_s)
    assert (tick - EPOCH) % timedelta(seconds=interval_s) == timedelta(0)


def test_a_silent_meter_is_left_alone_for_longer_and_longer_but_never_given_up() -> None:
    patience = Patience(interval_s=5.0)
    pauses = []
    for _ in range(12):
        patience.failed()
        pauses.append(patience.pause_s())

    assert pauses[0] == 0.0
    assert 7.5 <= pauses[1] <= 10.0
    assert all(45.0 <= pause <= 60.0 for pause in pauses[6:])

    patience.answered()
    assert patience.pause_s() == 0.0
