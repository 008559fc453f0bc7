"""One cause, one alarm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.causes import MOST_CAUSES, SITE, Wiring, of_silence


def wiring(lines: int, each: int, edges: int = 1) -> Wiring:
    meters = [(f"m{line}-{i}", line) for line in range(lines) for i in range(each)]
    return Wiring({m: f"l{line}" for m, line in meters}, {m: f"e{line % edges}" for m, line in meters})


def test_a_meter_alone_is_its_own_cause() -> None:
    assert of_silence(["m0-0"], wiring(4, 10)) == {"silence/meter/m0-0": ["m0-0"]}


def test_a_dead_line_is_one_cause_and_the_meters_of_others_are_not_of_it() -> None:
    silent = [f"m1-{i}" for i in range(9)] + ["m2-0"]

    assert list(of_silence(silent, wiring(4, 10))) == ["silence/line/l1", "silence/meter/m2-0"]


def test_a_dead_gateway_is_one_cause_and_not_sixty() -> None:
    wired = wiring(6, 10, edges=2)
    silent = [m for m, edge in wired.edge_of.items() if edge == "e0"]

    assert {cause: len(of) for cause, of in of_silence(silent, wired).items()} == {"silence/edge/e0": 30}


def test_what_is_silent_behind_an_edge_that_is_gone_is_the_edges() -> None:
    assert list(of_silence(["m0-0"], wiring(4, 10), offline=["e0"])) == ["silence/edge/e0"]


def test_ten_thousand_meters_silent_at_once_are_a_handful() -> None:
    wired = wiring(1000, 10, edges=500)
    assert list(of_silence(list(wired.line_of), wired)) == [SITE]


@given(st.sets(st.integers(0, 399), max_size=400), st.sets(st.sampled_from([f"silence/line/l{i}" for i in range(20)])))
def test_every_silent_meter_has_one_cause_and_there_are_never_many(numbers: set[int], known: set[str]) -> None:
    wired = wiring(40, 10, edges=40)
    meters = list(wired.line_of)
    silent = {meters[n] for n in numbers}
    found = of_silence(silent, wired, known=known)

    assert sorted(m for of in found.values() for m in of) == sorted(silent)
    assert len(set(found) - known - {SITE}) <= MOST_CAUSES
