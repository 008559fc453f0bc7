"""A clock that is set by an hour costs no reading, doubles none, and moves none in silence."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from tests.chaos.installation import Installation, Layout, installed
from tests.chaos.killing import at_length

pytestmark = [at_length, pytest.mark.timeout(1200)]


class _WrongClock:
    """The clock of an edge, set by whoever writes its file; it knows what it has shown."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._shifts: list[tuple[float, float]] = []
        self.set(0)

    @property
    def address(self) -> str:
        return f"shifted:{self._file}"

    def set(self, ahead_s: int) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(str(ahead_s))
        # Between these two nobody can say which holds.
        self._shifts.append((time.time() * 1000, math.nan))
        draft.replace(self._file)
        self._shifts.append((time.time() * 1000, ahead_s * 1000.0))

    def __call__(self, at_ms: float) -> float:
        return at_ms + next(shift for since, shift in reversed(self._shifts) if since <= at_ms)


def _set_to(installation: Installation, clock: _WrongClock, *ahead_s: int) -> None:
    for seconds in ahead_s:
        clock.set(seconds)
        installation.await_readings(150)


def test_readings_of_an_edge_whose_clock_is_set_back_by_an_hour_are_all_stored(tmp_path: Path) -> None:
    clock = _WrongClock(tmp_path / "ahead")
    with installed(tmp_path, Layout(edge_clock=clock.address)) as installation:
        _set_to(installation, clock, 0, -3600, 0)
        installation.settle()
        verdict = installation.verdict(clock)

    assert verdict.faults == {} and verdict.unrecorded == 0


def test_readings_of_an_edge_whose_clock_is_an_hour_ahead_are_set_aside_as_such(tmp_path: Path) -> None:
    """The gateway refuses what is of the future, and keeps it in quarantine; what comes before and after is stored."""
    clock = _WrongClock(tmp_path / "ahead")
    with installed(tmp_path, Layout(edge_clock=clock.address)) as installation:
        _set_to(installation, clock, 0, 3600, 0)
        installation.settle()
        verdict = installation.verdict(clock)
        aside = installation.set_aside()

    assert set(verdict.faults) == {"lost"} and verdict.unrecorded == 0
    assert len(verdict.lost) >= 100
    assert {(r.meter, r.number) for r in verdict.lost} == set(aside)
    assert set(aside.values()) == {"future time"}


def test_an_edge_whose_clock_shows_the_same_seconds_again_gives_no_instant_twice(tmp_path: Path) -> None:
    """Set back by less than it has run, so that instants would repeat to the millisecond."""
    clock = _WrongClock(tmp_path / "ahead")
    with installed(tmp_path, Layout(edge_clock=clock.address, every="100ms")) as installation:
        _set_to(installation, clock, 0, -2, -4, -6, -8, -10)
        installation.settle()
        # Where an instant was given already, the reading is dated some milliseconds later.
        verdict = installation.verdict(None)

    assert verdict.faults == {} and verdict.unrecorded == 0


def test_of_two_readings_at_one_instant_the_second_is_set_aside(tmp_path: Path) -> None:
    """An edge that dies while its clock shows the same seconds again has forgotten which instants it had given."""
    clock = _WrongClock(tmp_path / "ahead")
    with installed(tmp_path, Layout(edge_clock=clock.address, every="100ms")) as installation:
        for n in range(6):
            installation.await_readings(150)
            clock.set(-2 * n)
            installation.kill(installation.edge)
            installation.edge.start()
        installation.settle()
        verdict = installation.verdict(None)
        aside = installation.set_aside()

    assert set(verdict.faults) <= {"lost"}
    assert {(r.meter, r.number) for r in verdict.lost} == set(aside)
    assert set(aside.values()) <= {"conflicting value"}
