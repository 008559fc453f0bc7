"""Refused readings wait to be looked at: the newest kept, all of them counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.quarantine_sqlite import SqliteQuarantine
from energy.ports import Refusal


def refusal(n: int, reason: str = "unknown meter") -> Refusal:
    return Refusal(n, reason, f"detail {n}", "edge", "meter", "active_power", 1000 * n, n / 4)


@pytest.fixture
async def quarantine(tmp_path: Path) -> AsyncIterator[SqliteQuarantine]:
    with closing(SqliteQuarantine(tmp_path / "deep" / "quarantine.sqlite", limit_rows=3)) as made:
        yield made


async def test_a_refusal_comes_back_as_it_was(quarantine: SqliteQuarantine) -> None:
    bare = Refusal(2, "broken payload", "not JSON")
    await quarantine.put([refusal(1), bare])

    assert await quarantine.newest(10) == [bare, refusal(1)]


async def test_the_newest_come_first_and_no_more_than_are_asked(quarantine: SqliteQuarantine) -> None:
    await quarantine.put([refusal(1)])
    await quarantine.put([refusal(2), refusal(3)])

    assert [r.received_at_ms for r in await quarantine.newest(2)] == [3, 2]


async def test_the_oldest_make_room_and_are_counted_still(quarantine: SqliteQuarantine) -> None:
    await quarantine.put([refusal(n) for n in range(5)])
    await quarantine.put([refusal(5, "future time")])

    assert [r.received_at_ms for r in await quarantine.newest(10)] == [5, 4, 3]
    assert await quarantine.counts() == {"future time": 1, "unknown meter": 5}


async def test_repeated_deliveries_are_counted_and_nothing_of_them_is_kept(quarantine: SqliteQuarantine) -> None:
    await quarantine.count("repeated", 7)
    await quarantine.count("repeated", 0)

    assert await quarantine.counts() == {"repeated": 7}
    assert await quarantine.newest(10) == []


async def test_no_refusals_are_no_counts(quarantine: SqliteQuarantine) -> None:
    await quarantine.put([])

    assert await quarantine.counts() == {}


async def test_counts_and_refusals_survive_a_restart(tmp_path: Path) -> None:
    for n in (1, 2):
        with closing(SqliteQuarantine(tmp_path / "quarantine.sqlite")) as made:
            await made.put([refusal(n)])
    with closing(SqliteQuarantine(tmp_path / "quarantine.sqlite")) as made:
        assert await made.counts() == {"unknown meter": 2}
        assert [r.received_at_ms for r in await made.newest(10)] == [2, 1]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e308, -0.0])
async def test_a_value_that_no_meter_has_is_kept_as_it_came(quarantine: SqliteQuarantine, value: float) -> None:
    await quarantine.put([Refusal(1, "not plausible", "x", value=value)])

    [found] = await quarantine.newest(1)
    assert found.value == value


async def test_a_refusal_that_cannot_be_kept_does_not_stop_those_after_it(quarantine: SqliteQuarantine) -> None:
    beyond = Refusal(1, "broken time", "x", taken_at_ms=2**80)
    with pytest.raises(OverflowError):
        await quarantine.put([refusal(1), beyond])

    await quarantine.put([refusal(2)])

    assert [r.received_at_ms for r in await quarantine.newest(10)] == [2]
    assert await quarantine.counts() == {"unknown meter": 1}
