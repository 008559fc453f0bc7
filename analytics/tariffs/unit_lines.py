"""The lines of a bill that hang on the use: energy by band, tiers, excess beyond a quota, what each unit bears."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from analytics.tariffs.account import Missing, Use
from analytics.tariffs.bill_lines import Found, Line, LineKind, line
from analytics.tariffs.hours import Band
from analytics.tariffs.steps import Span, portions
from analytics.tariffs.tariff import Prices, Tariff, Version
from energy.errors import EnergyError
from energy.quantities import Medium
from energy.sites import Text

_CHARGE = {
    Medium.ELECTRICITY: Text("电度电费", "Energy"),
    Medium.WATER: Text("基本水费", "Water"),
    Medium.GAS: Text("燃气费", "Gas"),
    Medium.HEAT: Text("计量热费", "Metered heat"),
}


def energy_lines(tariff: Tariff, version: Version, month: str, use: Use) -> Iterator[Found]:
    """What is used, at its price or at that of each band."""
    if not version.prices and not version.monthly:
        return
    prices = version.prices_in(month)
    if not use.bands:
        yield Missing.USE
    elif prices is None:
        yield Missing.PRICE
    elif Band.NONE in prices:
        yield line(LineKind.ENERGY, _CHARGE[tariff.medium], use.total, tariff.unit, prices[Band.NONE])
    elif use.bands.get(Band.NONE, 0) > 0:
        yield Missing.BANDS
    else:
        yield from _by_band(tariff, prices, use)


def _by_band(tariff: Tariff, prices: Prices, use: Use) -> Iterator[Line]:
    for band, used in sorted(use.bands.items()):
        if band in prices:
            name = Text(f"{band.text.zh}电费", f"{band.text.en} energy")
            yield line(LineKind.ENERGY, name, used, tariff.unit, prices[band])
        elif used > 0:
            raise EnergyError(
                f"tariff {tariff.id} has no price for {band.word}, in which {used} {tariff.unit} were used"
            )


def _before(period: Span, month: str, use: Use) -> Decimal | None:
    """What was used in the period before this month, None where it is not told."""
    return Decimal(0) if period is Span.MONTH or month.endswith("-01") else use.used_before


def tier_lines(tariff: Tariff, version: Version, month: str, use: Use) -> Iterator[Found]:
    """What is used, at the price of each step that it reaches."""
    tiers = version.tiers
    if tiers is None:
        return
    before = _before(tiers.period, month, use)
    if not use.bands or before is None:
        yield Missing.USED_BEFORE if use.bands else Missing.USE
        return
    parts = portions(before, before + use.total, tiers.edges)
    for i, (step, part) in enumerate(zip(tiers.steps, parts, strict=True), start=1):
        if part > 0:
            yield line(LineKind.TIER, Text(f"第{i}阶梯", f"Step {i}"), part, tariff.unit, step.price)


def excess_lines(tariff: Tariff, version: Version, month: str, use: Use) -> Iterator[Found]:
    """The surcharge on what is used beyond the quota."""
    excess, prices = version.excess, version.prices_in(month)
    if excess is None or prices is None or not use.bands:
        return
    before = _before(excess.period, month, use)
    if before is None or use.quota is None:
        yield Missing.USED_BEFORE if before is None else Missing.QUOTA
        return
    parts = portions(before, before + use.total, excess.edges(use.quota))
    for i, (step, part) in enumerate(zip(excess.steps, parts, strict=True), start=1):
        if part > 0:
            name = Text(f"超定额加价第{i}档", f"Beyond the quota, step {i}")
            yield line(LineKind.EXCESS, name, part, tariff.unit, prices[Band.NONE] * step.multiple)


def added_lines(tariff: Tariff, version: Version, use: Use) -> Iterator[Found]:
    """Components and surcharges of each unit."""
    kinds = ((LineKind.COMPONENT, version.components), (LineKind.SURCHARGE, version.surcharges))
    for kind, parts in kinds:
        for part in parts:
            yield line(kind, part.name, use.total, tariff.unit, part.price) if use.bands else Missing.USE
