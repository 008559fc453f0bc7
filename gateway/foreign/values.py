"""A value of theirs as one of ours: exact scaling with one rounding, what means that there is none, and quality."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from adapters.mapping_files import CodesWords, QualityWord, QuantityWords, conversion
from adapters.wire import Flag
from energy.readings import Reason

_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)

NO_NUMBER = Flag("bad", Reason.NOT_A_NUMBER.value)
SENTINEL = Flag("bad", Reason.SENTINEL.value)
RECEIVED = Flag("uncertain", Reason.RECEIVED.value)
_MARKED: Mapping[QualityWord, Flag | None] = {
    "good": None,
    "uncertain": Flag("uncertain", Reason.MARKED.value),
    "bad": Flag("bad", Reason.MARKED.value),
}


class Mistyped(ValueError):
    """What stands there is neither a number nor one of the things that mean that there is none."""


class Entry:
    """What a name of theirs stands for: a quantity, of a meter where the mapping says so."""

    def __init__(self, words: QuantityWords) -> None:
        self.quantity, self.meter = words.is_, words.meter
        factor, offset = conversion(words)
        self._as_is = factor == 1 and offset == 0
        # value · n / d + m / e = (value · n · e + m · d) / (d · e), so that integers are rounded once.
        self._n = factor.numerator * offset.denominator
        self._m = offset.numerator * factor.denominator
        self._d = factor.denominator * offset.denominator
        self._missing = frozenset(words.missing)
        self._plain = self._as_is and not self._missing and self.meter is None

    def goes_into(self, values: Mapping[str, float | None]) -> bool:
        """Whether a float is taken as it is, among the values of the meter that the row names."""
        return self._plain and self.quantity not in values

    def value(self, raw: object, *, text: bool) -> tuple[float | None, Flag | None]:
        """The value in the unit of the quantity, or None with the flag that says why; Mistyped where it is none.

        text : whether a number may stand in a text.
        """
        kind = type(raw)
        if kind is float or kind is int:
            if self._missing and raw in self._missing:
                return None, SENTINEL
            return self._scaled(raw), None  # type: ignore[arg-type]
        if raw is None:
            return None, NO_NUMBER
        if isinstance(raw, str):
            if raw in self._missing:
                return None, SENTINEL
            if text and _NUMBER.fullmatch(raw):
                exact = Fraction(raw)
                if float(exact) in self._missing:
                    return None, SENTINEL
                return _quotient(exact.numerator * self._n + self._m * exact.denominator, self._d * exact.denominator)
        raise Mistyped(f"{str(raw)[:60]!r} is no number")

    def _scaled(self, value: float | int) -> float | None:
        if self._as_is:
            return _float(value)
        if isinstance(value, int):
            return _quotient(value * self._n + self._m, self._d)[0]
        if not math.isfinite(value):
            return value
        # The shortest text of a float is the decimal that was written, up to 15 digits.
        numerator, denominator = Decimal(repr(value)).as_integer_ratio()
        return _quotient(numerator * self._n + self._m * denominator, self._d * denominator)[0]


def _float(value: float | int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _quotient(numerator: int, denominator: int) -> tuple[float, None]:
    """The quotient, rounded once; infinite beyond what a float holds, which no bound lets pass."""
    try:
        return numerator / denominator, None
    except OverflowError:
        return (math.inf if numerator > 0 else -math.inf), None


class Codes:
    """Codes of quality by what they mean."""

    def __init__(self, words: CodesWords) -> None:
        self._otherwise = _MARKED[words.otherwise]
        # 1 and true are equal for Python, and not for who writes a mapping.
        meanings: tuple[tuple[QualityWord, list[str | int | bool]], ...]
        meanings = (("good", words.good), ("uncertain", words.uncertain), ("bad", words.bad))
        self._known = {(isinstance(code, bool), code): _MARKED[word] for word, codes in meanings for code in codes}

    def flag(self, code: object) -> Flag | None:
        """The flag that a code stands for; None where it is good."""
        if not isinstance(code, str | int | float):
            return self._otherwise
        return self._known.get((isinstance(code, bool), code), self._otherwise)  # type: ignore[arg-type]


def marked(word: QualityWord) -> Flag | None:
    """The flag of a quality."""
    return _MARKED[word]


def worse(one: Flag | None, another: Flag | None) -> Flag | None:
    """The flag that says more against a value; the first of equals."""
    if one is None or another is None:
        return one or another
    return another if another.quality == "bad" and one.quality != "bad" else one
