"""Units and exact conversion between them.

A meter speaks W, Wh or MPa; inside there is one unit per dimension (kW, kWh, kPa, ...). Factors are fractions, so that
an integer register converts with a single rounding.
"""

from __future__ import annotations

from fractions import Fraction

from energy.errors import UnitError

# unit -> (dimension, factor to the unit that Jieneng uses for this dimension)
_UNITS: dict[str, tuple[str, Fraction]] = {
    "Wh": ("active energy", Fraction(1, 1000)),
    "kWh": ("active energy", Fraction(1)),
    "MWh": ("active energy", Fraction(1000)),
    "varh": ("reactive energy", Fraction(1, 1000)),
    "kvarh": ("reactive energy", Fraction(1)),
    "W": ("active power", Fraction(1, 1000)),
    "kW": ("active power", Fraction(1)),
    "MW": ("active power", Fraction(1000)),
    # 1 GJ = 10^9 J and 1 h = 3600 s, by definition of the units
    "GJ/h": ("active power", Fraction(10**9, 3600 * 1000)),
    "var": ("reactive power", Fraction(1, 1000)),
    "kvar": ("reactive power", Fraction(1)),
    "VA": ("apparent power", Fraction(1, 1000)),
    "kVA": ("apparent power", Fraction(1)),
    "mV": ("voltage", Fraction(1, 1000)),
    "V": ("voltage", Fraction(1)),
    "kV": ("voltage", Fraction(1000)),
    "mA": ("current", Fraction(1, 1000)),
    "A": ("current", Fraction(1)),
    "Hz": ("frequency", Fraction(1)),
    "L": ("volume", Fraction(1, 1000)),
    "m3": ("volume", Fraction(1)),
    "L/h": ("flow rate", Fraction(1, 1000)),
    "m3/h": ("flow rate", Fraction(1)),
    "kg": ("mass", Fraction(1)),
    "t": ("mass", Fraction(1000)),
    "MJ": ("heat", Fraction(1, 1000)),
    "GJ": ("heat", Fraction(1)),
    "degC": ("temperature", Fraction(1)),
    "kPa": ("pressure", Fraction(1)),
    "MPa": ("pressure", Fraction(1000)),
    "bar": ("pressure", Fraction(100)),
    "m/s": ("velocity", Fraction(1)),
    "W/m2": ("irradiance", Fraction(1)),
    "deg": ("angle", Fraction(1)),
    "%": ("percentage", Fraction(1)),
    "1": ("ratio", Fraction(1)),
    "": ("none", Fraction(1)),
}


def dimension(unit: str) -> str:
    """What a unit measures, in words.

    >>> dimension("GJ/h")
    'active power'
    """
    if unit not in _UNITS:
        raise UnitError(f"unit {unit!r} is not known; known are {', '.join(u for u in _UNITS if u)}")
    return _UNITS[unit][0]


def factor(given: str, wanted: str) -> Fraction:
    """The exact number by which a value in `given` is multiplied to be in `wanted`.

    >>> factor("Wh", "kWh")
    Fraction(1, 1000)
    """
    if dimension(given) != dimension(wanted):
        raise UnitError(
            f"{given!r} measures {dimension(given)} and {wanted!r} measures {dimension(wanted)}: "
            "there is no factor between them"
        )
    return _UNITS[given][1] / _UNITS[wanted][1]


# As people write them; all others are written as they are named.
_SIGNS = {"m3": "m³", "m3/h": "m³/h", "degC": "°C", "1": "", "W/m2": "W/m²"}


def sign(unit: str) -> str:
    """A unit as it is written for people.

    >>> sign("m3"), sign("kWh")
    ('m³', 'kWh')
    """
    return _SIGNS.get(unit, unit)
