"""Hours of many counters, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analytics.consumption.hours import Found, Registers, context_from_ms, groups, hours_of
from analytics.consumption.life import Life
from analytics.consumption.limits import HOUR_MS, WEEK_MS
from energy.hours import UNPRICED, Doubt
from energy.life import EventKind
from energy.series import MICRO
from tests.analytics.consumption.registers import (
    MINUTE_MS,
    QUARTER_MS,
    Read,
    changed,
    days_and_nights,
    happened,
    life,
    micro,
    quarters,
    without,
)

EVER = 1 << 30


def made(*reads: Read, registers: Registers | None = None, since: int = 0, until: int = EVER) -> Found:
    point = np.repeat(np.arange(len(reads), dtype=np.int32), [len(t) for t, _ in reads])
    span = np.full(len(reads), since, np.int64), np.full(len(reads), until, np.int64)
    t_ms, register = (np.concatenate([read[i] for read in reads]) for i in (0, 1))
    return hours_of(point, t_ms, register, registers or Registers.unknown(len(reads)), span)


def described(*, lives: dict[int, Life] | None = None, limit: float = 100.0, modulus: float = np.nan) -> Registers:
    return Registers(np.array([limit]), np.array([modulus]), np.array([0.01]), np.zeros(1), lives or {})


def kwh(found: Found, point: int = 0) -> list[float]:
    return [a / MICRO for a in found.hours.amount[found.hours.point == point].tolist()]


def kinds(doubts: Sequence[Doubt]) -> list[tuple[str, float, float]]:
    return [(d.kind, d.from_ms / HOUR_MS, d.to_ms / HOUR_MS) for d in doubts]


@pytest.mark.parametrize("every_ms", [MINUTE_MS, QUARTER_MS, HOUR_MS // 2], ids=["1 min", "15 min", "30 min"])
def test_a_sound_meter_has_an_hour_for_each_hour_and_no_doubts(every_ms: int) -> None:
    found = made(days_and_nights(2, every_ms))

    assert kwh(found) == ([1.0] * 8 + [10.0] * 10 + [1.0] * 6) * 2
    assert found.hours.first_half.tolist() == (found.hours.amount // 2).tolist()
    assert set(found.hours.measured_ms.tolist()) == {HOUR_MS}
    assert set(found.hours.cost.tolist()) == {UNPRICED}
    assert (found.doubts, found.plain.tolist()) == ([], [True])


def test_the_first_half_of_an_hour_is_told_apart() -> None:
    found = made(quarters(0.0, 1.0, 3.0, 6.0, 10.0))

    assert found.hours.first_half.tolist() == [3 * MICRO]


def test_hours_of_which_nothing_is_known_have_no_row() -> None:
    removed = [happened(EventKind.REMOVED, 2), happened(EventKind.INSTALLED, 5, initial_register=0.0)]
    read = quarters(*(float(v) for v in range(9)))
    later = quarters(0.0, 1.0, 2.0, 3.0, 4.0, start_ms=5 * HOUR_MS)
    both = np.r_[read[0], later[0]], np.r_[read[1], later[1]]
    found = made(both, registers=described(lives={0: life(*removed)}))

    assert found.hours.hour.tolist() == [0, 1, 5]


def test_points_are_made_together_as_they_are_alone() -> None:
    troubled = changed(days_and_nights(3, QUARTER_MS), [150], by=1000.0)
    sound, gap = days_and_nights(3, QUARTER_MS, by_day=7.0), without(days_and_nights(3, QUARTER_MS), slice(100, 130))
    together = made(sound, troubled, gap)

    for i, read in enumerate((sound, troubled, gap)):
        own, alone = together.hours.take(together.hours.point == i), made(read).hours
        assert own.columns().keys() == alone.columns().keys()
        for name, column in alone.columns().items():
            assert name == "point" or column.tolist() == getattr(own, name).tolist()
    assert together.plain.tolist() == [True, False, True]


def test_rows_are_in_the_order_of_point_and_hour() -> None:
    found = made(*(days_and_nights(2, QUARTER_MS) for _ in range(3)))

    assert np.all(np.diff(found.hours.key) > 0)


def test_only_the_hours_that_are_wanted_are_given() -> None:
    found = made(days_and_nights(2, QUARTER_MS), since=30, until=33)

    assert found.hours.hour.tolist() == [30, 31, 32]


def test_a_point_without_readings_has_no_hours() -> None:
    found = made(quarters(), days_and_nights(1, QUARTER_MS))

    assert set(found.hours.point.tolist()) == {1}


def test_no_readings_at_all_are_no_hours() -> None:
    found = made(quarters())

    assert (len(found.hours), found.doubts) == (0, [])


def test_readings_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of time"):
        made((np.array([2, 1]), micro([1.0, 2.0])))


# -- doubts ------------------------------------------------------------------------------------------------------------


def test_a_fall_and_a_jump_are_told_with_their_time() -> None:
    down = made(quarters(5000.0, 5002.0, 0.0, 2.0, 4.0), registers=described())
    up = made(quarters(5000.0, 5002.0, 8000.0, 8002.0), registers=described())

    assert kinds(down.doubts) == [("fall", 0.25, 0.5)]
    assert kinds(up.doubts) == [("jump", 0.25, 0.5)]
    assert (kwh(down), down.hours.disputed_ms.tolist()) == ([6.0], [QUARTER_MS])


def test_a_reading_that_strayed_is_told_with_its_instant() -> None:
    found = made(changed(days_and_nights(2, QUARTER_MS), [100], by=1000.0))

    assert kinds(found.doubts) == [("strayed", 25.0, 25.0)]
    assert found.hours.amount.sum() == 228 * MICRO


def test_a_roll_over_is_told_and_booked() -> None:
    found = made(quarters(999_998.0, 999_999.0, 1.0), registers=described(modulus=1_000_000.0))

    assert kinds(found.doubts) == [("rolled_over", 0.25, 0.5)]
    assert kwh(found) == [3.0]


def test_what_was_held_back_is_told_and_its_hours_are_estimated() -> None:
    """Stuck from nine to three, as in a stalled gateway; 60 kWh come at once."""
    read = days_and_nights(3, QUARTER_MS)
    found = made(changed(read, slice(132, 156), read[1][132] / MICRO))

    assert kinds(found.doubts) == [("held", 33.0, 39.0)]
    assert found.hours.amount.sum() == 3 * 114 * MICRO
    assert np.flatnonzero(found.hours.estimated_ms).tolist() == list(range(33, 39))


def test_a_disputed_fall_with_its_event_is_no_longer_doubtful() -> None:
    read = quarters(5000.0, 5002.0, 2.0, 4.0)
    event = happened(EventKind.EXCHANGED, 0.25, final_register=5002.0, initial_register=0.0)
    told = made(read, registers=described(lives={0: life(event)}))

    assert told.doubts == []
    assert kwh(told) == [6.0]


# -- estimates know the time of day ------------------------------------------------------------------------------------


def test_a_gap_is_spread_by_the_hours_of_the_day_before() -> None:
    """On the third day nothing is read between one in the morning and eleven in the evening."""
    found = made(without(days_and_nights(3, QUARTER_MS), slice(197, 284)))

    assert kwh(found) == ([1.0] * 8 + [10.0] * 10 + [1.0] * 6) * 3
    assert found.hours.estimated.sum() == (7 * 1 + 10 * 10 + 5 * 1) * MICRO


# -- what a change reaches ---------------------------------------------------------------------------------------------


def test_hours_hang_on_the_week_of_an_instant_and_the_week_before() -> None:
    anchors = np.array([5 * WEEK_MS + 1, 6 * WEEK_MS, 6 * WEEK_MS + 1])

    assert (context_from_ms(anchors) // WEEK_MS).tolist() == [4, 4, 5]


def test_groups_hold_at_most_so_much_or_one() -> None:
    assert groups([3, 3, 3, 9, 1, 1], 6) == [slice(0, 2), slice(2, 3), slice(3, 4), slice(4, 6)]
    assert groups([], 6) == []


def test_what_an_event_has_told_is_no_doubt_though_nobody_knows_what_flowed() -> None:
    fault = happened(EventKind.FAULTY, 0.25, until=0.75)
    of = made(quarters(1.0, 2.0, 900.0, 3.0, 4.0), registers=described(lives={0: life(fault)}))

    assert kinds(of.doubts) == []
    assert of.hours.disputed_ms.tolist() == [QUARTER_MS * 3]
