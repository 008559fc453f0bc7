"""The fleet of edges: what each says of itself, how late it is, how its clock stands, when it came and went."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.edge_files import EdgeFiles
from adapters.wire import ClockState, EdgeState, LineState, MeterState, SiteState, encode
from energy.errors import UnknownName
from energy.readings import to_ms
from gateway.edges.service import Edges
from gateway.edges.words import FleetEdge

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
NOW_MS = to_ms(NOW)
HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
def edges(clock: SteppedClock) -> Edges:
    return Edges(clock)


def fleet(edges: Edges) -> FleetEdge:
    [edge] = edges.fleet()
    return edge


def kinds(edges: Edges) -> list[str]:
    return [problem.kind for problem in edges.problems()]


async def heard(edges: Edges, by: SteppedClock, *told_at: int, after_s: float = 10, **given: object) -> None:
    for at in told_at:
        assert edges.take("north", encode(EdgeState("online", boot="b", told_at=at, **given))) is None  # type: ignore[arg-type]
        await by.step(after_s)


def test_an_edge_whose_disk_takes_nothing_is_a_problem_that_says_what_waits_and_why(edges: Edges) -> None:
    edges.take("north", encode(EdgeState("online", outbox_failing="no space left", outbox_waiting=17)))

    [problem] = edges.problems()
    assert (problem.kind, problem.subject) == ("edge.outbox_failing", "north")
    assert "17 readings wait in memory: no space left" in problem.text.en


def test_an_edge_is_told_with_all_that_it_says(edges: Edges) -> None:
    state = EdgeState(
        "online",
        since=NOW_MS - HOUR_MS,
        told_at=NOW_MS,
        version="1.2",
        outbox_batches=7,
        outbox_bytes=700,
        outbox_dropped=3,
        outbox_thinned=40,
        outbox_damaged=2,
        oldest_at=NOW_MS - 5000,
        clock=ClockState(True, NOW_MS - 60_000, 250),
        site=SiteState("v7", NOW_MS - 1000, "v8", "line x is not there"),
        meters={
            "a": MeterState("reporting", NOW_MS),
            "b": MeterState("silent", NOW_MS, "tcp://b unit 3: no answer within 1 s", 900),
        },
        lines={"one": LineState(0.25, 2)},
    )
    edges.handed = {"north": "v8"}
    edges.certificates = lambda: {"north": NOW_MS + 1}
    edges.take("north", encode(state))

    told = fleet(edges)
    assert (told.state, told.since, told.version, told.uptime_ms) == ("online", NOW_MS, "1.2", HOUR_MS)
    assert (told.outbox_batches, told.lag_ms, told.outbox_dropped, told.outbox_thinned) == (7, 5000, 3, 40)
    assert (told.outbox_damaged, told.outbox_waiting) == (2, None)
    assert (told.clock.synchronized, told.clock.step_ms) == (True, 250)
    assert told.site_refused is not None
    assert (told.site_version, told.site_wanted, told.site_refused.en) == ("v7", "v8", "line x is not there")
    assert (told.meters, told.meters_silent, told.certificate_until) == (2, ["b"], NOW_MS + 1)
    assert [(line.line, line.load, line.late_ticks) for line in told.lines] == [("one", 0.25, 2)]
    _, meters, turns = edges.one("north")
    assert [(m.meter, m.state, m.clock_drift_ms) for m in meters] == [("b", "silent", 900), ("a", "reporting", None)]
    assert meters[0].detail.zh == "tcp://b unit 3：1 秒内没有应答"
    assert [(turn.at, turn.state) for turn in turns] == [(NOW_MS, "online")]
    with pytest.raises(UnknownName, match="'south' has never reported"):
        edges.one("south")


def test_what_is_not_told_is_not_known_and_no_zero(edges: Edges) -> None:
    edges.take("north", encode(EdgeState("online")))

    told = fleet(edges)
    assert (told.uptime_ms, told.outbox_batches, told.lag_ms, told.clock.offset_ms) == (None, None, None, None)
    edges.take("north", encode(EdgeState("online", outbox_batches=0)))
    assert fleet(edges).lag_ms == 0


async def test_an_edge_that_is_gone_is_shown_as_it_was_last(edges: Edges, clock: SteppedClock) -> None:
    edges.take("north", encode(EdgeState("online", version="1.2", outbox_batches=4, since=NOW_MS)))
    await clock.step(60)
    edges.take("north", encode(EdgeState("offline")))

    told = fleet(edges)
    assert (told.state, told.since, told.version, told.uptime_ms) == ("offline", NOW_MS + 60_000, "1.2", None)
    assert told.outbox_batches == 4
    assert [(p.kind, p.since) for p in told.problems] == [("edge.offline", NOW_MS + 60_000)]


async def test_a_clock_is_judged_by_the_message_that_was_least_late(edges: Edges, clock: SteppedClock) -> None:
    """Ahead by 40 s; the messages were 2 s, 100 s and 1 s on their way."""
    arrivals = [NOW_MS + 10_000 * i for i in range(3)]
    late = (2_000, 100_000, 1_000)
    await heard(edges, clock, *(at + 40_000 - way for at, way in zip(arrivals, late, strict=True)))

    assert fleet(edges).clock.offset_ms == 39_000
    assert kinds(edges) == ["edge.clock_off"]
    assert "39 s ahead of the gateway's" in edges.problems()[0].text.en


async def test_one_message_alone_says_nothing_of_a_clock_nor_does_one_the_broker_kept(
    edges: Edges, clock: SteppedClock
) -> None:
    old = encode(EdgeState("online", boot="b", told_at=NOW_MS - HOUR_MS))
    for _ in range(3):
        edges.take("north", old, retained=True)
    assert fleet(edges).clock.offset_ms is None and fleet(edges).heard_at is None
    await heard(edges, clock, NOW_MS)

    assert fleet(edges).clock.offset_ms is None
    assert kinds(edges) == []
    await heard(edges, clock, NOW_MS + 10_000)
    assert (fleet(edges).clock.offset_ms, fleet(edges).heard_at) == (0, NOW_MS + 10_000)


async def test_a_clock_that_was_set_is_judged_anew(edges: Edges, clock: SteppedClock) -> None:
    await heard(edges, clock, NOW_MS + HOUR_MS, NOW_MS + 10_000 + HOUR_MS)
    assert kinds(edges) == ["edge.clock_off"]
    stepped = ClockState(True, NOW_MS + 20_000, -HOUR_MS)
    await heard(edges, clock, NOW_MS + 20_000, NOW_MS + 30_000, clock=stepped)

    assert fleet(edges).clock.offset_ms == 0
    assert kinds(edges) == []


def test_an_edge_whose_readings_come_late_is_told_until_they_have_come(edges: Edges) -> None:
    behind = EdgeState("online", told_at=NOW_MS, oldest_at=NOW_MS - 3 * HOUR_MS, outbox_batches=900)
    edges.take("north", encode(behind))
    assert [(p.kind, p.since) for p in edges.problems()] == [("edge.lagging", NOW_MS - 3 * HOUR_MS)]
    assert "滞后 3 小时 0 分，尚有 900 批" in edges.problems()[0].text.zh

    edges.take("north", encode(EdgeState("online", told_at=NOW_MS, oldest_at=NOW_MS - 60_000, outbox_batches=2)))
    assert kinds(edges) == []
    edges.take("north", encode(EdgeState("online", told_at=NOW_MS, outbox_batches=0, reading_stopped=True)))
    assert kinds(edges) == ["edge.reading_stopped"]


async def test_a_gateway_that_starts_again_knows_since_when_an_edge_is_there(
    clock: SteppedClock, tmp_path: Path
) -> None:
    """The broker has kept the states of both; only the gateway's own files tell since when they are so."""
    first = Edges(clock, EdgeFiles(tmp_path / "edges"))
    online = encode(EdgeState("online", version="1.2"))
    for edge in ("north", "south"):
        first.take(edge, online)
    await clock.step(60)
    first.take("south", encode(EdgeState("offline")))
    await clock.step(3600)

    again = Edges(clock, EdgeFiles(tmp_path / "edges"))
    again.take("north", online, retained=True)
    again.take("south", encode(EdgeState("offline")), retained=True)

    north, south = again.fleet()
    assert (north.state, north.since) == ("online", NOW_MS)
    assert (south.state, south.since, south.version) == ("offline", NOW_MS + 60_000, "1.2")
    assert [turn.state for turn in again.one("south")[2]] == ["offline", "online"]


