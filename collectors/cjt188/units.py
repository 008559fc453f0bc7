"""Codes of units that travel behind a number of CJ/T 188.

Sources: CJ/T 188-2004 table of unit codes, as two public C programs have it independently of one another (constants
`HCU_NBIOT_CJ188_UNIT_*` and `CJ188_UNIT_CODE`); 2C also in the reply of hftangyu.com/563.html.
"""

from __future__ import annotations

from fractions import Fraction

from energy.errors import UnitError
from energy.units import dimension

_J, _WH = Fraction(1), Fraction(3600)
_ENERGY_J = {
    0x01: _J,
    0x02: _WH,
    0x05: _WH * 10**3,
    0x08: _WH * 10**6,
    0x0A: _WH * 10**8,
    0x0B: _J * 10**3,
    0x0E: _J * 10**6,
    0x11: _J * 10**9,
    0x13: _J * 10**11,
}
_CODES: dict[str, dict[int, Fraction]] = {
    "heat": {code: joules / 10**9 for code, joules in _ENERGY_J.items()},
    "active energy": {code: joules / (3600 * 10**3) for code, joules in _ENERGY_J.items()},
    "active power": {0x14: Fraction(1, 1000), 0x17: Fraction(1), 0x1A: Fraction(1000)},
    "volume": {0x29: Fraction(1, 1000), 0x2C: Fraction(1)},
    "flow rate": {0x32: Fraction(1, 1000), 0x35: Fraction(1)},
}


def code_factors(unit: str) -> dict[int, Fraction]:
    """By which a number is multiplied to be in `unit`, for every code that measures the same thing.

    `unit` is one that Jieneng uses inside, such as kW or GJ; UnitError where no code measures that.

    >>> code_factors("m3")[0x29]
    Fraction(1, 1000)
    """
    if dimension(unit) not in _CODES:
        raise UnitError(f"no code of CJ/T 188 measures {dimension(unit)}; give the unit itself")
    return _CODES[dimension(unit)]


def unit_code(unit: str) -> int:
    """The code under which a meter sends numbers in a unit that Jieneng uses inside."""
    return next(code for code, times in code_factors(unit).items() if times == 1)
