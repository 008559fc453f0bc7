"""Sums that are kept in memory are those of the ledger, by hour or by day, after any revision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.stores import open_ledger, open_store
from energy.hours import Hours, Sums, first_hour
from gateway.ledger import curves as module
from gateway.ledger.curves import Curves
from gateway.ledger.periods import of_periods
from tests.adapters.test_ledger import EVER, hours

START = first_hour(500)
HALVES = st.integers(2 * START - 3, 2 * START + 2 * 24 * 4)
ROW = st.tuples(st.integers(0, 4), st.integers(START - 2, START + 24 * 4), st.integers(0, 10**9))
ROWS = st.lists(ROW, max_size=40, unique_by=lambda row: row[:2])
ASKED = st.tuples(st.lists(HALVES, min_size=2, max_size=6, unique=True), st.sets(st.integers(0, 4), min_size=1))


@pytest.mark.parametrize("many", [1, 400], ids=["kept and revised", "kept and read again"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(ROWS, st.lists(ASKED, max_size=3)), min_size=1, max_size=4))
async def test_periods_are_the_same_by_days_and_by_hours(
    many: int,
    steps: list[tuple[list[tuple[int, int, int]], list[tuple[list[int], set[int]]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MANY", many)
    async with open_store("memory:") as store:
        ledger = open_ledger(store)
        kept = Curves(ledger)
        for rows, asked in steps:
            made = hours(*rows) if rows else Hours.none()
            made = replace(made, cost=made.amount // 7, estimated=made.amount // 3)
            old = await ledger.hours(range(5), 0, EVER)
            stale = old.take(np.isin(old.key, made.key) | (old.point == 0))
            await kept.revise(stale, made)
            for halves, points in asked:
                edges, numbers = np.array(sorted(halves), np.int64), np.array(sorted(points), np.int64)
                plain = await ledger.curve(numbers, int(edges[0]) // 2, -(-int(edges[-1]) // 2))

                assert same(await kept.within(numbers, edges), plain, edges)


def same(one: Sums, other: Sums, edges: np.ndarray) -> bool:
    figures = [of_periods(sums, edges, 5) for sums in (one, other)]
    return all(
        np.array_equal(*(getattr(f, name) for f in figures))
        for name in ("amount", "estimated", "cost", "unpriced", "measured")
    )
