"""Dividing what was measured together among those who used it, to the last millionth.

Shares are integers out of a thousand million. The parts of an hour always add up to the hour, and one part can be
computed without the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from analytics.consumption.dated import NotKnown, mean_over
from energy.organisations import Basis, Fact, FactName, Share

Amounts = npt.NDArray[np.int64]

WHOLE = 10**9


@dataclass(frozen=True, slots=True)
class Shares:
    """What each of k beneficiaries has, by weights in any unit; their order decides where a last millionth goes.

    The written basis that they come from stays the same from year to year (DB11/T 1958-2022, 4.1.5).
    """

    weights: tuple[Fraction | int, ...]

    def __post_init__(self) -> None:
        if any(w < 0 for w in self.weights):
            raise ValueError(f"weights must not be below 0: {', '.join(map(str, self.weights))}")
        if not sum(self.weights) > 0:
            raise ValueError("one weight at least must be above 0")


def cumulative(shares: Shares) -> tuple[int, ...]:
    """Where each beneficiary's share begins, and the last one ends: (k + 1,), from 0 to WHOLE, never falling.

    >>> cumulative(Shares((1, 1, 1)))
    (0, 333333333, 666666667, 1000000000)
    """
    total = Fraction(sum(shares.weights))
    return tuple(round(Fraction(s) * WHOLE / total) for s in accumulate(shares.weights, initial=Fraction(0)))


def part(amount: Amounts, low: int, high: int) -> Amounts:
    """What falls to the share [low, high) out of WHOLE, for each hour (n,) [millionths of the unit].

    The parts of `cumulative` shares add up to the hour exactly, and none is of the other sign; an amount below 0 is
    divided as its opposite is. Another order of the beneficiaries moves a part by 1 millionth at most where shares are
    whole out of WHOLE, else by 2 + |amount| / WHOLE.
    """
    if not 0 <= low <= high <= WHOLE:
        raise ValueError(f"a share lies within 0 and {WHOLE}, its end not before its begin: {low} to {high}")
    if amount.dtype != np.int64:
        raise ValueError(f"amounts must be int64 millionths, not {amount.dtype}")
    return _up_to(amount, high) - _up_to(amount, low)


def _up_to(amount: Amounts, edge: int) -> Amounts:
    """amount × edge ÷ WHOLE, halves away from zero; by quotient and remainder, so that nothing overflows."""
    if len(amount) and amount.min() == np.iinfo(np.int64).min:
        raise ValueError("an amount is below what has an opposite in int64")
    quotient, remainder = np.divmod(np.abs(amount), WHOLE)
    up_to: Amounts = np.sign(amount) * (quotient * edge + (remainder * edge + WHOLE // 2) // WHOLE)
    return up_to


def weights_of(share: Share, facts: Sequence[Fact], start: date, end: date) -> dict[str, Fraction]:
    """The weight of each organisation over the days [start, end), in the order of its parts.

    facts : areas [m2], head counts and others, of any organisation; those of the share's basis count, by their days.

    NotKnown names an organisation whose fact is not known on every day: a weight is never guessed.
    """
    if share.basis is Basis.SUB_METER:
        raise ValueError(f"{share.subject[1]}: basis sub_meter has no weights; the sub-meters tell who used what")
    by = share.weighed_by_facts
    if by is None:
        return {part.organisation: Fraction(part.weight or 0) for part in share.parts}
    return {part.organisation: _mean_of(by, part.organisation, facts, start, end) for part in share.parts}


def _mean_of(name: FactName, organisation: str, facts: Sequence[Fact], start: date, end: date) -> Fraction:
    own = [fact for fact in facts if fact.fact is name and fact.organisation == organisation]
    try:
        return mean_over(own, start, end)
    except NotKnown as error:
        raise NotKnown(f"{name} of {organisation}: {error}") from error
