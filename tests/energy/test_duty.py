"""Who is on duty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from energy.duty import Person, Post, Reach, Roster, Shift, Swap

START = datetime(2026, 3, 9, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def person(name: str) -> Person:
    return Person(name, name.title(), (Reach("log", name),))


def shift(begin: float, end: float, main: str, deputy: str = "li") -> Shift:
    return Shift(at(begin), at(end), {Post.MAIN: main, Post.DEPUTY: deputy})


def test_who_holds_a_post_is_asked_by_the_instant_and_the_end_belongs_to_the_next_shift() -> None:
    roster = Roster((person("wang"), person("li"), person("zhao")), (shift(0, 12, "wang"), shift(12, 24, "zhao")))

    assert [roster.on_duty(at(h), Post.MAIN) for h in (-1, 0, 11.9, 12, 24)] == [None, "wang", "wang", "zhao", None]
    assert roster.on_duty(at(1), Post.LEADER) is None


def test_who_swapped_is_on_duty_in_the_others_place_for_that_time_alone() -> None:
    swap = Swap(at(4), at(8), "wang", "zhao")
    roster = Roster((person("wang"), person("li"), person("zhao")), (shift(0, 24, "wang"),), (swap,))

    assert [roster.on_duty(at(h), Post.MAIN) for h in (3, 4, 7.9, 8)] == ["wang", "zhao", "zhao", "wang"]


def test_gaps_overlaps_and_double_posts_are_told_with_their_times() -> None:
    shifts = (shift(0, 8, "wang"), shift(7, 12, "zhao"), shift(14, 20, "li"))
    found = Roster((), shifts).flaws(at(0), at(24))

    assert [(f.kind, f.start, f.end, f.detail) for f in found] == [
        ("overlap", at(7), at(8), ""),
        ("gap", at(12), at(14), ""),
        ("twice", at(14), at(20), "li"),
        ("gap", at(20), at(24), ""),
    ]


def test_names_that_nobody_bears_are_told() -> None:
    roster = Roster((person("li"),), (shift(0, 8, "wang"),), otherwise=("nobody",))

    assert roster.unknown() == ["nobody", "wang"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Shift(at(8), at(8), {Post.MAIN: "wang"}), "must end later"),
        (lambda: Shift(at(0), at(8), {Post.LEADER: "wang"}), "nobody as main"),
        (lambda: Swap(at(0), at(1), "wang", "wang"), "stand in for himself"),
        (lambda: Person("wang", "Wang", ()), "cannot be reached"),
        (lambda: Reach("mail", "a\nb"), "control characters"),
    ],
)
def test_what_cannot_be_is_refused(make: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()  # type: ignore[operator]
