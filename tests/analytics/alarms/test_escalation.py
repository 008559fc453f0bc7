"""Who is called when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.escalation import Call, Chain, Rung, plan
from energy.duty import Person, Post, Reach, Roster, Shift
from energy.readings import to_ms

START = datetime(2026, 3, 9, 0, tzinfo=UTC)
MIN = 60_000
BEGAN = to_ms(START)
CHAIN = Chain(
    (Rung(0, (Post.MAIN,)), Rung(180, (Post.MAIN,)), Rung(360, (Post.DEPUTY,)), Rung(900, (Post.LEADER,))), 600, 2
)
PERSONS = tuple(Person(name, name, (Reach("log", name),)) for name in ("wang", "li", "zhao", "sun"))


def shift(hours: float, length: float, **posts: str) -> Shift:
    begin = START + timedelta(hours=hours)
    return Shift(begin, begin + timedelta(hours=length), {Post(post): name for post, name in posts.items()})


ROSTER = Roster(PERSONS, (shift(-12, 24, main="wang", deputy="li", leader="zhao"),), otherwise=("sun",))


def called(roster: Roster, minutes: float, chain: Chain = CHAIN) -> list[tuple[float, str]]:
    made = plan(chain, roster, BEGAN, BEGAN + round(minutes * MIN)).calls
    return [((call.at_ms - BEGAN) / MIN, call.person) for call in made]


def test_the_main_twice_then_the_deputy_then_who_leads_again_and_again_and_then_no_more() -> None:
    assert called(ROSTER, 0) == [(0, "wang")]
    assert called(ROSTER, 5.9) == [(0, "wang"), (3, "wang")]
    last = [(15, "zhao"), (25, "zhao"), (35, "zhao")]
    assert called(ROSTER, 24 * 60) == [(0, "wang"), (3, "wang"), (6, "li"), *last]


def test_after_a_change_of_shift_the_next_one_is_called() -> None:
    roster = Roster(PERSONS, (shift(-1, 1 + 2 / 60, main="wang"), shift(2 / 60, 1, main="sun")))

    assert called(roster, 4) == [(0, "wang"), (3, "sun")]


def test_a_post_that_is_not_manned_is_the_next_ones() -> None:
    assert called(Roster(PERSONS, (shift(-1, 9, main="wang"),)), 6)[-1] == (6, "wang")


def test_where_nobody_is_on_duty_those_for_that_case_are_called_and_where_there_are_none_it_is_told() -> None:
    made = plan(CHAIN, Roster(PERSONS, otherwise=("sun", "sun")), BEGAN, BEGAN)
    assert made.calls == (Call(0, BEGAN, "sun", None),)

    assert plan(CHAIN, Roster(PERSONS), BEGAN, BEGAN + 3 * MIN).nobody == (0, 1)


@given(st.integers(0, 120), st.lists(st.sampled_from(["wang", "li", "zhao"]), min_size=3, max_size=3))
def test_nobody_is_called_twice_on_one_rung_and_what_was_due_stays_so(minutes: int, names: list[str]) -> None:
    chain = Chain((Rung(0, tuple(Post)), Rung(600, tuple(Post))), 600, 3)
    roster = Roster(PERSONS, (shift(-1, 9, main=names[0], deputy=names[1], leader=names[2]),))
    now = plan(chain, roster, BEGAN, BEGAN + minutes * MIN).calls
    later = plan(chain, roster, BEGAN, BEGAN + (minutes + 7) * MIN).calls

    assert len({(call.rung, call.person) for call in now}) == len(now)
    assert later[: len(now)] == now
