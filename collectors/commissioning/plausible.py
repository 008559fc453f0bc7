"""What a quantity plausibly is at a meter that was just connected, and how little that would be by accident.

Narrower than the bounds of `energy/quantities`, which hold for any meter of the trade: here stands what most meters of
an institution show at their terminals. Evidence is counted in decades: a value that one of a hundred random registers
would also show as plausibly weighs 2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collectors.cjt188.make import RecordMake
from collectors.dlt645.make import ItemMake
from collectors.makes import Make
from collectors.register_map import BITS, Marking, Part, Profile
from energy.quantities import quantity


class Band(NamedTuple):
    """From, to, in the quantity's unit."""

    low: float
    high: float


# Phase voltage of 220/230 V, and 57.7 V behind voltage transformers; between phases 380/400 V and 100 V.
_BANDS: Sequence[tuple[re.Pattern[str], tuple[Band, ...]]] = [
    (re.compile(pattern), bands)
    for pattern, bands in (
        (r"voltage_(l[123]|ln_avg)", (Band(180, 260), Band(50, 70))),
        (r"voltage_(l1l2|l2l3|l3l1|ll_avg)", (Band(310, 450), Band(88, 120))),
        (r"frequency", (Band(45, 65),)),
        (r"current_(l[123]|avg|n)", (Band(-6000, 6000),)),
        (r"(active|reactive|apparent)_power(_l[123])?", (Band(-2e4, 2e4),)),
        (r"power_factor(_l[123])?", (Band(-1.001, 1.001),)),
        (r"(active|reactive)_energy_.*", (Band(0, 1e9),)),
        (r"volume.*", (Band(0, 1e8),)),
        (r"heat_energy", (Band(0, 1e8),)),
        (r"flow_rate.*", (Band(-5e3, 5e3),)),
        (r"heat_power", (Band(-2e5, 2e5),)),
        (r"temperature.*", (Band(-30, 160),)),
        (r"pressure", (Band(-100, 1e4),)),
        (r"sound_speed", (Band(900, 2000),)),
        (r"velocity", (Band(-20, 20),)),
        (r"battery_voltage", (Band(2, 30),)),
    )
]
# A register is rarely random: no single value proves more than this.
_MOST = 2.0
# No meter resolves less in any of our units; whole numbers taken for floats do.
_LEAST = 1e-6
# Exponents of a float of 32 bits; each is as likely in random bits.
_EXPONENTS = {16: 32, 32: 256, 64: 2048}


def bands(name: str) -> tuple[Band, ...]:
    """Where a quantity plausibly lies."""
    for pattern, found in _BANDS:
        if pattern.fullmatch(name):
            return found
    of = quantity(name)
    return (Band(of.low, of.high),)


def is_plausible(name: str, value: float) -> bool:
    """Whether a meter may show this; a phase that is not connected shows 0.

    >>> is_plausible("voltage_l1", 231.4), is_plausible("voltage_l1", 2314.0)
    (True, False)
    """
    if value == 0:
        return not name.startswith(("frequency", "sound"))
    return abs(value) >= _LEAST and any(band.low <= value <= band.high for band in bands(name))


def accident(make: Make, name: str) -> float:
    """The share of random contents of its registers that would show a plausible value, at most 1."""
    if isinstance(make, Profile):
        part = make.register(name).parts[0]
        return min(1.0, sum(_share(part, band) for band in bands(name)))
    digits, scale = _digits(make, name)
    return min(1.0, sum((band.high - max(band.low, 0)) / scale for band in bands(name)) / 2.0 ** (4 * digits))


def _digits(make: ItemMake | RecordMake, name: str) -> tuple[int, float]:
    if isinstance(make, ItemMake):
        item = make.item(name)
        return 2 * item.length, float(item.scale)
    field = make.field(name)
    return 2 * field.length, float(field.scale)


def _share(part: Part, band: Band) -> float:
    bits, scale = BITS[part.type], abs(float(part.scale)) or 1.0
    if part.type.startswith("float"):
        return _float_share(bits, band, scale)
    width = (band.high - (max(band.low, 0.0) if part.type.startswith(("uint", "bcd", "mod10k")) else band.low)) / scale
    if part.type.startswith("bcd"):
        return min(float(10 ** (bits // 4)), width) / 2.0**bits
    if part.type.startswith("mod10k"):
        return min(float(10 ** (bits // 4)), width) / 2.0**bits
    return min(1.0, width / 2.0**bits)


def _float_share(bits: int, band: Band, scale: float) -> float:
    least = 1.0 / _EXPONENTS[bits]
    high = max(abs(band.low), abs(band.high)) / scale
    low = min(abs(band.low), abs(band.high)) / scale if band.low > 0 or band.high < 0 else 0.0
    lowest = 1 - _EXPONENTS[bits] // 2
    octaves = math.log2(high) - (math.log2(low) if low else lowest)
    signs = 1.0 if band.low < 0 < band.high else 0.5
    return max(least / 8, octaves * least * signs)


def decades(make: Make, name: str, value: float) -> float:
    """What a plausible value weighs; 0 weighs nothing, since empty registers show it everywhere."""
    if value == 0:
        return 0.0
    return min(_MOST, -math.log10(accident(make, name)))


def decades_of_meaning(marking: Marking, number: int | None) -> float:
    """What it weighs that a number is one of those that have a meaning; 0 where it is not, or is 0.

    >>> from collectors.register_map import Table, WordOrder
    >>> pipe = Marking("pipe", Table.HOLDING, 7, "uint16", 1, WordOrder.ABCD, means={0x55: "empty", 0xAA: "full"})
    >>> decades_of_meaning(pipe, 0xAA), decades_of_meaning(pipe, 3)
    (2.0, 0.0)
    """
    if not number or marking.type == "string":
        return 0.0
    bits = BITS[marking.type]
    if marking.means:
        held = float(len(marking.means)) if number in marking.means else 0.0
    elif marking.flags:
        held = 2.0 ** len(marking.flags) if not number & ~sum(1 << bit for bit in marking.flags) else 0.0
    else:
        # Packed digits alone are rare enough to say something.
        held = 10.0 ** (bits // 4) if marking.type.startswith("bcd") else 2.0**bits
    return min(_MOST, bits * math.log10(2) - math.log10(held)) if held else 0.0


def disagreements(values: Mapping[str, float]) -> list[str]:
    """What values say that cannot be together: more power than voltage times current, phases that do not add up."""
    found: list[str] = []
    for phase in ("l1", "l2", "l3"):
        power, volts, amperes = (values.get(f"{name}_{phase}") for name in ("active_power", "voltage", "current"))
        if power is None or volts is None or amperes is None:
            continue
        # A current is shown in steps; 20 W is below what any of them resolves.
        if abs(power) > 1.2 * abs(volts * amperes) / 1000 + 0.02 + abs(volts) * 1e-4:
            found.append(f"active_power_{phase} is {power:g} kW at {volts:g} V and {amperes:g} A")
    between, phases = values.get("voltage_l1l2"), [values.get(f"voltage_{phase}") for phase in ("l1", "l2")]
    if between and all(phases):
        mean = sum(v for v in phases if v) / 2
        if not 0.9 < between / (math.sqrt(3) * mean) < 1.1:
            found.append(f"voltage_l1l2 is {between:g} V where the phases have {mean:g} V")
    return found
