"""Factors: what one unit of a carrier comes to, where the figure stands, and how well it is founded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from energy.confidence import Confidence
from energy.errors import EnergyError
from energy.sites import Text
from energy.units import factor as unit_factor


class FactorError(EnergyError):
    """A factor that is not there, that does not hold for the year, or that may not be used for this."""


class Carrier(StrEnum):
    """What carries energy, as the statistics tell them apart; water carries none, and is named to be refused."""

    ELECTRICITY = "electricity"
    # Electricity of own solar plant that was used at the place: it counts as electricity and emits nothing.
    SOLAR_SELF_USED = "solar_self_used"
    COAL = "coal"
    NATURAL_GAS = "natural_gas"
    COAL_GAS = "coal_gas"
    LPG = "lpg"
    PETROL = "petrol"
    DIESEL = "diesel"
    KEROSENE = "kerosene"
    FUEL_OIL = "fuel_oil"
    CRUDE_OIL = "crude_oil"
    HEAT = "heat"
    STEAM = "steam"
    WATER = "water"


class FactorKind(StrEnum):
    """What a factor gives, per unit of its carrier."""

    COAL = "coal"
    CO2 = "co2"
    DENSITY = "density"

    @property
    def gives(self) -> str:
        return {"coal": "kgce", "co2": "kgCO2", "density": "kg"}[self.value]


@dataclass(frozen=True, slots=True)
class Band:
    """What a factor of a kind and carrier is given per, and between what it lies if it is no slip of the pen."""

    unit: str
    low: Decimal
    high: Decimal


def _band(unit: str, low: str, high: str) -> Band:
    return Band(unit, Decimal(low), Decimal(high))


_OIL_COAL, _OIL_CO2, _OIL_DENSITY = _band("kg", "1", "2"), _band("kg", "2.5", "3.5"), _band("L", "0.6", "1")
_OILS = (Carrier.PETROL, Carrier.DIESEL, Carrier.KEROSENE, Carrier.FUEL_OIL, Carrier.CRUDE_OIL)

# Coal factors of electricity, gas and oil: the bands of an audit tool, by one copy. The others: our own, so wide that
# they hold every figure that is known and so narrow that none of them can be ten times too large or too small.
BANDS: dict[tuple[FactorKind, Carrier], Band] = {
    (FactorKind.COAL, Carrier.ELECTRICITY): _band("kWh", "0.1", "1"),
    (FactorKind.COAL, Carrier.NATURAL_GAS): _band("m3", "0.5", "2.5"),
    (FactorKind.COAL, Carrier.COAL_GAS): _band("m3", "0.15", "1"),
    (FactorKind.COAL, Carrier.LPG): _OIL_COAL,
    (FactorKind.COAL, Carrier.COAL): _band("kg", "0.3", "1.2"),
    (FactorKind.COAL, Carrier.HEAT): _band("GJ", "30", "40"),
    (FactorKind.COAL, Carrier.STEAM): _band("kg", "0.08", "0.15"),
    (FactorKind.CO2, Carrier.ELECTRICITY): _band("kWh", "0.05", "1.3"),
    (FactorKind.CO2, Carrier.NATURAL_GAS): _band("m3", "1.5", "3"),
    (FactorKind.CO2, Carrier.COAL_GAS): _band("m3", "0.2", "1.5"),
    (FactorKind.CO2, Carrier.LPG): _OIL_CO2,
    (FactorKind.CO2, Carrier.COAL): _band("kg", "1", "3.5"),
    (FactorKind.CO2, Carrier.HEAT): _band("GJ", "20", "200"),
    (FactorKind.CO2, Carrier.STEAM): _band("kg", "0.05", "0.6"),
    **{(FactorKind.COAL, oil): _OIL_COAL for oil in _OILS},
    **{(FactorKind.CO2, oil): _OIL_CO2 for oil in _OILS},
    **{(FactorKind.DENSITY, oil): _OIL_DENSITY for oil in _OILS},
}


@dataclass(frozen=True, slots=True)
class Factor:
    """`value` kgce, kgCO2 or kg per `unit` of the carrier. ValueError where it cannot be right."""

    kind: FactorKind
    id: str
    name: Text
    carrier: Carrier
    unit: str
    value: Decimal
    version: str
    source: str
    confidence: Confidence
    year: int | None = None
    region: Text | None = None
    note: str = ""

    def __post_init__(self) -> None:
        band = BANDS.get((self.kind, self.carrier))
        if band is None:
            raise ValueError(f"{self.carrier} has no {self.kind} factor here")
        if self.unit != band.unit:
            raise ValueError(f"must be {self.kind.gives} per {band.unit}, not per {self.unit}")
        if not band.low <= self.value <= band.high:
            raise ValueError(
                f"{self.value} {self.kind.gives}/{self.unit} is not within {band.low}..{band.high}, "
                f"where factors of {self.carrier} lie; is the unit right?"
            )

    def of(self, amount: Decimal, unit: str) -> Decimal:
        """What an amount comes to; UnitError where its unit does not measure what the factor is given per."""
        return amount_in(amount, unit, self.unit) * self.value


def ratio_of_units(given: str, wanted: str) -> Fraction:
    """The exact number by which an amount in `given` is multiplied to be in `wanted`; kg and t too.

    >>> ratio_of_units("t", "kg")
    Fraction(1000, 1)
    >>> ratio_of_units("L", "kg")
    Traceback (most recent call last):
    energy.errors.UnitError: 'L' measures volume and 'kg' measures mass: there is no factor between them
    """
    return unit_factor(given, wanted)


def amount_in(amount: Decimal, given: str, wanted: str) -> Decimal:
    """An amount in another unit of what it measures."""
    ratio = ratio_of_units(given, wanted)
    return amount * ratio.numerator / ratio.denominator
