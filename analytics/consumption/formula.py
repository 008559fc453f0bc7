"""Virtual meters: what is reckoned from points instead of measured, as sums of points with exact coefficients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from math import lcm

import numpy as np
import numpy.typing as npt

from analytics.consumption.formula_text import terms_of, written
from analytics.consumption.formula_tokens import OPERAND_PATTERN, FormulaError
from energy.errors import UnknownName
from energy.series import Floats

__all__ = ["Evaluated", "Formula", "FormulaError", "circles", "evaluate", "flattened", "parse"]

Amounts = npt.NDArray[np.int64]
Known = npt.NDArray[np.bool_]
Formulas = Mapping[str, "Formula"]

_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Formula:
    """Points with their coefficients, in the order of their names: formulas that mean the same are equal."""

    terms: tuple[tuple[Fraction, str], ...]

    def __post_init__(self) -> None:
        names = self.operands
        if not self.terms:
            raise FormulaError("all points cancel out: nothing is left to be reckoned")
        if list(names) != sorted(set(names)):
            raise ValueError(f"operands must be in order, none twice: {', '.join(names)}")
        for coefficient, name in self.terms:
            if coefficient == 0 or not re.fullmatch(OPERAND_PATTERN, name):
                raise ValueError(f"{coefficient} * {name!r} is no term")

    def __str__(self) -> str:
        return written(self.terms)

    @property
    def operands(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.terms)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A virtual meter hour by hour.

    amount : (n,) of the operands that are known [millionths of the unit]; 0 and without meaning where none is.
    known_share : (n,) how many of the operands are known, by count, 0 to 1.
    """

    amount: Amounts
    known_share: Floats


def parse(text: str) -> Formula:
    """The formula of a text; FormulaError tells the column and what would be right.

    >>> parse("office-a-main + office-b-main - 0.5 * [canteen:volume]").operands
    ('canteen:volume', 'office-a-main', 'office-b-main')
    >>> parse("a -b")
    Traceback (most recent call last):
    analytics.consumption.formula_tokens.FormulaError: column 3: '-' needs a space on both sides: 'a - b'
    """
    return _formula(terms_of(text))


def _formula(coefficients: Mapping[str, Fraction]) -> Formula:
    return Formula(tuple((coefficients[name], name) for name in sorted(coefficients) if coefficients[name]))


def circles(formulas: Formulas) -> list[str]:
    """Each circle in which virtual meters stand on each other, as `a -> b -> a`; empty where all is well."""
    found: list[str] = []
    stands_on = _stands_on(formulas)
    while (circle := _circle(stands_on)) is not None:
        found.append(" -> ".join(circle))
        stands_on[circle[0]].remove(circle[1])
    return found


def _stands_on(formulas: Formulas) -> dict[str, list[str]]:
    """The virtual meters that each one names itself."""
    virtual = {
        name: [v for o in formula.operands if (v := _virtual(formulas, o)) is not None]
        for name, formula in formulas.items()
    }
    return {name: sorted(set(others)) for name, others in virtual.items()}


def _virtual(formulas: Formulas, operand: str) -> str | None:
    """The virtual meter that an operand means. It has one amount, so naming its quantity means the same."""
    for name in (operand, operand.partition(":")[0]):
        if name in formulas:
            return name
    return None


def _circle(stands_on: Mapping[str, list[str]]) -> list[str] | None:
    try:
        TopologicalSorter(stands_on).prepare()
    except CycleError as error:
        # graphlib tells it from what is stood on to what stands on it.
        circle: list[str] = error.args[1][::-1]
        first = circle.index(min(circle))
        return [*circle[first:-1], *circle[:first], circle[first]]
    return None


