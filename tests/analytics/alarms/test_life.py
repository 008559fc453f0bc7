"""The life of an alarm, whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.life import Life, LifeError, State
from analytics.alarms.rules import Level

DAMPED = 900_000
STEPS: dict[str, Callable[[Life, int], Life]] = {
    "pushed": lambda life, t: life.pushed(t),
    "read": lambda life, t: life.read(t),
    "acknowledged": lambda life, t: life.acknowledged(t),
    "recovered": lambda life, t: life.recovered(t),
    "returned": lambda life, t: life.returned(t, DAMPED),
    "worse": lambda life, t: life.worse(Level.URGENT, t),
    "further": lambda life, t: life.further(Level.WARNING, t),
    "closed": lambda life, t: life.closed(t),
}


def lived(*steps: tuple[str, int], level: Level = Level.WARNING) -> Life:
    life = Life.raised(level, 0)
    for name, at_ms in steps:
        life = STEPS[name](life, at_ms)
    return life


def test_it_goes_through_its_states_in_order() -> None:
    names = ("pushed", "read", "acknowledged", "recovered", "closed")
    states = [lived(*((name, i) for i, name in enumerate(names[:n]))).state for n in range(6)]

    assert states == [State.RAISED, *(State(name) for name in names)]


def test_back_at_once_is_flapping_and_calls_nobody_anew() -> None:
    life = lived(("acknowledged", 1), ("recovered", 2), ("returned", 2 + DAMPED))

    assert (life.state, life.flaps, life.round, life.calls) == (State.ACKNOWLEDGED, 1, 1, False)


def test_back_much_later_rings_again() -> None:
    life = lived(("acknowledged", 1), ("recovered", 2), ("returned", 3 + DAMPED))

    assert (life.state, life.round, life.began_ms, life.opened_ms, life.calls) == (State.RAISED, 2, 3 + DAMPED, 0, True)


def test_what_is_worse_rings_again_even_when_it_was_acknowledged() -> None:
    life = lived(("acknowledged", 1), ("worse", 5))

    assert (life.level, life.round, life.calls) == (Level.URGENT, 2, True)
    assert lived(("acknowledged", 1), ("worse", 5), level=Level.URGENT).round == 1


def test_a_further_step_rings_again_on_its_own_level_whatever_became_of_the_one_before() -> None:
    life = lived(("acknowledged", 1), ("recovered", 2), ("further", 3), level=Level.URGENT)

    assert (life.level, life.state, life.round, life.calls) == (Level.WARNING, State.RAISED, 2, True)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((("closed", 1),), "acknowledge it first"),
        ((("acknowledged", 1), ("acknowledged", 2)), "acknowledged already"),
        ((("acknowledged", 1), ("closed", 2), ("closed", 3)), "closed and cannot be closed again"),
        ((("recovered", 1), ("closed", 2), ("acknowledged", 3)), "closed and cannot be acknowledged"),
    ],
)
def test_steps_that_cannot_be_are_refused(steps: tuple[tuple[str, int], ...], said: str) -> None:
    with pytest.raises(LifeError, match=said):
        lived(*steps)


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 1_000_000)), max_size=25))
def test_whatever_happens_it_never_loses_that_it_rang_and_stays_closed(steps: list[tuple[str, int]]) -> None:
    life, at_ms = Life.raised(Level.NOTICE, 0), 0
    for name, later in steps:
        at_ms += later
        before = life
        try:
            life = STEPS[name](life, at_ms)
        except LifeError:
            life = before
        if before.state is State.CLOSED:
            assert life == before
        assert life.opened_ms == 0
        assert life.round >= before.round
        assert life.level.rank >= before.level.rank or name == "further"
        # People stop being called only where somebody took it on, or where it is over.
        if before.calls and not life.calls:
            assert life.acknowledged_ms is not None or life.recovered_ms is not None
        # Where they are called anew it is another round, or it flapped.
        if life.calls and not before.calls:
            assert life.round > before.round or life.flaps > before.flaps
