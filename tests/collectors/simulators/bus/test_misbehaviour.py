"""Misbehaviours are data: said in a word or in a file, and refused with a reason where they make no sense."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors.simulators.bus.misbehaviour import (
    Kind,
    Misbehaviour,
    read_misbehaviours,
    spelled_misbehaviour,
)
from energy.errors import ConfigurationError
from tests.collectors.simulators.bus.asking import ask, heard, meters, told
from tests.docs.pages import ROOT, block, prose

GOOD = told(1, 1007)


def test_a_word_says_what_goes_wrong_where_and_how_often() -> None:
    found = spelled_misbehaviour("late:unit=1-3+9,every=3,by=350ms,from=10s,until=1min")

    assert found.kind is Kind.LATE
    assert found.unit == frozenset({1, 2, 3, 9})
    assert (found.every, found.by, found.from_, found.until) == (3, 0.35, 10.0, 60.0)


def test_a_word_and_a_file_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "bus.yaml"
    file.write_text(
        "misbehave:\n  - {kind: rollover, unit: 4, at: 2^32}\n  - {kind: slow, unit: [2, 5], by: 80ms, rate: 0.5}\n"
    )

    assert read_misbehaviours(file) == [
        spelled_misbehaviour("rollover:unit=4,at=4294967296"),
        spelled_misbehaviour("slow:unit=2+5,by=0.08,rate=0.5"),
    ]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_can_be_said_by_its_name_alone(kind: Kind) -> None:
    details = ":addresses=1" if kind is Kind.HOLE else ""

    assert spelled_misbehaviour(f"{kind}{details}").kind is kind


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("lat:unit=3", "kind: must be 'silent', 'slow'"),
        ("late:unit", "'unit' must be KEY=VALUE"),
        ("late:unit=3,unit=4", "each key once"),
        ("late:unit=3-1", "must be numbers and ranges"),
        ("late:by=soon", "must be a duration, such as 350ms"),
        ("late:code=2", "late has no code; it has after, by, every"),
        ("late:bye=2", "bye is no key of a misbehaviour"),
        ("hole", "a hole needs addresses"),
        ("hole:addresses=70000", "must be less than or equal to 65535"),
        ("silent:every=2,rate=0.5", "every and rate exclude each other"),
        ("silent:rate=2", "rate: must be less than or equal to 1"),
        ("rollover:at=2^99x", "must be a whole number"),
        ("rollover:every=3", "rollover has no every"),
    ],
)
def test_what_makes_no_sense_is_told(wrong: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        spelled_misbehaviour(wrong)

    assert words in str(refused.value)


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "bus.yaml"
    file.write_text("misbehave:\n  - {kind: late, evry: 3}\n  - {kind: cut, bytes: 0}\n")

    with pytest.raises(ConfigurationError) as refused:
        read_misbehaviours(file)

    assert "bus.yaml:2: misbehave[0].evry = 3: is not a key here; did you mean 'every'?" in str(refused.value)
    assert "bus.yaml:3: misbehave[1].bytes = 0: must be greater than or equal to 1" in str(refused.value)


# -- when ------------------------------------------------------------------------------------------------------------


def silences(*deeds: str, requests: int = 12, step_s: float = 1.0, seed: int = 0) -> list[int]:
    """Which of the requests to unit 1, counted from 1, stayed without an answer."""
    of = meters(*deeds, seed=seed)
    return [i + 1 for i in range(requests) if not heard(of, ask(1, 7, 1), i * step_s)]


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("silent:every=3", [3, 6, 9, 12]),
        ("silent:every=3,after=2", [5, 8, 11]),
        ("silent:every=3,times=2", [3, 6]),
        ("silent:after=10", [11, 12]),
        ("silent:from=4s,until=6s", [5, 6]),
        ("silent:unit=2", []),
        ("silent", list(range(1, 13))),
    ],
)
def test_it_happens_when_it_is_said_to(deed: str, expected: list[int]) -> None:
    assert silences(deed) == expected


def test_chance_is_that_of_the_seed_and_of_the_meter_alone() -> None:
    once = silences("silent:rate=0.3", requests=200)
    of = meters("silent:rate=0.3")
    beside = []
    for i in range(200):
        heard(of, ask(2, 7, 1), i)  # another one is asked in between
        if not heard(of, ask(1, 7, 1), i):
            beside.append(i + 1)

    assert 40 <= len(once) <= 80
    assert beside == once
    assert silences("silent:rate=0.3", requests=200, seed=1) != once


def test_several_happen_together() -> None:
    of = meters("slow:by=50ms", "noise:bytes=2", "cut:bytes=1")
    (said,) = of.hear(ask(1, 7, 1), 0.0)

    assert said.after_s == pytest.approx(0.07)
    assert said.data[2:] == GOOD[:-1]


def test_what_is_said_by_code_is_checked_too() -> None:
    with pytest.raises(ValueError, match="garble has no by"):
        Misbehaviour.model_validate({"kind": "garble", "by": 1})


# -- as the page shows it ---------------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "simulated-meters.md"


def test_the_file_that_the_page_shows_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "bus.yaml"
    file.write_text(block(PAGE, "yaml misbehaviours"))

    assert [m.kind for m in read_misbehaviours(file)] == [Kind.LATE, Kind.ROLLOVER, Kind.HOLE]


def test_the_page_tells_of_every_kind() -> None:
    first_cells = [line.split("|")[1] for line in prose(PAGE).splitlines() if line.startswith("| `")]

    assert {kind.value for kind in Kind} <= {word for cell in first_cells for word in re.findall(r"`(\w+)`", cell)}
