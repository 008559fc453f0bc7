"""Virtual meters: what a formula may say, and that it is reckoned exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.consumption.formula import Evaluated, Formula, FormulaError, circles, evaluate, flattened, parse
from energy.errors import EnergyError, UnknownName
from tests.docs.pages import ROOT, block

HALF = Fraction(1, 2)
PAGE = ROOT / "docs" / "formulas.md"


def terms(text: str) -> dict[str, Fraction]:
    return {operand: coefficient for coefficient, operand in parse(text).terms}


def hours(*amounts: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Amounts of a point; None where it is not known, with rubbish beneath."""
    known = np.array([a is not None for a in amounts])
    return np.array([-999 if a is None else a for a in amounts], dtype=np.int64), known


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("office-a-main - office-b-main", {"office-a-main": 1, "office-b-main": -1}),
        ("[office-a-main] + 0.5 * [canteen:volume]", {"office-a-main": 1, "canteen:volume": HALF}),
        ('"a" - "b"', {"a": 1, "b": -1}),
        ("sum(a, b, -c) / 4", {"a": Fraction(1, 4), "b": Fraction(1, 4), "c": Fraction(-1, 4)}),
        ("-(a - 2 * b)", {"a": -1, "b": 2}),
        ("a - (b - c)", {"a": 1, "b": -1, "c": 1}),
        ("a - - b", {"a": 1, "b": 1}),
        ("2 / 3 * a", {"a": Fraction(2, 3)}),
        ("a * (1 - 0.1)", {"a": Fraction(9, 10)}),
        ("a + a", {"a": 2}),
        ("a + b - b", {"a": 1}),
        ("sum + [2.5] + 1F.main", {"sum": 1, "2.5": 1, "1F.main": 1}),
    ],
)
def test_a_formula_is_a_sum_of_points(text: str, expected: dict[str, Fraction]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("a -b", 3, "'-' needs a space on both sides: 'a - b'"),
        ("a- b", 1, "'a-' ends in '-'"),
        ("0.5*a", 4, "needs a space on both sides"),
        ("(a)-b", 4, "needs a space on both sides"),
        ("2-1", 1, "reads like numbers"),
        ("a＋b", 2, r"did you mean '\+'"),
        ("a % b", 3, "'%' is not understood"),
        ("a * b", 3, "one side must be a number"),
        ("1 / a", 3, "right of '/' must be a number"),
        ("a / 0", 3, "divided by 0"),
        ("a / (2 - 2)", 3, "divided by 0"),
        ("a + 1", 3, "a constant cannot be added to points"),
        ("sum(a, 1)", 6, "a constant cannot be added to points"),
        ("a b", 3, "an operator is"),
        ("a +", 4, "ends where a point or a number should stand"),
        ("", 1, "ends where"),
        ("3", 1, "needs a point"),
        ("max(a, b)", 1, "'max' is no function"),
        ("sum(a, b", 9, r"'\)' is missing"),
        ("[a", 1, "not closed"),
        ("[a b]", 2, "is no METER or METER:QUANTITY"),
        ("a:Volume", 1, "is no METER or METER:QUANTITY"),
        ("(" * 60 + "a" + ")" * 60, 51, "nested more than 50"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_column(text: str, column: int, words: str) -> None:
    with pytest.raises(FormulaError, match=words) as caught:
        parse(text)

    assert caught.value.column == column
    assert isinstance(caught.value, EnergyError)


def test_the_formulas_of_the_documentation_are_understood_and_refused_as_it_says() -> None:
    for line in block(PAGE, "formula").splitlines():
        assert parse(line).operands
    for line in block(PAGE, "formula refused").splitlines():
        with pytest.raises(FormulaError):
            parse(line)


def test_what_cancels_out_is_refused() -> None:
    with pytest.raises(FormulaError, match="cancel out"):
        parse("a - a")


def test_a_formula_is_bounded() -> None:
    with pytest.raises(FormulaError, match="2000 characters at most, this one 2001"):
        parse("a" + " " * 2000)
    with pytest.raises(FormulaError, match="nested"):
        parse("-" * 1000 + "a")


def test_formulas_that_mean_the_same_are_equal() -> None:
    assert parse("b + a * 0.50") == parse("sum([a] / 2, b)")
    assert str(parse("b - a * 0.50")) == "-0.5 * a + b"


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,5}(:volume)?", fullmatch=True)
coefficients = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000).filter(bool)


@given(st.dictionaries(names, coefficients, min_size=1, max_size=6))
def test_what_is_written_reads_as_the_same(terms: dict[str, Fraction]) -> None:
    formula = Formula(tuple((terms[name], name) for name in sorted(terms)))

    assert parse(str(formula)) == formula


