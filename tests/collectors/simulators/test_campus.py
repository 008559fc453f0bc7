"""A campus as one knows it: its days, its seasons, its holidays."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from collectors.simulators.campus import Campus, read_campus
from collectors.simulators.course import HOUR_MS
from collectors.simulators.fleet import Fleet
from collectors.simulators.weather import heating_season
from energy.errors import ConfigurationError
from energy.readings import to_ms
from energy.series import Floats, Instants
from energy.sites import Site
from tests.collectors.simulators.conftest import CONFIG, NOW
from tests.working_days import CHINA

_SHANGHAI_H = 8


def local(year: int, month: int, day: int, *hours: float) -> Instants:
    """Instants of a day at the site."""
    midnight = to_ms(datetime(year, month, day, tzinfo=UTC)) - _SHANGHAI_H * HOUR_MS
    return midnight + (np.array(hours) * HOUR_MS).astype(np.int64)


@pytest.fixture(scope="module")
def fleet(site: Site, campus: Campus) -> Fleet:
    return Fleet(site, campus, now=lambda: NOW)


def at(fleet: Fleet, meter: str, quantity: str, t_ms: Instants) -> Floats:
    return fleet.history(meter, quantity, t_ms)


def of_day(fleet: Fleet, meter: str, quantity: str, *day: int) -> float:
    """What a counter grew on a local day."""
    first, last = fleet.history(meter, quantity, local(day[0], day[1], day[2], 0, 24))
    return float(last - first)


def test_an_office_works_on_workdays(fleet: Fleet) -> None:
    wednesday, saturday = (
        of_day(fleet, "office-b-main", "active_energy_import", 2025, 10, 22),
        of_day(fleet, "office-b-main", "active_energy_import", 2025, 10, 25),
    )
    holiday = of_day(fleet, "office-b-main", "active_energy_import", 2025, 10, 1)

    assert saturday < 0.6 * wednesday
    assert holiday < saturday


def test_an_office_is_at_its_base_by_night(fleet: Fleet) -> None:
    night, morning = at(fleet, "office-a-lighting-f3", "active_power", local(2026, 1, 14, 3, 10))

    assert night < 0.15 * morning


def test_heating_runs_from_15_november_to_15_march() -> None:
    days = [(2025, 11, 14), (2025, 11, 15), (2026, 1, 1), (2026, 3, 15), (2026, 3, 16), (2026, 7, 1)]

    assert [bool(heating_season(local(*day, 12))[0]) for day in days] == [False, True, True, True, False, False]


def test_no_heat_flows_in_summer_and_gas_follows_heat_in_winter(fleet: Fleet) -> None:
    assert at(fleet, "campus-heat", "heat_power", local(2025, 7, 15, 12)).tolist() == [0]
    assert of_day(fleet, "boiler-house-gas", "volume_standard", 2025, 7, 15) == 0

    heat_gj = of_day(fleet, "campus-heat", "heat_energy", 2026, 1, 10)
    gas_m3 = of_day(fleet, "boiler-house-gas", "volume_standard", 2026, 1, 10)
    # 9.9 kWh/m3 at an efficiency of 0.92; the heat counter shows whole GJ.
    assert gas_m3 == pytest.approx(heat_gj / 0.0036 / 9.9 / 0.92, rel=0.03)


def test_cooling_peaks_on_hot_afternoons(fleet: Fleet, campus: Campus) -> None:
    july = local(2025, 7, 1, *np.arange(0, 31 * 24, 0.25))
    power = at(fleet, "library-cooling-plant", "active_power", july)

    assert campus.outside(july)[np.argmax(power)] > 30
    assert at(fleet, "library-cooling-plant", "active_power", local(2026, 1, 14, 15))[0] < 2


def test_a_data_room_is_flat_and_needs_more_cooling_in_summer(fleet: Fleet) -> None:
    day = at(fleet, "data-room-servers-a", "active_power", local(2026, 1, 14, *np.arange(0, 24, 0.25)))
    assert np.ptp(day) < 0.08 * day.mean()

    def pue(*of: int) -> float:
        servers = sum(of_day(fleet, f"data-room-servers-{row}", "active_energy_import", *of) for row in "ab")
        return of_day(fleet, "data-room-main", "active_energy_import", *of) / servers

    assert 1.2 < pue(2026, 1, 10) < pue(2025, 7, 20) < 1.7


def test_a_canteen_cooks_before_meals(fleet: Fleet) -> None:
    gas = at(fleet, "canteen-gas", "flow_rate_standard", local(2026, 1, 14, 3, 11, 15, 17.5))

    assert gas[1] > 5 * gas[2]
    assert gas[3] > 3 * gas[2]
    assert gas[0] < 0.5


def test_a_dormitory_peaks_in_the_evening_and_the_morning(fleet: Fleet) -> None:
    water = at(fleet, "dormitory-showers", "flow_rate", local(2025, 10, 22, 3.5, 7, 15.5, 21.5))

    assert water[3] > water[1] > water[2] > water[0]


def test_sub_meters_never_add_up_to_more_than_their_parent(site: Site, fleet: Fleet) -> None:
    t_ms = local(2025, 1, 1, *np.arange(0, 380 * 24, 7.3))
    counters = {"electricity": "active_energy_import", "water": "volume", "heat": "heat_energy"}
    rates = {"electricity": "active_power", "water": "flow_rate", "heat": "heat_power"}

    for parent in {m.parent for m in site.meters if m.parent}:
        children = [m.id for m in site.meters if m.parent == parent]
        medium = site.meter(parent).medium.value
        for quantity in (counters[medium], rates[medium]):
            below = sum(fleet.history(child, quantity, t_ms) for child in children)
            # Each register is off by its resolution; heat is shown in whole GJ.
            slack = 0.6 * (1 + len(children)) if quantity == "heat_energy" else 0.5
            assert np.all(below <= fleet.history(parent, quantity, t_ms) + slack), (parent, quantity)


def test_a_parent_is_its_sub_meters_and_what_nobody_measures(fleet: Fleet, campus: Campus) -> None:
    children = [fleet.values(child, NOW)["active_power"] for child in campus.below("office-a-main")]
    own = campus.own("office-a-main").rate(np.array([to_ms(NOW)]))[0]

    assert fleet.values("office-a-main", NOW)["active_power"] == pytest.approx(sum(children) + own)
    assert own > 0


def test_looking_further_ahead_changes_nothing_that_was(site: Site, campus: Campus) -> None:
    later = read_campus(CONFIG / "demo-campus.yaml", site, NOW + timedelta(days=500), CHINA)
    t_ms = local(2024, 1, 1, *np.arange(0, 700 * 24, 11.7))

    for meter in ("office-a-lighting-f1", "dormitory-water", "boiler-house-gas"):
        assert campus.own(meter).total(t_ms).tolist() == later.own(meter).total(t_ms).tolist()


def test_time_may_go_on_beyond_what_was_made(site: Site) -> None:
    campus = read_campus(CONFIG / "demo-campus.yaml", site, NOW, CHINA)
    fleet = Fleet(site, campus, now=lambda: NOW)
    far = NOW + timedelta(days=200)

    assert fleet.values("data-room-main", far)["active_power"] > 100
    assert campus.horizon_ms > to_ms(far)


def test_two_years_of_all_meters_are_made_in_seconds_of_the_processor(site: Site) -> None:
    began = time.process_time()
    campus = read_campus(CONFIG / "demo-campus.yaml", site, NOW, CHINA)
    for meter in site.meters:
        campus.own(meter.id)

    # It takes one; whoever starts the demo waits for it.
    assert time.process_time() - began < 10


def test_what_is_wrong_in_the_recipes_is_told_by_line(site: Site, tmp_path: Path) -> None:
    text = (CONFIG / "demo-campus.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        text.replace("office-a-lifts: {kind: office", "office-a-lift: {kind: ofice").replace(
            "meter: gym-pool", "meter: gym-poool"
        ),
        encoding="utf-8",
    )

    with pytest.raises(ConfigurationError) as told:
        read_campus(wrong, site, NOW, CHINA)

    line = next(i for i, row in enumerate(text.splitlines(), 1) if "office-a-lifts:" in row)
    assert f"{wrong}:{line}: loads.office-a-lift: is no meter of site 'demo'" in told.value.faults
    assert any("'office-a-lifts' has no load here" in fault for fault in told.value.faults)
    assert any(
        f":{line}: loads.office-a-lift.kind = 'ofice': is none of always, office" in f for f in told.value.faults
    )
    assert any("faults[2].meter = 'gym-poool'" in fault for fault in told.value.faults)
