"""Processes tell each other how they are; what is wrong with any of them is told by all."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from adapters.clocks import SteppedClock
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.process import others
from gateway.process.others import Processes
from gateway.process.words import ProcessState

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
FULL = OngoingProblem("store.failing", "store", 5, TextWords("满", "full"))


class Steady:
    """The steady clock, moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Steady:
    made = Steady()
    monkeypatch.setattr(others, "time", made)
    return made


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


def state(*roles: str, run: str = "a", key: str = "k", problems: tuple[OngoingProblem, ...] = ()) -> ProcessState:
    return ProcessState(
        state="running",
        run=run,
        roles=list(roles),  # type: ignore[arg-type]
        version="1",
        since=to_ms(NOW),
        told_at=to_ms(NOW),
        listen="127.0.0.1:1",
        key=key,
        problems=list(problems),
    )


def told(processes: Processes, process: str, said: ProcessState) -> None:
    processes.take(process, msgspec.json.encode(said))


def gone(said: ProcessState) -> ProcessState:
    return replace(said, state="gone")


@pytest.fixture
def api(clock: SteppedClock, steady: Steady) -> Processes:
    """What an API process knows, reached just now, with the other roles beside it."""
    processes = Processes(clock, "api-1", alone=False)
    processes.mine, processes.reached_at = state("api"), steady.at
    told(processes, "ingest-1", state("ingest"))
    told(processes, "jobs-1", state("jobs"))
    return processes


def kinds(processes: Processes) -> list[tuple[str, str]]:
    return [(p.kind, p.subject) for p in processes.problems()]


def test_all_are_told_by_name_and_which_one_answers(api: Processes) -> None:
    assert [(p.process, p.state, p.roles, p.answers) for p in api.all()] == [
        ("api-1", "running", ["api"], True),
        ("ingest-1", "running", ["ingest"], False),
        ("jobs-1", "running", ["jobs"], False),
    ]
    assert api.problems() == []


def test_what_several_tell_alike_is_told_once(api: Processes) -> None:
    api.own = lambda: [FULL]
    told(api, "ingest-1", state("ingest", problems=(FULL,)))
    told(api, "jobs-1", state("jobs", problems=(replace(FULL, kind="ledger.failing"),)))

    assert kinds(api) == [("store.failing", "store"), ("ledger.failing", "store")]


def test_one_that_died_without_a_word_is_a_problem_until_it_is_back(api: Processes, clock: SteppedClock) -> None:
    clock.set_by(60)
    told(api, "ingest-1", gone(state("ingest")))
    assert kinds(api) == [("process.gone", "ingest-1")]
    assert api.problems()[0].since == to_ms(NOW) + 60_000

    told(api, "ingest-1", state("ingest", run="b"))
    assert api.problems() == []


def test_one_that_says_good_bye_is_spoken_of_no_more(api: Processes) -> None:
    told(api, "ingest-2", state("ingest"))
    api.take("ingest-2", b"")

    assert "ingest-2" not in [p.process for p in api.all()]
    assert api.problems() == []


def test_one_that_is_gone_for_a_day_is_forgotten(api: Processes, clock: SteppedClock) -> None:
    told(api, "ingest-2", gone(state("ingest")))
    clock.set_by(23 * 3600)
    assert api.forgotten() == []
    clock.set_by(2 * 3600)

    assert api.forgotten() == ["ingest-2"]
    assert [p.process for p in api.all()] == ["api-1", "ingest-1", "jobs-1"]


def test_one_that_tells_nothing_is_silent_unless_the_broker_is_away(api: Processes, steady: Steady) -> None:
    steady.at += 31
    told(api, "jobs-1", state("jobs"))
    # Who does not even hear himself says nothing of others.
    assert api.problems() == []
    told(api, "api-1", state("api"))
    assert kinds(api) == [("process.silent", "ingest-1"), ("role.missing", "ingest")]

    api.reachable = lambda: False
    assert api.problems() == []


def test_a_role_that_nobody_has_is_missed_after_a_while(api: Processes, steady: Steady) -> None:
    api.take("jobs-1", b"")
    assert api.problems() == []
    steady.at += 21

    assert kinds(api) == [("role.missing", "jobs")]


def test_another_process_of_our_name_is_found_out_and_an_earlier_run_of_ours_is_not(api: Processes) -> None:
    told(api, "api-1", replace(state("api", run="before"), told_at=to_ms(NOW) - 1))
    told(api, "api-1", gone(state("api", run="before")))
    assert api.problems() == []
    told(api, "api-1", replace(state("api", run="twin"), told_at=to_ms(NOW) + 1))

    assert kinds(api) == [("process.name_taken", "api-1")]


def test_a_process_with_another_key_file_is_a_problem(api: Processes) -> None:
    told(api, "jobs-1", state("jobs", key="other"))

    assert kinds(api) == [("process.other_key", "jobs-1")]


def test_what_is_no_state_changes_nothing(api: Processes) -> None:
    api.take("jobs-1", b"\xff")
    api.take("jobs-2", b"{}")

    assert [p.process for p in api.all()] == ["api-1", "ingest-1", "jobs-1"]


def test_a_process_that_is_alone_tells_of_itself_alone(clock: SteppedClock) -> None:
    processes = Processes(clock, "gateway", alone=True)
    processes.own = lambda: [FULL]

    assert processes.problems() == [FULL]
    assert processes.all() == []
