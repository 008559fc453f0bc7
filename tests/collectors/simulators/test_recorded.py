"""Recorded hourly consumption, played."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.simulators.course import HOUR_MS, Course
from collectors.simulators.fleet import Fleet
from collectors.simulators.recorded import Recording, recorded_course
from energy.quantities import Medium
from energy.readings import to_ms
from energy.sites import Meter, Site, Text

_START = to_ms(datetime(2026, 1, 1, tzinfo=UTC))


def played(per_hour: Sequence[float], **options: float) -> Course:
    return recorded_course(_START + HOUR_MS * np.arange(len(per_hour)), np.array(per_hour), **options)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1e4) | st.just(float("nan")), min_size=1, max_size=48))
def test_the_counter_grows_over_each_hour_by_what_was_recorded(per_hour: list[float]) -> None:
    course = played(per_hour, register=500.0)
    borders = _START + HOUR_MS * np.arange(len(per_hour) + 1)

    np.testing.assert_allclose(np.diff(course.total(borders)), np.nan_to_num(per_hour), rtol=1e-9, atol=1e-7)
    assert course.total(borders)[0] == 500


def test_hours_that_are_not_recorded_play_as_no_consumption() -> None:
    course = recorded_course(_START + HOUR_MS * np.array([0, 3]), np.array([5.0, 7.0]))

    assert course.total(_START + HOUR_MS * np.array([1, 2, 3, 4])).tolist() == [5, 5, 5, 12]


def test_a_negative_consumption_and_broken_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="hour 1 has a negative consumption"):
        played([1.0, -1.0])
    with pytest.raises(ValueError, match="whole hours apart"):
        recorded_course(np.array([0, 1_800_000]), np.array([1.0, 1.0]))


def test_a_fleet_plays_a_recording() -> None:
    meter = Meter("m", Text("表", "meter"), Medium.ELECTRICITY, profile="schneider/iem3155")
    site = Site("s", Text("站", "site"), "Asia/Shanghai", meters=(meter,))
    fleet = Fleet(site, Recording({"m": played([5.0, 7.0], register=100.0)}), now=lambda: datetime.now(UTC))

    totals = fleet.history("m", "active_energy_import", _START + HOUR_MS * np.array([0, 1, 2, 9]))

    assert totals.tolist() == [100, 105, 112, 112]
