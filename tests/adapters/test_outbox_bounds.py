"""A full outbox lets go in the order that was chosen, keeps what counters have counted, and says what is gone."""

from __future__ import annotations

import shutil
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import outbox_bounds
from adapters.outbox_bounds import Bounds
from adapters.outbox_sqlite import SqliteOutbox
from adapters.outbox_thinning import readings_of, thinned
from adapters.wire import Batch, MeterReadings, encode

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T_MS = 1_795_132_800_000  # a full hour


def reading(minute: int, register: float | None = None, meter: str = "main") -> MeterReadings:
    total = float(minute) if register is None else register
    return MeterReadings(meter, T_MS + minute * MINUTE, {"active_energy_import": total, "active_power": 5.0})


def put_minutes(outbox: SqliteOutbox, first: int, last: int) -> None:
    for minute in range(first, last):
        outbox.put(T_MS + minute * MINUTE, encode(Batch([reading(minute)])))


def minutes(outbox: SqliteOutbox) -> list[int]:
    found = [one for batch in outbox.after(0, 100_000) for one in readings_of(batch.payload)]
    return [(one.taken_at_ms() - T_MS) // MINUTE for one in found]


def test_of_each_hour_the_last_reading_stays() -> None:
    stay = thinned([reading(minute) for minute in range(150)])

    assert [one.values["active_energy_import"] for one in stay] == [59.0, 119.0, 149.0]


def test_both_sides_of_a_fall_stay_so_that_an_exchange_is_known() -> None:
    registers = [100.0, 101.0, 102.0, 3.0, 4.0, 5.0]
    stay = thinned([reading(minute, register) for minute, register in enumerate(registers)])

    assert [one.values["active_energy_import"] for one in stay] == [102.0, 3.0, 5.0]


@given(st.lists(st.floats(0, 1000, allow_nan=False), min_size=1, max_size=200))
def test_what_rises_between_readings_that_stay_is_what_rose_before_thinning(steps: list[float]) -> None:
    """Of what a counter counted nothing is lost: rises and falls add up to the same, fall by fall."""
    registers = [sum(steps[: i + 1]) if i % 50 else 0.0 for i in range(len(steps))]
    before = [reading(minute, register) for minute, register in enumerate(registers)]

    def falls(of: list[MeterReadings]) -> list[tuple[float | None, float | None]]:
        values = [one.values["active_energy_import"] or 0.0 for one in of]
        return [(a, b) for a, b in pairwise(values) if b < a]

    assert falls(thinned(before)) == falls(before)
    assert thinned(before)[-1] == before[-1]


def test_a_full_outbox_is_thinned_from_the_oldest_on_before_anything_is_dropped(tmp_path: Path) -> None:
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite", limit_bytes=60_000)) as outbox:
        put_minutes(outbox, 0, 1200)
        there = minutes(outbox)

        assert outbox.dropped == 0
        assert outbox.thinned == 1200 - len(there) > 0
        assert there == sorted(there)
        # Every hour is there with its end, and the newest are whole.
        assert {minute // 60 for minute in there} == set(range(20))
        assert there[-64:] == list(range(1136, 1200))
        held, lost = outbox.account(1, outbox.last)
        assert sum(one.readings or 0 for one in lost) == outbox.thinned
        assert {one.cause for one in lost} == {"thinned"}
        assert lost[0].from_ms == T_MS
        assert len(held) == outbox.batches


def test_when_all_is_thinned_the_oldest_are_dropped_and_told(tmp_path: Path) -> None:
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite", limit_bytes=12_000)) as outbox:
        put_minutes(outbox, 0, 3000)
        there = minutes(outbox)
        _, lost = outbox.account(1, outbox.last)

        assert outbox.size_bytes <= 12_000
        assert outbox.full
        assert outbox.dropped > 0
        assert {one.cause for one in lost} == {"thinned", "full"}
        assert sum(one.readings or 0 for one in lost) + len(there) == 3000


def test_an_outbox_that_stops_reading_drops_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    bounds = Bounds(10_000, when_full="stop")
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite", bounds=bounds)) as outbox:
        minute = 0
        while not outbox.stopped:
            put_minutes(outbox, minute, minute + 1)
            minute += 1
        # What was on its way when it stopped is kept all the same.
        put_minutes(outbox, minute, minute + 3)

        assert outbox.batches == minute + 3
        assert (outbox.dropped, outbox.thinned, outbox.full) == (0, 0, True)
        outbox.forget([1])
        assert outbox.stopped
        outbox.forget(range(1, 20))
        assert not outbox.stopped
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite", bounds=bounds)) as outbox:
        assert not outbox.stopped


def test_what_is_too_old_is_dropped_and_told(tmp_path: Path) -> None:
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite", bounds=Bounds(limit_days=2))) as outbox:
        put_minutes(outbox, 0, 5)
        outbox.expire(T_MS + 2 * DAY + 2 * MINUTE)
        _, (lost,) = outbox.account(1, 2)

        assert minutes(outbox) == [2, 3, 4]
        assert (lost.first, lost.last, lost.cause, lost.readings) == (1, 2, "old", 2)
        assert (lost.from_ms, lost.to_ms) == (T_MS, T_MS + MINUTE)


def test_the_age_of_what_was_put_by_a_clock_that_was_never_set_is_not_known(tmp_path: Path) -> None:
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite", bounds=Bounds(limit_days=2))) as outbox:
        outbox.put(5000, encode(Batch([reading(0)])))
        outbox.put(T_MS, encode(Batch([reading(1)])), clock="boot-7")
        outbox.expire(T_MS + 300 * DAY)

        assert outbox.batches == 2


def test_readings_that_could_not_be_kept_leave_a_gap_that_is_explained(tmp_path: Path) -> None:
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite")) as outbox:
        put_minutes(outbox, 0, 1)
        assert outbox.lose(70, T_MS, T_MS + HOUR, "disk") == 2
        put_minutes(outbox, 1, 2)
        held, (lost,) = outbox.account(1, 3)

        assert held == [1, 3]
        assert (lost.first, lost.cause, lost.readings, lost.to_ms) == (2, "disk", 70, T_MS + HOUR)


def test_a_batch_whose_clock_is_not_set_waits_until_it_is_and_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(SqliteOutbox(path)) as outbox:
        outbox.put(5000, b"1970", clock="boot-7")
        outbox.put(T_MS, b"set")
        assert [batch.sequence for batch in outbox.after(0, 10)] == [2]
        assert outbox.held_from == 1
    with closing(SqliteOutbox(path)) as outbox:
        assert outbox.clocks() == ["boot-7"]
        assert outbox.release("boot-7", lambda payload: payload + b" is 2026") == 1

        assert [batch.payload for batch in outbox.after(0, 10)] == [b"1970 is 2026", b"set"]
        assert (outbox.clocks(), outbox.size_bytes) == ([], 15)


def test_sequences_that_were_stored_are_told_as_stored(tmp_path: Path) -> None:
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite")) as outbox:
        put_minutes(outbox, 0, 5)
        outbox.forget([2, 3])
        held, lost = outbox.account(1, 99)

        assert held == [1, 4, 5]
        assert [(one.first, one.last, one.cause) for one in lost] == [(2, 3, "stored")]


def test_a_disk_without_room_lets_nothing_go_and_what_others_free_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(outbox_bounds, "_LEAST_ROOM", 1000)
    with closing(SqliteOutbox(tmp_path / "outbox.sqlite")) as outbox:
        put_minutes(outbox, 0, 5)
        assert (outbox.dropped, outbox.thinned) == (0, 0)
        free = 1_000_000_000
        put_minutes(outbox, 5, 300)
        assert (outbox.dropped, outbox.thinned, outbox.full) == (0, 0, False)
