"""Factor sets: which factor is used for which carrier, for a purpose and for some years; and converting by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from analytics.carbon.factors import Carrier, Factor, FactorError, FactorKind, amount_in
from energy.confidence import Confidence
from energy.errors import UnitError
from energy.sites import Text
from energy.units import dimension

# A kilogram of standard coal is 7000 kcal, and a kcal 4.1868 kJ, by definition.
GJ_PER_KGCE = Decimal("0.0293076")
GJ_PER_KWH = Decimal("0.0036")

_DIGITS = 50


@dataclass(frozen=True, slots=True)
class Used:
    """A factor that a figure rests on: enough to find it again, and to say how well it is founded."""

    kind: FactorKind
    id: str
    version: str
    value: Decimal
    unit: str
    source: str
    confidence: Confidence

    @classmethod
    def of(cls, factor: Factor) -> Used:
        return cls(factor.kind, factor.id, factor.version, factor.value, factor.unit, factor.source, factor.confidence)


@dataclass(frozen=True, slots=True)
class Converted:
    """What an amount comes to [kgce, kgCO2, GJ].

    kgco2 : None where the set has no factor for a carrier; `without_co2` names it. Missing is not zero.
    gj : the heat in it, whatever coal factor electricity has in the set.
    """

    factor_set: str
    kgce: Decimal
    kgco2: Decimal | None
    gj: Decimal
    used: tuple[Used, ...]
    without_co2: tuple[Carrier, ...] = ()


@dataclass(frozen=True, slots=True)
class FactorSet:
    """A choice of factors, by carrier; it holds from the year `first_year` to `last_year`, or on where that is None."""

    id: str
    version: str
    name: Text
    purpose: Text
    first_year: int
    last_year: int | None
    coal: Mapping[Carrier, Factor]
    co2: Mapping[Carrier, Factor]
    density: Mapping[Carrier, Factor]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.last_year is not None and self.last_year < self.first_year:
            raise ValueError(f"last_year {self.last_year} is before first_year {self.first_year}")
        for kind in FactorKind:
            for carrier, factor in self.chosen(kind).items():
                if (factor.kind, factor.carrier) != (kind, carrier):
                    raise ValueError(f"{factor.id} is {factor.kind} of {factor.carrier}, not {kind} of {carrier}")

    def chosen(self, kind: FactorKind) -> Mapping[Carrier, Factor]:
        """The factors of a kind."""
        return {FactorKind.COAL: self.coal, FactorKind.CO2: self.co2, FactorKind.DENSITY: self.density}[kind]

    def convert(self, carrier: Carrier, amount: Decimal, unit: str, year: int) -> Converted:
        """What an amount of a carrier comes to.

        amount : in `unit`; litres become kilograms by the set's density. year : the one in which it was used.

        UnitError where the unit does not fit the factor, FactorError where the set has no factor or does not hold.
        """
        if not amount.is_finite():
            raise ValueError(f"{amount} {unit} of {carrier} is no amount")
        self._must_hold(carrier, year)
        with localcontext(prec=_DIGITS):
            counts_as = Carrier.ELECTRICITY if carrier is Carrier.SOLAR_SELF_USED else carrier
            coal = self._coal(counts_as)
            amount, unit, weighed = self._weighed(coal, amount, unit)
            kgce = coal.of(amount, unit)
            kgco2, emitting = self._emitted(carrier, amount, unit)
            used = tuple(Used.of(f) for f in (coal, *emitting, *weighed))
            without = () if kgco2 is not None else (carrier,)
            return Converted(self.id, kgce, kgco2, _heat(coal, kgce, amount, unit), used, without)

    def _must_hold(self, carrier: Carrier, year: int) -> None:
        if carrier is Carrier.WATER:
            raise FactorError("water is never converted into standard coal; it is reported by itself, in m3")
        if year < self.first_year or (self.last_year is not None and year > self.last_year):
            until = f"to {self.last_year}" if self.last_year is not None else "on"
            raise FactorError(f"factor set {self.id} holds from {self.first_year} {until}, not for {year}")

    def _coal(self, carrier: Carrier) -> Factor:
        if carrier not in self.coal:
            raise FactorError(f"factor set {self.id} has no coal factor for {carrier}; it has {', '.join(self.coal)}")
        return self.coal[carrier]

    def _weighed(self, coal: Factor, amount: Decimal, unit: str) -> tuple[Decimal, str, tuple[Factor, ...]]:
        """An amount in kg where its factor is per kg and it was given as a volume, and the density for that."""
        if coal.unit != "kg" or unit in ("kg", "t") or dimension(unit) != "volume":
            return amount, unit, ()
        density = self.density.get(coal.carrier)
        if density is None:
            raise UnitError(
                f"{coal.carrier} in {unit} needs a density, and factor set {self.id} has none; give it in kg or t"
            )
        return density.of(amount, unit), "kg", (density,)

    def _emitted(self, carrier: Carrier, amount: Decimal, unit: str) -> tuple[Decimal | None, tuple[Factor, ...]]:
        if carrier is Carrier.SOLAR_SELF_USED:
            return Decimal(0), ()
        factor = self.co2.get(carrier)
        return (None, ()) if factor is None else (factor.of(amount, unit), (factor,))


def _heat(coal: Factor, kgce: Decimal, amount: Decimal, unit: str) -> Decimal:
    """The heat in an amount [GJ]. Electricity and heat have their own; a fuel has what its coal factor says."""
    if coal.carrier is Carrier.ELECTRICITY:
        return amount_in(amount, unit, "kWh") * GJ_PER_KWH
    return amount_in(amount, unit, "GJ") if coal.carrier is Carrier.HEAT else kgce * GJ_PER_KGCE


def total(parts: Iterable[Converted]) -> Converted:
    """The sum of what was converted by one set; its CO2 is None where that of a part is."""
    found = list(parts)
    sets = sorted({p.factor_set for p in found})
    if len(sets) != 1:
        raise FactorError(f"only what one factor set converted is added; these are of {', '.join(sets) or 'none'}")
    without = tuple(dict.fromkeys(c for p in found for c in p.without_co2))
    with localcontext(prec=_DIGITS):
        kgco2 = None if without else sum((p.kgco2 or Decimal(0) for p in found), Decimal(0))
        kgce, gj = sum((p.kgce for p in found), Decimal(0)), sum((p.gj for p in found), Decimal(0))
    return Converted(sets[0], kgce, kgco2, gj, tuple(dict.fromkeys(u for p in found for u in p.used)), without)
