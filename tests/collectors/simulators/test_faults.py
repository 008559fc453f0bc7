"""Faults are switched on and off while meters are played, and what they did stays in the counters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from collectors.simulators.campus import Campus
from collectors.simulators.course import HOUR_MS
from collectors.simulators.faults import FaultLog
from collectors.simulators.fleet import Fleet
from energy.errors import ConfigurationError, UnknownName
from energy.readings import to_ms
from energy.sites import Site

_MIDNIGHT = datetime(2026, 1, 13, 16, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def fleet(site: Site, campus: Campus, path: Path | None = None) -> Fleet:
    return Fleet(site, campus, now=lambda: _MIDNIGHT, faults=FaultLog(campus.faults, path))


def at_hours(*hours: float) -> np.ndarray:
    return to_ms(_MIDNIGHT) + (np.array(hours) * HOUR_MS).astype(np.int64)


def test_all_faults_of_the_demo_are_off_at_first(campus: Campus) -> None:
    log = FaultLog(campus.faults)

    assert {"leaking-pipe", "lights-left-on", "stuck-meter", "silent-meter", "burst-pipe"} < set(log.faults)
    assert not any(log.is_on(fault, _MIDNIGHT) for fault in log.faults)


def test_a_leak_adds_its_flow_and_what_leaked_stays_in_every_counter_above(
    site: Site, campus: Campus, tmp_path: Path
) -> None:
    sound, leaking = fleet(site, campus), fleet(site, campus, tmp_path / "faults.json")
    leaking.faults.switch_on("leaking-pipe", _MIDNIGHT)
    leaking.faults.switch_off("leaking-pipe", _MIDNIGHT + 10 * _HOUR)

    restarted = fleet(site, campus, tmp_path / "faults.json")
    for played in (leaking, restarted):
        for meter in ("dormitory-water", "campus-water"):
            more = played.history(meter, "volume", at_hours(-1, 5, 10, 20)) - sound.history(
                meter, "volume", at_hours(-1, 5, 10, 20)
            )
            np.testing.assert_allclose(more, [0, 7, 14, 14], atol=0.02)
    flow = leaking.values("dormitory-water", _MIDNIGHT + _HOUR)["flow_rate"]
    assert flow == pytest.approx(sound.values("dormitory-water", _MIDNIGHT + _HOUR)["flow_rate"] + 1.4)


def test_lights_left_on_hold_their_level_through_the_night(site: Site, campus: Campus) -> None:
    played = fleet(site, campus)
    night = _MIDNIGHT + 2 * _HOUR
    dark = played.values("office-a-lighting-f2", night)["active_power"]
    building = played.values("office-a-main", night)["active_power"]

    played.switch("lights-left-on", on=True)

    lit = played.values("office-a-lighting-f2", night)["active_power"]
    assert lit == pytest.approx(0.85 * campus.rated("office-a-lighting-f2"), rel=0.01)
    assert lit > 8 * dark
    assert played.values("office-a-main", night)["active_power"] == pytest.approx(building + lit - dark)


def test_a_stuck_meter_keeps_all_it_showed_until_it_is_loosened(site: Site, campus: Campus) -> None:
    played = fleet(site, campus)
    before = played.values("gym-pool", _MIDNIGHT)
    later = played.values("gym-pool", _MIDNIGHT + 3 * _HOUR)

    played.switch("stuck-meter", on=True)
    assert played.values("gym-pool", _MIDNIGHT + 2 * _HOUR) == before

    played.faults.switch_off("stuck-meter", _MIDNIGHT + 3 * _HOUR)
    assert played.values("gym-pool", _MIDNIGHT + 3 * _HOUR) == later
    assert len(set(played.history("gym-pool", "active_power", at_hours(0, 1, 2)))) == 1


def test_a_silent_meter_is_silent_from_when_it_is_switched_off_to_when_it_returns(site: Site, campus: Campus) -> None:
    played = fleet(site, campus)
    played.switch("silent-meter", on=True)
    played.faults.switch_off("silent-meter", _MIDNIGHT + _HOUR)

    silent = [played.is_silent("library-air-handling", int(at)) for at in at_hours(-0.5, 0, 0.5, 1)]
    assert silent == [False, True, True, False]


def test_another_process_switches_a_fault_on(campus: Campus, tmp_path: Path) -> None:
    path = tmp_path / "var" / "faults.json"
    running, other = FaultLog(campus.faults, path), FaultLog(campus.faults, path)

    other.switch_on("leaking-pipe", _MIDNIGHT)

    assert running.refresh()
    assert not running.refresh()
    assert running.is_on("leaking-pipe", _MIDNIGHT)
    assert not running.is_on("leaking-pipe", _MIDNIGHT - _HOUR)
    assert [p.name for p in path.parent.iterdir()] == ["faults.json"]


def test_switching_on_what_is_on_and_off_what_is_off_changes_nothing(campus: Campus) -> None:
    log = FaultLog(campus.faults)
    log.switch_off("leaking-pipe", _MIDNIGHT)
    assert log.windows("leaking-pipe") == ()

    log.switch_on("leaking-pipe", _MIDNIGHT)
    log.switch_on("leaking-pipe", _MIDNIGHT + _HOUR)
    assert log.windows("leaking-pipe") == ((to_ms(_MIDNIGHT), None),)


def test_a_fault_that_nobody_knows_is_refused(campus: Campus) -> None:
    with pytest.raises(UnknownName, match="fault 'flood' is not known; known are leaking-pipe"):
        FaultLog(campus.faults).switch_on("flood", _MIDNIGHT)


def test_a_log_that_is_no_log_is_refused_with_its_name(campus: Campus, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('{"leaking-pipe": [["2026-01-01T00:00:00", null]]}', encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"faults\.json: leaking-pipe\.0\.0: .*timezone"):
        FaultLog(campus.faults, path)


def test_a_log_that_breaks_while_meters_are_played_stays_as_it_was(site: Site, campus: Campus, tmp_path: Path) -> None:
    played = fleet(site, campus, tmp_path / "faults.json")
    played.switch("silent-meter", on=True)
    (tmp_path / "faults.json").write_text("{", encoding="utf-8")

    played.look_at_faults()

    assert played.is_silent("library-air-handling", int(at_hours(1)[0]))


def test_a_load_that_is_changed_is_so_many_times_what_it_was_and_the_counter_goes_on(
    site: Site, campus: Campus
) -> None:
    sound, changed = fleet(site, campus), fleet(site, campus)
    changed.enter("led-office-b-f2", _MIDNIGHT, _MIDNIGHT + 10 * _HOUR)

    hours = at_hours(-1, 0, 10, 20)
    before = np.diff(sound.history("office-b-lighting-f2", "active_energy_import", hours))
    after = np.diff(changed.history("office-b-lighting-f2", "active_energy_import", hours))
    np.testing.assert_allclose(after, before * [1, 0.58, 1], atol=0.03)
    grid = at_hours(*np.arange(-1, 11, 0.05))
    assert np.all(np.diff(changed.history("office-b-lighting-f2", "active_energy_import", grid)) >= 0)


def test_a_meter_that_was_exchanged_counts_from_0_and_those_above_it_go_on(site: Site, campus: Campus) -> None:
    sound, exchanged = fleet(site, campus), fleet(site, campus)
    exchanged.enter("new-meter", _MIDNIGHT, None)

    hours = at_hours(-1, 0, 10)
    old = sound.history("canteen-exhaust", "active_energy_import", hours)
    new = exchanged.history("canteen-exhaust", "active_energy_import", hours)
    np.testing.assert_allclose(new, [old[0], 0, old[2] - old[1]], atol=0.03)
    shown = exchanged.values("canteen-exhaust", _MIDNIGHT + 10 * _HOUR)["active_energy_import"]
    assert shown == pytest.approx(new[2], abs=0.03)
    np.testing.assert_array_equal(
        exchanged.history("canteen-main", "active_energy_import", hours),
        sound.history("canteen-main", "active_energy_import", hours),
    )


def test_what_was_on_before_is_entered_once(site: Site, campus: Campus, tmp_path: Path) -> None:
    log = FaultLog(campus.faults, tmp_path / "faults.json")
    log.enter("leaking-pipe", _MIDNIGHT, _MIDNIGHT + _HOUR)
    log.enter("leaking-pipe", _MIDNIGHT + 5 * _HOUR, None)

    assert log.windows("leaking-pipe") == ((to_ms(_MIDNIGHT), to_ms(_MIDNIGHT + _HOUR)),)
    silent = fleet(site, campus)
    silent.enter("silent-meter", _MIDNIGHT, _MIDNIGHT + 2 * _HOUR)
    assert silent.answers("library-air-handling", at_hours(-1, 0, 1, 2)).tolist() == [True, False, False, True]
