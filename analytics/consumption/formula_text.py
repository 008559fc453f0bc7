"""Formulas between text and terms: recursive descent over their pieces, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from analytics.consumption.formula_tokens import FormulaError, Token, spelled, tokens

MOST_CHARACTERS = 2_000
MOST_NESTED = 50


@dataclass(frozen=True, slots=True)
class Linear:
    """A constant, or a sum of points with coefficients; never both."""

    constant: Fraction
    points: Mapping[str, Fraction]

    def times(self, factor: Fraction) -> Linear:
        return Linear(self.constant * factor, {name: c * factor for name, c in self.points.items()})

    def plus(self, other: Linear) -> Linear:
        points = dict(self.points)
        for name, coefficient in other.points.items():
            points[name] = points.get(name, Fraction(0)) + coefficient
        return Linear(self.constant + other.constant, points)


class _Parser:
    """Recursive descent; each rule takes its tokens and gives what they come to."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._at = 0
        self._nested = 0

    def whole(self) -> Linear:
        found = self._sum()
        if self._next.kind != "end":
            raise FormulaError(f"{self._next.text!r} is not expected here; an operator is", self._column)
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    @property
    def _column(self) -> int:
        return self._next.column

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, kind: str, why: str) -> None:
        if self._next.kind != kind:
            raise FormulaError(f"{kind!r} is missing {why}", self._column)
        self._take()

    def _sum(self) -> Linear:
        found = self._product()
        while self._next.kind in ("+", "-"):
            operator = self._take()
            right = self._product()
            found = _added(found, right if operator.kind == "+" else right.times(Fraction(-1)), operator.column)
        return found

    def _product(self) -> Linear:
        found = self._signed()
        while self._next.kind in ("*", "/"):
            operator = self._take()
            right = self._signed()
            found = (_multiplied if operator.kind == "*" else _divided)(found, right, operator.column)
        return found

    def _signed(self) -> Linear:
        """A value, minus signs before it; depth is counted here, since every nesting comes through."""
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise FormulaError(f"is nested more than {MOST_NESTED} deep", self._column)
        if self._next.kind == "-":
            self._take()
            found = self._signed().times(Fraction(-1))
        else:
            found = self._value()
        self._nested -= 1
        return found

    def _value(self) -> Linear:
        token = self._take()
        match token.kind:
            case "number":
                return Linear(Fraction(token.text), {})
            case "word" if self._next.kind == "(":
                return self._function(token)
            case "word" | "point":
                return Linear(Fraction(0), {token.text: Fraction(1)})
            case "(":
                found = self._sum()
                self._expect(")", f"to close the '(' of column {token.column}")
                return found
            case "end":
                raise FormulaError("the formula ends where a point or a number should stand", token.column)
        raise FormulaError(f"{token.text!r} stands where a point or a number should", token.column)

    def _function(self, name: Token) -> Linear:
        if name.text != "sum":
            raise FormulaError(f"{name.text!r} is no function; known is sum(a, b, ...)", name.column)
        self._take()
        found = self._sum()
        while self._next.kind == ",":
            comma = self._take()
            found = _added(found, self._sum(), comma.column)
        self._expect(")", f"to close the sum of column {name.column}")
        return found


def _added(left: Linear, right: Linear, column: int) -> Linear:
    if bool(left.points) != bool(right.points):
        raise FormulaError("a constant cannot be added to points, since it has no hours", column)
    return left.plus(right)


def _multiplied(left: Linear, right: Linear, column: int) -> Linear:
    if left.points and right.points:
        raise FormulaError("points cannot be multiplied with each other; one side must be a number", column)
    return right.times(left.constant) if right.points else left.times(right.constant)


def _divided(left: Linear, right: Linear, column: int) -> Linear:
    if right.points:
        raise FormulaError("nothing can be divided by points; right of '/' must be a number", column)
    if right.constant == 0:
        raise FormulaError("nothing can be divided by 0", column)
    return left.times(1 / right.constant)


def terms_of(text: str) -> dict[str, Fraction]:
    """Each point of a formula with its coefficient; FormulaError tells the column and what would be right."""
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"a formula has {MOST_CHARACTERS} characters at most, this one {len(text)}")
    found = _Parser(text).whole()
    if not found.points:
        raise FormulaError("a formula needs a point, such as office-a-main; this one is only a number", 1)
    return {name: coefficient for name, coefficient in found.points.items() if coefficient}


def written(terms: tuple[tuple[Fraction, str], ...]) -> str:
    """The text that reads as these terms.

    >>> written(((Fraction(1), "a-main"), (Fraction(-1, 2), "canteen:volume"), (Fraction(1, 3), "2.5")))
    'a-main - 0.5 * canteen:volume + 1 / 3 * [2.5]'
    """
    text = ""
    for coefficient, operand in terms:
        sign = "-" if coefficient < 0 else "+"
        joint = f" {sign} " if text else sign.removeprefix("+")
        text += joint + _scaled(abs(coefficient)) + spelled(operand)
    return text


def _scaled(coefficient: Fraction) -> str:
    if coefficient == 1:
        return ""
    millionths = coefficient * 10**6
    if millionths.denominator == 1:
        whole, part = divmod(millionths.numerator, 10**6)
        return f"{whole}.{part:06d}".rstrip("0").rstrip(".") + " * "
    return f"{coefficient.numerator} / {coefficient.denominator} * "
