"""What is plausible, and how little of it would be so by accident."""

from __future__ import annotations

import math

import pytest

from collectors.commissioning.plausible import accident, decades, disagreements, is_plausible
from collectors.makes import load_make, make_ids
from energy.quantities import quantity


def test_a_voltage_in_tenths_would_be_plausible_in_one_of_sixty_five_registers() -> None:
    # 180.0..260.0 and 50.0..70.0 are 800 and 200 steps of 0.1 V, of 65536.
    assert accident(load_make("acrel/adw300"), "voltage_l1") == pytest.approx(1000 / 65536)
    assert decades(load_make("acrel/adw300"), "voltage_l1", 231.0) == pytest.approx(math.log10(65.536))


def test_nothing_proves_nothing() -> None:
    assert decades(load_make("acrel/adw300"), "voltage_l1", 0.0) == 0.0


@pytest.mark.parametrize("make_id", make_ids())
def test_every_quantity_of_every_make_can_be_weighed(make_id: str) -> None:
    make = load_make(make_id)

    assert all(0 < accident(make, name) <= 1 for name in make.quantities)
    assert all(0 <= decades(make, name, quantity(name).high) <= 2 for name in make.quantities)


@pytest.mark.parametrize(
    ("name", "value", "plausible"),
    [
        ("voltage_l1", 231.4, True),
        ("voltage_l1", 57.7, True),
        ("voltage_l1", 2314.0, False),
        ("voltage_l2", 0.0, True),
        ("frequency", 0.0, False),
        ("volume", 2.3e-41, False),
        ("active_energy_import", -1.0, False),
    ],
)
def test_a_meter_may_show_this_and_not_that(name: str, value: float, plausible: bool) -> None:
    assert is_plausible(name, value) is plausible


def test_more_power_than_voltage_times_current_cannot_be() -> None:
    shown = {"voltage_l1": 230.0, "current_l1": 10.0}

    assert disagreements({**shown, "active_power_l1": 2.2}) == []
    assert disagreements({**shown, "active_power_l1": 22.0}) == ["active_power_l1 is 22 kW at 230 V and 10 A"]