@given(st.text(alphabet='ab01.-+*/()[]", :sum', max_size=30))
def test_any_text_is_a_formula_or_is_refused(text: str) -> None:
    try:
        formula = parse(text)
    except FormulaError:
        return
    assert parse(str(formula)) == formula


def test_virtual_meters_may_stand_on_each_other() -> None:
    formulas = {
        "campus": parse("north + south"),
        "north": parse("sum(n1, n2) / 3"),
        "south": parse("s1 - 0.5 * north:active_energy_import"),
    }

    assert circles(formulas) == []
    assert str(flattened(formulas, "campus")) == "1 / 6 * n1 + 1 / 6 * n2 + s1"


def test_a_long_chain_of_virtual_meters_is_no_trouble() -> None:
    formulas = {f"v{i}": parse(f"v{i - 1} + p") for i in range(1, 3001)}

    assert flattened(formulas, "v3000").terms == ((Fraction(3000), "p"), (Fraction(1), "v0"))


def test_circles_are_told_and_refused() -> None:
    formulas = {name: parse(text) for name, text in {"a": "b + x", "b": "c", "c": "a", "d": "d + x", "e": "a"}.items()}

    assert sorted(circles(formulas)) == ["a -> b -> c -> a", "d -> d"]
    with pytest.raises(FormulaError, match="a -> b -> c -> a"):
        flattened(formulas, "e")


def test_two_circles_through_one_meter_are_both_told() -> None:
    formulas = {"a": parse("b + c"), "b": parse("a"), "c": parse("a")}

    assert sorted(circles(formulas)) == ["a -> b -> a", "a -> c -> a"]


def test_a_virtual_meter_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownName, match="'b' is not known; known are a"):
        flattened({"a": parse("x")}, "b")


def test_virtual_meters_that_cancel_out_are_refused() -> None:
    with pytest.raises(FormulaError, match="cancel out"):
        flattened({"a": parse("b - x"), "b": parse("x")}, "a")


def test_hours_are_reckoned() -> None:
    found = evaluate(parse("a - 0.5 * b"), {"a": hours(10, 20), "b": hours(4, 100)})

    assert found.amount.tolist() == [8, -30]
    assert found.known_share.tolist() == [1.0, 1.0]


def test_a_missing_child_never_stalls_its_parent() -> None:
    known = {"a": hours(1, 1, None), "b": hours(2, None, None), "d": hours(4, 4, None)}
    found = evaluate(parse("a + b + c + d"), known)

    assert found.amount.tolist() == [7, 5, 0]
    assert found.known_share.tolist() == [0.75, 0.5, 0.0]


def test_halves_are_rounded_to_even_once() -> None:
    found = evaluate(parse("a / 2 + b / 2"), {"a": hours(1, 3, -1, -3, 1), "b": hours(0, 0, 0, 0, 1)})

    assert found.amount.tolist() == [0, 2, 0, -2, 1]


def test_operands_that_are_not_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="same hours"):
        evaluate(parse("a + b"), {"a": hours(1), "b": hours(1, 2)})
    with pytest.raises(ValueError, match="needs int64 amounts"):
        evaluate(parse("a"), {"a": (np.array([1.5]), np.array([True]))})
    with pytest.raises(ValueError, match="no operand is given; the formula has a"):
        evaluate(parse("a"), {"b": hours(1)})


def test_a_sum_beyond_what_can_be_stored_is_refused() -> None:
    with pytest.raises(ValueError, match="millionths in an hour"):
        evaluate(parse("2 * a"), {"a": hours(2**62)})


def exactly(formula: Formula, amounts: dict[str, tuple[np.ndarray, np.ndarray]], hour: int) -> int:
    return round(sum(c * int(amounts[o][0][hour]) for c, o in formula.terms if amounts[o][1][hour]))


@given(
    st.dictionaries(st.sampled_from("abcd"), coefficients, min_size=1),
    st.lists(st.lists(st.none() | st.integers(-(2**50), 2**50), min_size=4, max_size=4), min_size=1, max_size=5),
)
def test_hours_are_exact_however_large(of: dict[str, Fraction], rows: list[list[int | None]]) -> None:
    formula = Formula(tuple((of[name], name) for name in sorted(of)))
    amounts = {name: hours(*(row[i] for row in rows)) for i, name in enumerate("abcd")}

    found = evaluate(formula, amounts)

    assert isinstance(found, Evaluated)
    assert found.amount.dtype == np.int64
    assert found.amount.tolist() == [exactly(formula, amounts, hour) for hour in range(len(rows))]
