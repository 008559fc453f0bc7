"""What the registers show, the decoder turns back into what the circuit carried."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.decoder import compile_meter, transformer_ratios
from collectors.meter_profile import Part, Profile, Register, Table, WordOrder, load_profile, profile_ids
from collectors.planner import RequestCost
from collectors.simulators.registers import RegisterMap, limits
from energy.quantities import Medium, quantity
from energy.sites import Meter, Text


def installed(profile: Profile, *, ct: float = 1.0, pt: float = 1.0, reversed_: bool = False) -> Meter:
    name = Text("表", "meter")
    meter = Meter("m", name, profile.medium, profile=profile.id, ct=ct, pt=pt, reversed=reversed_)
    return replace(meter, quantities=RegisterMap(meter, profile).quantities)


def read_back(meter: Meter, profile: Profile, values: dict[str, float]) -> dict[str, float]:
    """What the edge would read of a meter that carries these values."""
    images = RegisterMap(meter, profile).images(values)
    found: dict[str, float] = {}
    for plan in compile_meter(meter, profile, RequestCost.tcp()):
        words = images[plan.block.table].read(plan.block.address, plan.block.count)
        assert words is not None
        for decoded in plan.decode(words):
            assert decoded.value is not None
            found[decoded.quantity] = decoded.value
    return found


def one_register(of_type: str, name: str, scale: Fraction = Fraction(1)) -> tuple[Meter, Profile]:
    part = Part(Table.HOLDING, 0, of_type, WordOrder.ABCD, scale)
    profile = Profile("x/y", "x", "y", Medium.ELECTRICITY, ("test",), (), 125, (Register(name, (part,)),))
    return installed(profile), profile


def capacity(register: Register, ratio: Fraction) -> float:
    """The greatest value that a register shows."""
    first = register.parts[0]
    whole = 1e7 if first.type.startswith("float") else limits(first.type, counter=True)[1]
    return float(whole * first.scale * ratio) * 0.999


def resolution(register: Register, ratio: Fraction, value: float) -> float:
    """By how much a register may be off."""
    last = register.parts[-1]
    if last.type.startswith("float"):
        return abs(value) * 2.0**-24 + 1e-30
    return float(last.scale * ratio) / 2 + abs(value) * 1e-12


@pytest.mark.parametrize("profile_id", profile_ids())
@settings(max_examples=40)
@given(
    shares=st.lists(st.floats(0, 1), min_size=60, max_size=60),
    ct=st.sampled_from([1.0, 1.5, 40.0, 120.0]),
    pt=st.sampled_from([1.0, 100.0]),
    reversed_=st.booleans(),
)
def test_the_decoder_reads_what_was_encoded_to_the_registers_resolution(
    profile_id: str, shares: list[float], ct: float, pt: float, reversed_: bool
) -> None:
    profile = load_profile(profile_id)
    meter = installed(profile, ct=ct, pt=pt, reversed_=reversed_)
    ratios = transformer_ratios(meter)
    held = zip(meter.quantities, profile.registers, strict=True)
    registers = {name: (register, ratios[quantity(name).transformed]) for name, register in held}
    values = {
        name: share**3 * min(capacity(*of_name), 0.99 * quantity(name).high)
        for share, (name, of_name) in zip(shares, registers.items(), strict=False)
    }
    if reversed_:
        # A wheel that turns backwards needs a register with a sign.
        unsigned = {n for n, (r, _) in registers.items() if r.parts[0].type.startswith(("uint", "bcd"))}
        values = {n: 0.0 if n in unsigned and ("power" in n or n == "flow_rate") else v for n, v in values.items()}

    found = read_back(meter, profile, values)

    for name in meter.quantities:
        assert math.isclose(found[name], values[name], rel_tol=0, abs_tol=resolution(*registers[name], values[name]))


@pytest.mark.parametrize("profile_id", profile_ids())
def test_a_history_shows_exactly_what_would_have_been_read(profile_id: str) -> None:
    profile = load_profile(profile_id)
    meter = installed(profile, ct=40.0, reversed_=True)
    highs = {name: quantity(name).high for name in meter.quantities}
    values = {n: min(0.99 * high, 0.37 * min(high, 1e4) + i / 7) for i, (n, high) in enumerate(highs.items())}
    shown = RegisterMap(meter, profile)

    for name, value in read_back(meter, profile, values).items():
        assert shown.shown(name, np.array([values[name]]))[0] == value


def test_a_meter_wired_backwards_holds_import_as_export_and_power_as_negative() -> None:
    profile = load_profile("eastron/sdm630")
    registers = RegisterMap(installed(profile, reversed_=True), profile)
    values = {"active_power": 2.0, "active_energy_import": 5.0, "current_l1": 9.0}

    plain = installed(profile)
    words = registers.images(values)[Table.INPUT]
    found = {
        d.quantity: d.value
        for plan in compile_meter(plain, profile, RequestCost.tcp())
        for d in plan.decode(words.read(plan.block.address, plan.block.count) or b"")
    }

    assert (found["active_power"], found["active_energy_export"], found["active_energy_import"]) == (-2, 5, 0)
    assert found["current_l1"] == 9


@pytest.mark.parametrize(
    ("of_type", "modulus"),
    [("uint16", 2**16), ("uint32", 2**32), ("int32", 2**31), ("bcd32", 10**8), ("bcd48", 10**12), ("int16", 2**15)],
)
def test_a_counter_rolls_over_where_its_register_does(of_type: str, modulus: int) -> None:
    meter, profile = one_register(of_type, "active_energy_import")

    assert read_back(meter, profile, {"active_energy_import": modulus - 1.0}) == {"active_energy_import": modulus - 1}
    assert read_back(meter, profile, {"active_energy_import": modulus + 5.0}) == {"active_energy_import": 5}


@pytest.mark.parametrize(
    ("of_type", "value", "shown"),
    [
        ("uint16", 70_000.0, 65_535),
        ("uint16", -3.0, 0),
        ("int16", 40_000.0, 32_767),
        ("int16", -40_000.0, -32_768),
        ("int32", 3e9, 2_147_483_647),
        ("bcd16", 12_345.0, 9999),
        ("uint16", math.inf, 65_535),
        ("uint16", math.nan, 0),
        ("int64", 1e30, 2.0**63),
        ("uint64", 1e30, 2.0**64),
    ],
)
def test_what_does_not_fit_is_shown_as_the_nearest_that_does(of_type: str, value: float, shown: float) -> None:
    meter, profile = one_register(of_type, "active_power")

    assert read_back(meter, profile, {"active_power": value}) == {"active_power": shown}


def test_a_float_that_is_too_large_is_the_largest() -> None:
    meter, profile = one_register("float32", "active_power")

    assert read_back(meter, profile, {"active_power": 1e300})["active_power"] == pytest.approx(3.4028235e38)


def test_a_total_of_an_integer_and_a_fraction_keeps_its_decimals() -> None:
    profile = load_profile("tuf/tuf-2000")

    found = read_back(installed(profile), profile, {"volume": 1_234_567.625})

    assert found["volume"] == 1_234_567.625