async def test_an_edge_that_is_another_process_has_come_anew_though_nobody_saw_it_go(
    edges: Edges, clock: SteppedClock
) -> None:
    for boot in ("one", "one", "two"):
        edges.take("north", encode(EdgeState("online", boot=boot)))
        await clock.step(60)

    assert fleet(edges).since == NOW_MS + 120_000
    assert [turn.at for turn in edges.one("north")[2]] == [NOW_MS + 120_000, NOW_MS]


async def test_an_edge_of_which_the_broker_knows_nothing_any_more_is_not_forgotten(
    clock: SteppedClock, tmp_path: Path
) -> None:
    Edges(clock, EdgeFiles(tmp_path)).take("north", encode(EdgeState("online", version="1.2")))
    await clock.step(3600)
    again = Edges(clock, EdgeFiles(tmp_path))

    assert (fleet(again).state, kinds(again)) == ("online", [])
    again.reachable = lambda: False
    await clock.step(61)
    assert fleet(again).state == "online", "no broker, no news"
    again.reachable = lambda: True
    await clock.step(61)
    assert (fleet(again).state, fleet(again).version, kinds(again)) == ("offline", "1.2", ["edge.offline"])


def test_an_edge_that_was_taken_away_is_forgotten_and_no_name_leads_out_of_the_folder(
    clock: SteppedClock, tmp_path: Path
) -> None:
    edges = Edges(clock, EdgeFiles(tmp_path / "edges"))
    for name in ("north", "..", "a b", "x" * 200):
        edges.take(name, encode(EdgeState("online")))
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == ["north.json"]
    assert len(edges.fleet()) == 4

    edges.take("north", b"")
    assert list(tmp_path.rglob("*.json")) == []
    (tmp_path / "edges" / "broken.json").write_text("{")
    assert Edges(clock, EdgeFiles(tmp_path / "edges")).fleet() == []
