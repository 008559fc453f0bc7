"""Formulas as they are written: the pieces of their text.

A number is digits with at most one point. A point is written bare (`office-a-main`, `canteen:volume`), in square
brackets or in double quotes. Operators stand between spaces, so a '-' without them belongs to a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from energy.errors import EnergyError
from energy.sites import ID_PATTERN

OPERAND_PATTERN = rf"{ID_PATTERN}(?::[a-z][a-z0-9_]{{0,63}})?"

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_QUOTED = re.compile(r'\[([^\[\]"]*)\]|"([^\[\]"]*)"')
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LIKE_NUMBERS = re.compile(r"[0-9.-]+")
# What keyboards of the trade give instead of what is meant.
_MEANT = {"（": "(", "）": ")", "，": ",", "、": ",", "＋": "+", "－": "-", "−": "-", "–": "-", "×": "*", "÷": "/"}


class FormulaError(EnergyError):
    """A formula that cannot be; `column` is where in its text, from 1, and None where it is about the whole."""

    def __init__(self, sentence: str, column: int | None = None) -> None:
        super().__init__(sentence if column is None else f"column {column}: {sentence}")
        self.column = column


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a formula; `kind` is number, point, word (which may be a function), an operator, a bracket or end."""

    kind: str
    text: str
    column: int


def tokens(text: str) -> Iterator[Token]:
    """The pieces of a formula, an end behind the last."""
    at = 0
    after_value = False
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, end = _token(text, at, after_value)
        after_value = token.kind in ("number", "point", "word", ")")
        yield token
        at = end
    yield Token("end", "", len(text) + 1)


def _token(text: str, at: int, after_value: bool) -> tuple[Token, int]:
    sign, column = text[at], at + 1
    if sign in "(),":
        return Token(sign, sign, column), at + 1
    if sign in "+-*/":
        if after_value and not (_space(text, at - 1) and _space(text, at + 1)):
            raise FormulaError(f"{sign!r} needs a space on both sides: 'a {sign} b'", column)
        return Token(sign, sign, column), at + 1
    if sign in '["':
        return _quoted(text, at)
    if found := _WORD.match(text, at):
        return _word(found[0], column), found.end()
    meant = (
        f"; did you mean {_MEANT[sign]!r}?" if sign in _MEANT else "; known are names, numbers, + - * / ( ) , and sum"
    )
    raise FormulaError(f"{sign!r} is not understood{meant}", column)


def _space(text: str, at: int) -> bool:
    return at >= len(text) or text[at].isspace()


def _quoted(text: str, at: int) -> tuple[Token, int]:
    found = _QUOTED.match(text, at)
    if found is None:
        raise FormulaError(f'{text[at]!r} is not closed: write [office-a-main] or "office-a-main"', at + 1)
    name = found[1] if found[1] is not None else found[2]
    return Token("point", _point(name, at + 2), at + 1), found.end()


def _word(text: str, column: int) -> Token:
    if _NUMBER.fullmatch(text):
        return Token("number", text, column)
    if _LIKE_NUMBERS.fullmatch(text):
        raise FormulaError(f"{text!r} reads like numbers: write spaces around '-', or [{text}] if it is a name", column)
    if text[-1] in "-.":
        raise FormulaError(
            f"{text!r} ends in {text[-1]!r}: write spaces around '-', or [{text}] if it is a name", column
        )
    return Token("word", _point(text, column), column)


def _point(name: str, column: int) -> str:
    if not re.fullmatch(OPERAND_PATTERN, name):
        raise FormulaError(
            f"{name!r} is no METER or METER:QUANTITY: letters, digits, '-', '_' and '.', 64 at most, "
            "beginning with a letter or digit",
            column,
        )
    return name


def spelled(operand: str) -> str:
    """An operand as it is written: bare where that reads as itself, else in brackets."""
    bare = _WORD.fullmatch(operand) and not _LIKE_NUMBERS.fullmatch(operand) and operand[-1] not in "-."
    return operand if bare else f"[{operand}]"
