"""Ranges of sequences are sets of whole numbers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.sequences import Sequences

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1])), max_size=20)


def numbers(ranges: list[tuple[int, int]]) -> set[int]:
    return {n for first, last in ranges for n in range(first, last + 1)}


@given(RANGES)
def test_ranges_hold_what_was_added_and_do_not_touch(added: list[tuple[int, int]]) -> None:
    found = Sequences(added).ranges

    assert numbers(found) == numbers(added)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(found))


@given(RANGES, st.integers(1, 70), st.integers(1, 70))
def test_what_is_missing_is_all_that_is_not_there(added: list[tuple[int, int]], first: int, last: int) -> None:
    missing = Sequences(added).missing(first, last)

    assert numbers(missing) == set(range(first, last + 1)) - numbers(added)
    assert missing == sorted(missing)


def test_nothing_is_missing_of_nothing() -> None:
    assert (Sequences().missing(), Sequences().highest, len(Sequences())) == ([], 0, 0)
    assert Sequences([(3, 5)]).missing() == [(1, 2)]
