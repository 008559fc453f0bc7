"""How far back a change reaches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.hours import HOUR_MS
from energy.readings import LAST_MS
from gateway.ledger.reach import Depth, Reach, window_of

DAY_MS = 24 * HOUR_MS
# 2026, 2248, 2249 and the last week that an instant can lie in.
YEARS_MS = [1_770_000_000_000, (1 << 43) - 30 * DAY_MS, (1 << 43) + 30 * DAY_MS, LAST_MS - 7 * DAY_MS]


def reach_of(points: int, changed_ms: int) -> Reach:
    changed = np.full(points, changed_ms)
    return Reach(np.arange(points), int(window_of(changed, Depth.SOUND)[0]), changed, Depth.SOUND)


@pytest.mark.parametrize("at_ms", YEARS_MS)
def test_a_change_of_any_year_reaches_two_days_beyond_the_reading_before_it(at_ms: int) -> None:
    at_ms = at_ms // HOUR_MS * HOUR_MS
    reach = reach_of(2, at_ms)
    # One was read an hour before the change, the other a day before.
    each = [np.arange(reach.window_ms, until_ms, HOUR_MS) for until_ms in (at_ms, at_ms - 23 * HOUR_MS)]
    position = np.repeat(np.arange(2, dtype=np.int32), [len(own) for own in each])

    since, enough = reach.since(position, np.concatenate(each))

    assert (at_ms // HOUR_MS - since).tolist() == [48 + 1, 48 + 24]
    assert enough[0]


gaps = st.lists(st.integers(1, 3 * DAY_MS), max_size=40)


@given(st.lists(gaps, min_size=1, max_size=5), st.integers(0, 30 * DAY_MS), st.sampled_from(YEARS_MS))
def test_what_is_known_of_each_point_is_what_its_own_readings_tell(
    of_points: list[list[int]], after_ms: int, begin_ms: int
) -> None:
    told = [begin_ms - 400 * DAY_MS + np.cumsum([0, *own])[1:] for own in of_points]
    changed = np.full(len(told), begin_ms - 400 * DAY_MS + after_ms)
    reach = Reach(np.arange(len(told)), 0, changed, Depth.SOUND)
    position = np.repeat(np.arange(len(told), dtype=np.int32), [len(own) for own in told])

    since, enough = reach.since(position, np.concatenate(told))

    for own, hour, is_enough, changed_ms in zip(told, since, enough, changed, strict=True):
        before = own[own < changed_ms]
        assert hour == (min(before[-1] if len(before) else changed_ms, changed_ms) - 48 * HOUR_MS) // HOUR_MS
        assert is_enough == bool(np.any(own <= hour * HOUR_MS))
