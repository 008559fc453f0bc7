"""The days of the ledger are the sums of its hours, whatever happened to these."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy.errors import StoreError
from energy.hours import HOUR_MS, UNPRICED, Hours, Sums, by_day, first_hour
from energy.ports import Ledger
from tests.adapters.ledgers import Opened, opened_at
from tests.adapters.test_ledger import EVER, NONE, hours

# Three days, and an hour on either side.
LOW, HIGH = first_hour(100) - 1, first_hour(103) + 1
ROW = st.tuples(
    st.integers(0, 3),
    st.integers(LOW, HIGH),
    st.integers(-(10**12), 10**12),
    st.one_of(st.just(UNPRICED), st.integers(0, 10**12)),
)
Revision = tuple[list[tuple[int, int, int, int]], bool]
# What a revision writes, a row for each point and hour, and whether order is made behind it.
REVISION = st.tuples(st.lists(ROW, max_size=30, unique_by=lambda row: row[:2]), st.booleans())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REVISION, max_size=6), st.sets(st.integers(0, 4)), st.integers(LOW, HIGH), st.integers(LOW, HIGH))
async def test_days_and_totals_are_the_sums_of_the_hours_after_any_revisions(
    opened: Opened, revisions: list[Revision], points: set[int], low: int, high: int
) -> None:
    async with opened() as (ledger, _):
        left = await ledger.hours(range(4), 0, EVER)
        await ledger.revise((left.point, left.hour), Hours.none())
        for rows, maintained in revisions:
            await _revise(ledger, rows)
            if maintained:
                await ledger.maintain((HIGH - 10) * HOUR_MS)
        there = await ledger.hours(range(4), 0, EVER)
        wanted = sorted(points)

        assert_same(await ledger.days(wanted, 99, 104), _days(there, wanted))
        within = there.take((there.hour >= low) & (there.hour < high) & np.isin(there.point, wanted))
        totals = await ledger.totals(wanted, low, high)
        assert totals.of.tolist() == np.unique(within.point).tolist()
        assert totals.amount.tolist() == [int(within.amount[within.point == p].sum()) for p in totals.of]
        assert totals.rows.tolist() == [int((within.point == p).sum()) for p in totals.of]


async def _revise(ledger: Ledger, rows: list[tuple[int, int, int, int]]) -> None:
    """In place of all that was there of the first point, and of what is written."""
    made = hours(*(row[:3] for row in rows)) if rows else Hours.none()
    made = replace(made, cost=np.array([row[3] for row in rows], np.int64))
    old = await ledger.hours(range(4), 0, EVER)
    gone = old.take((old.point == 0) | np.isin(old.key, made.key))
    await ledger.revise((gone.point, gone.hour), made)


def _days(rows: Hours, points: list[int]) -> Sums:
    """By day, of all points together."""
    _, own = by_day(rows.take(np.isin(rows.point, points)))
    days, at = np.unique(own.of, return_inverse=True)

    def added(name: str) -> Any:
        column = np.zeros(len(days), np.int64)
        np.add.at(column, at, getattr(own, name))
        return column

    return Sums(days, *(added(f.name) for f in fields(Sums) if f.name != "of"))


def assert_same(one: Sums, other: Sums) -> None:
    for f in fields(Sums):
        assert getattr(one, f.name).tolist() == getattr(other, f.name).tolist(), f.name


def test_what_is_summed_of_a_day_is_its_hours_from_midnight_in_china() -> None:
    """Ten hours of 5 on either side of a midnight; one of them has a price."""
    midnight = first_hour(20_000)
    assert midnight * HOUR_MS % 86_400_000 == 16 * HOUR_MS
    rows = hours(*((7, midnight - 5 + i, 5) for i in range(10)))
    rows = replace(rows, cost=np.array([UNPRICED] * 9 + [3]))

    point, days = by_day(rows)

    assert (point.tolist(), days.of.tolist()) == ([7, 7], [19_999, 20_000])
    assert (days.amount.tolist(), days.rows.tolist()) == ([25, 25], [5, 5])
    assert (days.cost.tolist(), days.unpriced.tolist()) == ([0, 3], [25, 20])


async def test_a_revision_that_fails_leaves_the_days_as_they_were(opened: Opened) -> None:
    broken = replace(hours((0, 2, 60), (0, 3, 61)), amount=np.array([60], np.int64))
    async with opened() as (ledger, _):
        await ledger.revise(NONE, hours((0, 1, 5), (0, 2, 6)))
        with pytest.raises(StoreError):
            await ledger.revise(([0, 0], [1, 2]), broken)

        assert (await ledger.days([0], 0, 9)).amount.tolist() == [11]


async def test_a_file_from_before_there_were_days_gets_them_when_it_is_opened(tmp_path: Path) -> None:
    rows = hours(*((p, h, 10 * p + 1) for p in range(3) for h in range(0, 24 * 80, 5)))
    async with opened_at(f"duckdb:{tmp_path}/readings.duckdb", None) as (ledger, store):
        await ledger.revise(NONE, rows)
        expected = await ledger.days(range(3), 0, 200)
        store.connection.execute("DROP VIEW days; DROP TABLE days_recent; DROP TABLE days_closed")
    async with opened_at(f"duckdb:{tmp_path}/readings.duckdb", None) as (ledger, _):
        assert_same(await ledger.days(range(3), 0, 200), expected)
        assert len(expected) > 64


async def test_days_that_are_priced_again_and_again_do_not_pile_up(tmp_path: Path) -> None:
    many = hours(*((p, h, 3) for p in range(4) for h in range(24 * 30)), cost=1)
    async with opened_at(f"duckdb:{tmp_path}/readings.duckdb", None) as (ledger, store):
        await ledger.revise(NONE, many)
        await ledger.maintain(24 * 60 * HOUR_MS)
        for price in range(2, 7):
            await ledger.revise((many.point, many.hour), replace(many, cost=np.full(len(many), price)))
            await ledger.maintain(24 * 60 * HOUR_MS)
        [(rows,)] = store.connection.execute("SELECT count(*) FROM days").fetchall()
        days = await ledger.days(range(4), -1, 60)

    # 30 days of UTC touch 31 of China.
    assert rows <= 1.5 * 4 * 31
    assert int(days.cost.sum()) == 6 * len(many)
