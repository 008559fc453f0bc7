"""Values that do not fit together, each fault with the way to its key, as a tariff file has it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

Way = tuple[str | int, ...]
Fault = tuple[Way, str]

# Prices are held in micro-yuan where they meet amounts.
PRICE_DIGITS = 6
# Far above any price of a unit, and as much as 64 bits hold times 10^9 units.
MOST_YUAN = 9000


class Unfit(ValueError):
    """A value refuses to be made; `faults` holds (way to the key, sentence) for each reason, all of them at once."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.faults = faults


def refuse(faults: list[Fault]) -> None:
    """Raise what was found, if anything was."""
    if faults:
        raise Unfit(faults)


def price_faults(way: Way, price: Decimal, *, negative: bool | None = None) -> Iterator[Fault]:
    """Why a number is no price in yuan; `negative` says whether the version allows it, None where it never may."""
    if not price.is_finite():
        yield way, "is not a number"
    elif abs(price) > MOST_YUAN:
        yield way, f"is more than {MOST_YUAN} yuan; prices are in yuan"
    elif price != round(price, PRICE_DIGITS):
        yield way, f"has more than {PRICE_DIGITS} decimals; prices are in yuan"
    elif price < 0 and negative is None:
        yield way, "must be 0 or more"
    elif price < 0 and not negative:
        yield way, "is below 0; if that is meant, say `negative_prices: true` in this version"
