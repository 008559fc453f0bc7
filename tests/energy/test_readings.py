"""A reading says whose it is, when it was taken and how far it can be trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.errors import UnknownName
from energy.readings import Point, Quality, ReadingColumns, Reason, from_ms, to_ms

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_stored_codes_never_change_their_meaning() -> None:
    assert [int(q) for q in (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)] == [0, 1, 2]
    assert [r.code for r in Reason] == list(range(len(Reason)))
    # By value, not by order in the class: these are in files.
    assert Reason.of(1) is Reason.NOT_A_NUMBER
    assert Reason.of(2) is Reason.SENTINEL
    assert Reason.of(3) is Reason.OUT_OF_RANGE
    assert Reason.of(5) is Reason.CLOCK_NOT_SET


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_comes_back_from_its_code(reason: Reason) -> None:
    assert Reason.of(reason.code) is reason


def test_a_point_is_written_meter_and_quantity() -> None:
    assert str(Point("main", "active_power")) == "main:active_power"
    assert Point.parse("main:active_power") == Point("main", "active_power")


@pytest.mark.parametrize("text", ["main", ":active_power", "", "main:"])
def test_a_point_that_lacks_a_part_is_refused(text: str) -> None:
    with pytest.raises(UnknownName):
        Point.parse(text)


def test_a_point_of_an_unknown_quantity_is_refused_with_a_hint() -> None:
    with pytest.raises(UnknownName, match="did you mean 'active_power'"):
        Point.parse("main:active_powr")


def test_the_same_instant_in_another_zone_is_the_same_millisecond() -> None:
    shanghai = timezone(timedelta(hours=8))

    assert to_ms(datetime(2026, 1, 1, 20, tzinfo=shanghai)) == to_ms(NOON) == 1_767_268_800_000


def test_a_naive_instant_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(ValueError, match=r"write it with an offset, such as 2026-01-01 00:00:00\+08:00"):
        to_ms(datetime(2026, 1, 1))


@pytest.mark.parametrize(("microsecond", "expected"), [(499, 0), (500, 0), (501, 1), (1500, 2), (2500, 2)])
def test_microseconds_are_rounded_half_to_even(microsecond: int, expected: int) -> None:
    assert to_ms(datetime(1970, 1, 1, 0, 0, 0, microsecond, tzinfo=UTC)) == expected


@given(st.integers(-(10**12), 253_402_300_799_999))
def test_milliseconds_come_back_as_they_were(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_chosen_rows_keep_their_columns_together() -> None:
    columns = ReadingColumns.of([Point("a", "frequency"), Point("b", "frequency")], [0, 1, 0], [1, 2, 3], [10, 20, 30])

    taken = columns.take(np.array([2, 1]))

    assert (taken.index.tolist(), taken.taken_at_ms.tolist(), taken.value.tolist()) == ([0, 1], [3, 2], [30, 20])
    assert taken.quality.tolist() == [0, 0]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="unequal length"):
        ReadingColumns.of([Point("a", "frequency")], [0, 0], [1], [1.0, 2.0])
