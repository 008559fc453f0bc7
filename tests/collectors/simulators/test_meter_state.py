"""All that a meter says at an instant agrees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.simulators.course import HOUR_MS, Course
from collectors.simulators.fluids import KW_PER_M3H_K, STANDARD_K, STANDARD_KPA
from collectors.simulators.meter_state import Measured, measured, state
from energy.quantities import QUANTITIES, Medium
from energy.series import Floats, Instants

_STEP_MS, _DAY_MS = 900_000, 86_400_000
_BORDERS = np.arange(0, _DAY_MS + 1, _STEP_MS)


def _outside(t_ms: Instants) -> Floats:
    """From 0 °C to 10 °C and back in a day."""
    return 5.0 - 5.0 * np.cos(2 * np.pi * t_ms / _DAY_MS)


def meter(medium: Medium, rate: float = 40.0) -> Measured:
    """A meter under a load that rises and falls between `rate` and twice as much."""
    knots = rate * (1.5 - 0.5 * np.cos(2 * np.pi * _BORDERS / _DAY_MS * 3))
    course = Course.through(0, _STEP_MS, knots, register=1000.0, ripple=0.1, seed=3)
    return measured(medium, course, rated=2 * rate, outside=_outside, borders=_BORDERS, seed=5)


INSTANTS = st.integers(0, _DAY_MS - 1)


@given(INSTANTS, st.floats(0, 500))
def test_the_phases_add_up(at_ms: int, rate: float) -> None:
    said = state(meter(Medium.ELECTRICITY, rate), at_ms)

    for whole in ("active_power", "reactive_power", "apparent_power", "active_energy_import", "reactive_energy_total"):
        assert sum(said[f"{whole}_{phase}"] for phase in ("l1", "l2", "l3")) == pytest.approx(said[whole])


@given(INSTANTS)
def test_power_factor_current_and_apparent_power_are_those_of_p_q_and_u(at_ms: int) -> None:
    said = state(meter(Medium.ELECTRICITY), at_ms)

    assert said["apparent_power"] ** 2 == pytest.approx(said["active_power"] ** 2 + said["reactive_power"] ** 2)
    assert said["power_factor"] == pytest.approx(said["active_power"] / said["apparent_power"])
    assert np.cos(np.radians(said["phase_angle"])) == pytest.approx(said["power_factor"])
    for phase in ("l1", "l2", "l3"):
        volt_ampere = said[f"voltage_{phase}"] * said[f"current_{phase}"]
        assert volt_ampere == pytest.approx(1000 * said[f"apparent_power_{phase}"])


@given(INSTANTS)
def test_import_and_export_add_up_to_the_total(at_ms: int) -> None:
    said = state(meter(Medium.ELECTRICITY), at_ms)

    for of in ("active_energy", "reactive_energy"):
        assert said[f"{of}_import"] + said[f"{of}_export"] == said[f"{of}_total"]


@given(INSTANTS)
def test_voltages_and_frequency_are_those_of_the_grid(at_ms: int) -> None:
    said = state(meter(Medium.ELECTRICITY), at_ms)

    assert said["frequency"] == pytest.approx(50, abs=0.05)
    assert said["voltage_l1"] == pytest.approx(228, abs=14)
    assert said["voltage_l1l2"] == pytest.approx(np.sqrt(3) * said["voltage_ln_avg"], rel=0.02)


def test_the_voltage_sags_under_load() -> None:
    idle, loaded = (state(meter(Medium.ELECTRICITY, rate), 6 * HOUR_MS) for rate in (0.0, 400.0))

    assert loaded["voltage_l1"] < idle["voltage_l1"] - 1


@pytest.mark.parametrize(
    ("medium", "rate", "counter", "per_unit"),
    [
        (Medium.ELECTRICITY, "active_power", "active_energy_import", 1.0),
        (Medium.ELECTRICITY, "active_power_l2", "active_energy_import_l2", 1.0),
        (Medium.ELECTRICITY, "reactive_power", "reactive_energy_import", 1.0),
        (Medium.WATER, "flow_rate", "volume", 1.0),
        (Medium.GAS, "flow_rate_standard", "volume_standard", 1.0),
        (Medium.GAS, "flow_rate_actual", "volume_actual", 1.0),
        (Medium.HEAT, "heat_power", "heat_energy", 0.0036),
        (Medium.HEAT, "flow_rate", "volume", 1.0),
    ],
)
def test_every_rate_is_the_slope_of_its_counter(medium: Medium, rate: str, counter: str, per_unit: float) -> None:
    moment = meter(medium).at(np.arange(0, 2 * HOUR_MS, 100))
    rates, totals = moment.quantity(rate), moment.quantity(counter)
    assert rates is not None
    assert totals is not None

    # Where the factor of a conversion steps, a rate does too: there the slope lies between the two.
    middle = (rates[1:] + rates[:-1]) / 2
    slope = np.diff(totals) / (100 / HOUR_MS) / per_unit
    assert np.quantile(np.abs(slope - middle) / middle.max(), 0.999) < 2e-4


@given(INSTANTS)
def test_heat_is_flow_times_cooling(at_ms: int) -> None:
    said = state(meter(Medium.HEAT), at_ms)

    cooling = said["temperature_supply"] - said["temperature_return"]
    assert said["heat_power"] == pytest.approx(KW_PER_M3H_K * said["flow_rate"] * cooling)


def test_heating_water_is_hotter_when_it_is_colder_outside() -> None:
    cold, mild = (state(meter(Medium.HEAT), at)["temperature_supply"] for at in (0, 12 * HOUR_MS))

    assert cold > mild + 5


@given(INSTANTS)
def test_the_wheel_of_a_gas_meter_sees_the_gas_as_it_is(at_ms: int) -> None:
    said = state(meter(Medium.GAS), at_ms)

    as_it_is = (said["temperature"] + 273.15) / STANDARD_K * STANDARD_KPA / said["pressure"]
    assert said["flow_rate_actual"] == pytest.approx(said["flow_rate_standard"] * as_it_is)


@pytest.mark.parametrize("medium", [Medium.ELECTRICITY, Medium.WATER, Medium.GAS, Medium.HEAT])
def test_everything_said_is_what_a_meter_of_the_trade_could_report(medium: Medium) -> None:
    for at_ms in range(0, _DAY_MS, 7 * _STEP_MS + 12_345):
        for name, value in state(meter(medium), at_ms).items():
            assert QUANTITIES[name].low <= value <= QUANTITIES[name].high, name