def flattened(formulas: Formulas, id: str) -> Formula:
    """A virtual meter in terms of measured points, exactly, however deep virtual meters stand on each other."""
    if id not in formulas:
        raise UnknownName(f"virtual meter {id!r} is not known; known are {', '.join(sorted(formulas)) or '(none)'}")
    stands_on = _stands_on(formulas)
    needed = _needed(stands_on, id)
    circle = _circle(needed)
    if circle is not None:
        raise FormulaError(f"virtual meters stand on each other in a circle: {' -> '.join(circle)}")
    flat: dict[str, dict[str, Fraction]] = {}
    for name in TopologicalSorter(needed).static_order():
        flat[name] = _flat(formulas, name, flat)
    return _formula(flat[id])


def _needed(stands_on: Mapping[str, list[str]], id: str) -> dict[str, list[str]]:
    needed: dict[str, list[str]] = {}
    waiting = [id]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = list(stands_on[name])
            waiting += stands_on[name]
    return needed


def _flat(formulas: Formulas, name: str, flat: Mapping[str, Mapping[str, Fraction]]) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for coefficient, operand in formulas[name].terms:
        virtual = _virtual(formulas, operand)
        inner = {operand: Fraction(1)} if virtual is None else flat[virtual]
        for point, share in inner.items():
            found[point] = found.get(point, Fraction(0)) + coefficient * share
    return found


def evaluate(formula: Formula, amounts: Mapping[str, tuple[Amounts, Known]]) -> Evaluated:
    """The hours of a virtual meter, from those of its operands.

    Parameters
    ----------
    formula : flattened before, so that each hour is rounded once.
    amounts : of each operand its hours (n,) [millionths of the unit] and whether each is known (n,). An operand that is
        not given is not known in any hour; one at least must be given.

    Returns
    -------
    The sum of coefficient × amount over the operands that are known, exact, rounded once, halves to even. A child that
    is missing never stalls its parent: `known_share` tells. ValueError where a sum is beyond int64.
    """
    given = [(c, *_checked(name, *amounts[name])) for c, name in formula.terms if name in amounts]
    if not given:
        raise ValueError(f"no operand is given; the formula has {', '.join(formula.operands)}")
    if len({len(amount) for _, amount, _ in given}) > 1:
        raise ValueError("operands must have the same hours")
    denominator = lcm(*(c.denominator for c, _, _ in given))
    weighted = [(int(c * denominator), np.where(known, amount, 0)) for c, amount, known in given]
    share = np.sum([known for _, _, known in given], axis=0) / len(formula.terms)
    return Evaluated(_weighted_sum(weighted, denominator), share)


def _checked(name: str, amount: Amounts, known: Known) -> tuple[Amounts, Known]:
    if amount.dtype != np.int64 or known.dtype != np.bool_ or amount.shape != known.shape or amount.ndim != 1:
        raise ValueError(f"{name}: needs int64 amounts and bools of one shape, not {amount.dtype} and {known.dtype}")
    return amount, known


def _weighted_sum(weighted: list[tuple[int, Amounts]], denominator: int) -> Amounts:
    """Σ weight × amount ÷ denominator in int64 where that cannot overflow, in Python's integers where it could."""
    most = sum(abs(w) * max(abs(int(a.max(initial=0))), abs(int(a.min(initial=0)))) for w, a in weighted)
    fits = max(most, denominator, *(abs(w) for w, _ in weighted)) <= _MOST // 2
    kind: type = np.int64 if fits else object
    total: npt.NDArray[np.int64] = np.zeros(len(weighted[0][1]), dtype=kind)
    for weight, amount in weighted:
        total = total + weight * amount.astype(kind)
    rounded = _half_to_even(total, denominator)
    if not fits and len(rounded) and max(abs(int(rounded.max())), abs(int(rounded.min()))) > _MOST:
        raise ValueError(f"the formula gives more than {_MOST} millionths in an hour")
    return rounded.astype(np.int64)


def _half_to_even(total: npt.NDArray[np.int64], denominator: int) -> npt.NDArray[np.int64]:
    whole = total // denominator
    twice = 2 * (total - whole * denominator)
    up = (twice > denominator) | ((twice == denominator) & (whole % 2 == 1))
    rounded: npt.NDArray[np.int64] = whole + up.astype(whole.dtype)
    return rounded
