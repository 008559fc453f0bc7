"""Limits: as many points as there are, each as if it were alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.limits import Crossings, LimitStates

MINUTE = 60_000


def states(
    n: int = 1, *, beyond: float = 10.0, back: float = 8.0, for_min: int = 0, below: bool = False, gap_min: int = 5
) -> LimitStates:
    whole = np.full(n, for_min * MINUTE), np.full(n, gap_min * MINUTE)
    return LimitStates(np.full(n, beyond), np.full(n, back), np.full(n, below), *whole)


def fed(of: LimitStates, *rows: tuple[int, float], slot: int = 0, counts: bool = True) -> list[tuple[str, int]]:
    """What readings do one by one: (minute, value)."""
    found = []
    for minute, value in rows:
        raised, over = of.take(np.array([slot]), np.array([minute * MINUTE]), np.array([value]), np.array([counts]))
        found += [("raised", int(t) // MINUTE) for t in raised.at_ms] + [("over", int(t) // MINUTE) for t in over.at_ms]
    return found


def test_it_rings_when_it_has_lasted_and_is_over_below_the_other_limit() -> None:
    rows = [(0, 9.0), (1, 11.0), (2, 12.0), (3, 11.0), (4, 9.0), (5, 8.0), (6, 11.0)]

    assert fed(states(for_min=2), *rows) == [("raised", 3), ("over", 5)]


def test_one_reading_within_the_limit_begins_the_time_anew() -> None:
    assert fed(states(for_min=2), (0, 11.0), (1, 11.0), (2, 10.0), (3, 11.0), (4, 11.0), (5, 11.0)) == [("raised", 5)]


def test_readings_that_are_far_apart_tell_nothing_of_the_time_between() -> None:
    assert fed(states(for_min=2), (0, 11.0), (10, 11.0), (11, 11.0), (12, 11.0)) == [("raised", 12)]


def test_what_falls_below_a_limit_rings_too() -> None:
    low = states(beyond=5.0, back=6.0, below=True)

    assert fed(low, (0, 5.0), (1, 4.0), (2, 5.5), (3, 6.0)) == [("raised", 1), ("over", 3)]


def test_when_the_hours_end_it_is_over() -> None:
    of = states()
    assert fed(of, (0, 11.0)) == [("raised", 0)]

    assert fed(of, (1, 11.0), counts=False) == [("over", 1)]


def test_late_and_missing_values_say_nothing() -> None:
    assert fed(states(), (5, 9.0), (4, 11.0), (6, float("nan"))) == []


Row = tuple[int, int, float]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.sampled_from([7.0, 9.0, 11.0])), max_size=60),
    st.integers(1, 60),
)
def test_a_batch_does_what_its_readings_do_one_by_one_in_the_order_of_time(rows: list[Row], size: int) -> None:
    # A reading that is older than one of an earlier batch says nothing in either way.
    rows.sort(key=lambda row: row[1])
    rows = list({(slot, minute): (slot, minute, value) for slot, minute, value in rows}.values())
    together, alone = states(4, for_min=2), states(4, for_min=2)
    found: set[tuple[str, int, int]] = set()
    for i in range(0, len(rows), size):
        part = rows[i : i + size]
        slot, minute, value = (np.array(column) for column in zip(*part, strict=True))
        raised, over = together.take(slot, minute * MINUTE, value, np.ones(len(part), np.bool_))
        found |= _named("raised", raised) | _named("over", over)
    expected = {(what, s, m) for s, minute, v in rows for what, m in fed(alone, (minute, v), slot=s)}

    assert found == expected
    assert together.raised.tolist() == alone.raised.tolist()


def _named(what: str, crossings: Crossings) -> set[tuple[str, int, int]]:
    return {(what, int(s), int(t) // MINUTE) for s, t in zip(crossings.slot, crossings.at_ms, strict=True)}
