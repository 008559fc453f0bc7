"""As much history is on its way as is answered promptly."""

from __future__ import annotations

import pytest

from edge.window import LEAST_BYTES, MOST_BATCHES, MOST_BYTES, Allowance, HistoryWindow


def round_trip(window: HistoryWindow, at: float, took_s: float, size: int = 4096) -> None:
    window.sent(size)
    window.answered(size, at, at + took_s)


def test_a_window_doubles_with_each_round_that_is_answered_promptly() -> None:
    window = HistoryWindow()
    for i in range(LEAST_BYTES // 4096):
        round_trip(window, float(i), 0.05)

    assert window.limit_bytes == 2 * LEAST_BYTES


def test_a_window_never_outgrows_its_bound() -> None:
    window = HistoryWindow()
    for i in range(5000):
        round_trip(window, float(i), 0.05, 100_000)

    assert window.limit_bytes == MOST_BYTES


def test_late_answers_halve_it_once_for_what_was_sent_before_it_shrank() -> None:
    window = HistoryWindow(limit_bytes=8 * LEAST_BYTES)
    round_trip(window, 0.0, 0.05, 1)
    for sent_at in (1.0, 1.1, 1.2):
        round_trip(window, sent_at, 3.0)
    assert window.limit_bytes == (8 * LEAST_BYTES + 1) // 2

    round_trip(window, 5.0, 3.0)
    assert window.limit_bytes == (8 * LEAST_BYTES + 1) // 4


def test_a_window_has_room_for_one_batch_however_large() -> None:
    window = HistoryWindow()
    assert window.room
    window.sent(10 * LEAST_BYTES)
    assert not window.room
    window.answered(10 * LEAST_BYTES, 0.0, 0.1)
    assert window.room


def test_no_more_batches_are_on_their_way_than_any_broker_queues() -> None:
    window = HistoryWindow(limit_bytes=MOST_BYTES)
    for _ in range(MOST_BATCHES):
        assert window.room
        window.sent(1)
    assert not window.room
    window.gone(1)
    assert window.room


def test_an_allowance_spreads_history_over_time() -> None:
    allowance = Allowance(1000)
    assert allowance.wait_s(100.0) == 0.0
    allowance.took(3000)
    assert allowance.wait_s(100.0) == pytest.approx(2.0)
    assert allowance.wait_s(101.5) == pytest.approx(0.5)
    assert allowance.wait_s(102.0) == 0.0


def test_without_an_allowance_nothing_waits() -> None:
    allowance = Allowance(None)
    allowance.took(10**9)
    assert allowance.wait_s(0.0) == 0.0
