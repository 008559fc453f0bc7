"""The judge of the trials sees what it is there to see."""

from __future__ import annotations

import pytest

from tests.chaos.meters import QUANTITIES, Served, export_of
from tests.chaos.numbers import Reading, Verdict, judged

Row = tuple[str, str, int, float]
# Two meters on a line, asked in turn each 100 ms; the answer to number 3 of the first was the last before a death.
SERVED = [Served((1, 1), meter, n, 1000 * n + at) for n in (1, 2, 3) for meter, at in (("a", 0), ("b", 500))]
TAKEN = {Reading(s.meter, s.number, int(s.at_ms)) for s in SERVED}


def rows_of(readings: set[Reading]) -> list[Row]:
    values = [
        (r, name, of) for r in readings for name, of in zip(QUANTITIES, (r.number, export_of(r.number)), strict=True)
    ]
    return [(r.meter, name, r.at_ms, of / 1000) for r, name, of in values]


def verdict(taken: set[Reading], rows: list[Row], served: list[Served] = SERVED) -> Verdict:
    return judged(served, taken, rows)


def test_all_that_was_taken_and_is_stored_once_is_well() -> None:
    assert verdict(TAKEN, rows_of(TAKEN)).faults == {}


def test_what_is_not_stored_is_lost() -> None:
    missing = Reading("a", 2, 2000)

    assert verdict(TAKEN, rows_of(TAKEN - {missing})).faults == {"lost": [missing]}


def test_what_is_stored_at_two_instants_is_double() -> None:
    again = rows_of({Reading("a", 2, 2200)})

    assert ("a", 2) in verdict(TAKEN, rows_of(TAKEN) + again).double


@pytest.mark.parametrize(
    "rows",
    [
        rows_of({Reading("a", 9, 9000)}),
        [("a", QUANTITIES[0], 2250, 0.002)],
        [("b", QUANTITIES[1], 2600, export_of(2) / 1000)],
    ],
    ids=["never said", "half of a reading", "the other half"],
)
def test_what_was_never_said_is_false(rows: list[Row]) -> None:
    assert verdict(TAKEN, rows_of(TAKEN) + rows).false


def test_a_reading_that_is_dated_before_it_was_asked_for_is_false() -> None:
    moved = {Reading("a", 2, 1400)}
    taken = TAKEN - {Reading("a", 2, 2000)} | moved

    assert verdict(taken, rows_of(taken)).false == ["a said 2 between 1500.0 and 2500.0, and is stored at 1400"]


def test_the_last_answers_before_a_death_are_no_hole_and_others_are() -> None:
    last, middle = Reading("b", 3, 3500), Reading("a", 2, 2000)

    died = verdict(TAKEN - {last}, rows_of(TAKEN - {last}))
    holed = verdict(TAKEN - {middle}, rows_of(TAKEN - {middle}))

    assert died.faults == {} and died.unrecorded == 1
    assert [(s.meter, s.number) for s in holed.holes] == [("a", 2)]


def test_an_answer_that_came_after_the_question_was_asked_again_is_no_hole() -> None:
    served = [*SERVED[:2], Served((1, 1), "a", 2, 2000), Served((1, 1), "a", 4, 2000.2), *SERVED[3:4]]
    taken = {Reading(s.meter, s.number, int(s.at_ms)) for s in served if (s.meter, s.number) != ("a", 2)}

    found = verdict(taken, rows_of(taken), served)

    assert found.faults == {} and found.unrecorded == 0
