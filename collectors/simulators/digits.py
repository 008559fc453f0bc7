"""A number as a simulated meter shows it in packed digits: rounded, rolled over, and what that reads as again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from collectors.packed_decimal import packed
from energy.quantities import Kind, quantity
from energy.series import Floats


@dataclass(frozen=True, slots=True)
class Digits:
    """`length` bytes of digits under which a quantity of the circuit stands.

    name : of the quantity, as the site calls it. scale : what the whole number is multiplied by to be in its unit,
    transformers included. turned : the meter is built in backwards.
    """

    name: str
    length: int
    scale: Fraction
    signed: bool
    turned: bool

    def packed(self, value: float) -> bytes:
        """The bytes for a value of the circuit."""
        return packed(int(self._whole(np.array([value]))[0]), self.length, signed=self.signed)

    def shown(self, values: Floats) -> Floats:
        """The circuit's values (n,) as one reads them."""
        shown = self._whole(values) * self.scale.numerator / self.scale.denominator
        return -shown if self.turned else shown

    def _whole(self, values: Floats) -> Floats:
        """A counter begins anew where its digits end; what else does not fit is the nearest that does."""
        of_meter = -values if self.turned else values
        whole = np.round(of_meter * self.scale.denominator / self.scale.numerator)
        largest = (8 if self.signed else 10) * 10 ** (2 * self.length - 1)
        if quantity(self.name).kind is Kind.COUNTER and not self.signed:
            return np.asarray(whole % largest)
        return np.clip(whole, 1 - largest if self.signed else 0, largest - 1)
