"""Site files that are handed over to an edge that reads (simulated) meters, its clock stepped."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from adapters.clocks import SteppedClock
from adapters.learnt_files import LearntFiles
from adapters.site_files import read_site
from adapters.site_keeping import SiteKeeping
from adapters.site_signing import SigningKey, open_signing_key
from adapters.site_versions import SiteVersion, opened, plain_text, profile_name, signed
from adapters.wire import MeterReadings
from collectors.simulators.campus import Campus, read_campus
from collectors.simulators.faults import Fault, FaultKind, FaultLog
from collectors.simulators.fleet import Fleet
from edge import workers
from edge.applying import Applying
from edge.clock import EdgeClock
from edge.clock_stamps import Stamps
from edge.handed import Handed, Running, last_good, nothing
from edge.poll import LineWorker
from edge.site_diff import Installed
from edge.workers import Means, Workers
from energy.extracts import extracts
from energy.ports import Clock
from energy.sites import Site, Text
from jieneng.composition import load_installed
from tests.working_days import CHINA

pytestmark = pytest.mark.by_the_clock

CONFIG = Path(__file__).parents[2] / "config"
NOW = datetime(2026, 1, 14, 2, 0, 3, tzinfo=UTC)
LINES = ("data-room", "canteen")
NUMBERS = itertools.count(1)


@cache
def demo(now: datetime) -> tuple[Site, Campus]:
    whole, _ = read_site(CONFIG / "demo.yaml")
    return whole, read_campus(CONFIG / "demo-campus.yaml", whole, now, CHINA)


def played(clock: Clock, now: datetime = NOW) -> Fleet:
    """Two lines of the demo, on free ports; any of their meters may fall silent."""
    whole, plant = demo(now)
    site = replace(
        whole,
        lines=tuple(line for line in whole.lines if line.id in LINES),
        meters=tuple(m for m in whole.meters if m.line in LINES),
    )
    dark = [Fault(f"dark-{m.id}", FaultKind.SILENT, Text("断电", "dark"), m.id) for m in site.meters]
    return Fleet(site, plant, now=clock.now, faults=FaultLog(dark), free_ports=True)


class Edge:
    """An edge without a broker: what it is handed, what it reads, what it tells."""

    def __init__(self, folder: Path, key: SigningKey, fleet: Fleet, clock: SteppedClock) -> None:
        self.clock, self.key = clock, key
        lines = tuple(replace(line, address=fleet.addresses[line.id], timeout_s=2.0) for line in fleet.site.lines)
        self.site = extracts(replace(fleet.site, lines=lines), "north")["north"]
        self.read: list[MeterReadings] = []
        self.handed = Handed(key.checking, SiteKeeping(folder / "handed"), load_installed)
        self.told = 0
        self.patience_s = 10.0
        self._tasks: list[asyncio.Task[None]] = []
        own, learnt = EdgeClock(clock), LearntFiles(folder / "learnt")
        means = Means(own, Stamps(own), self.read.append, lambda: False, self._changed, learnt, self._start)
        self.workers = Workers(means, nothing("north").installed)
        first = last_good("north", self.handed) or nothing("north")
        self.applying = Applying("north", self.handed, first, self.workers, own, self._changed)
        self._start(self.applying.run())

    def _start(self, work: object) -> asyncio.Task[None]:
        self._tasks.append(asyncio.ensure_future(work))  # type: ignore[call-overload]
        return self._tasks[-1]

    def _changed(self) -> None:
        self.told += 1

    async def hand(self, of: Site, **given: object) -> SiteVersion:
        """Hand over a version of it, and wait until it is looked at."""
        made = version(of, **given)
        await self.give(signed(made, self.key))
        return made

    async def give(self, payload: bytes) -> None:
        before = self.applying.state
        self.applying.offer(payload)
        await until(lambda: self.applying.state != before)

    async def step(self, seconds: float, meanwhile: Callable[[], Awaitable[object]] | None = None) -> None:
        """Let time pass second by second, and the lines have their time after each; the last one for something else,
        too."""
        for n in range(int(seconds)):
            await self.clock.step(1.0)
            due = {s.meter.id for s in self.workers.stations if s.due <= self.clock.now()}
            if meanwhile is not None and n == int(seconds) - 1:
                await meanwhile()
            await until(lambda due=due: self.is_done(due), self.patience_s)  # type: ignore[misc]

    async def step_until(self, ready: Callable[[], bool]) -> None:
        for _ in range(200):
            if ready():
                return
            await self.step(1)
        raise AssertionError("it never came so far")

    def is_done(self, due: set[str]) -> bool:
        return not any(s.due <= self.clock.now() for s in self.workers.stations if s.meter.id in due)

    async def keeps(self, wanted: SiteVersion) -> bool:
        """Whether this is the last good one on the disk, or becomes it."""
        await until(lambda: (self.handed.files.good() or b"") == signed(wanted, self.key))
        return opened(self.handed.files.good() or b"", self.key.checking, "north") == wanted

    def instants(self, meter: str) -> list[int | str]:
        return [r.taken_at for r in self.read if r.meter == meter]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert [one for one in ended if isinstance(one, Exception)] == []
        await self.workers.close()


def version(of: Site, **given: object) -> SiteVersion:
    """The next version of a site, or one that is otherwise in some respect."""
    said = {"edge": "north", "number": next(NUMBERS), "made_at": 0, "site": plain_text(of), **given}
    return msgspec.convert(said, SiteVersion)


async def until(ready: Callable[[], bool], within_s: float = 10.0) -> None:
    for _ in range(int(within_s / 0.002)):
        if ready():
            return
        await asyncio.sleep(0.002)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return open_signing_key(tmp_path / "identities")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
async def fleet(clock: SteppedClock) -> AsyncIterator[Fleet]:
    async with played(clock) as made:
        yield made


@pytest.fixture
async def edge(tmp_path: Path, key: SigningKey, fleet: Fleet, clock: SteppedClock) -> AsyncIterator[Edge]:
    made = Edge(tmp_path, key, fleet, clock)
    yield made
    await made.stop()


def slower(site: Site, meter: str) -> Site:
    """The same, but for one meter that is read at another interval."""
    meters = (replace(m, interval_s=m.interval_s * 2, rates={}) if m.id == meter else m for m in site.meters)
    return replace(site, meters=tuple(meters))


def without(site: Site, *meters: str) -> Site:
    return replace(site, meters=tuple(m for m in site.meters if m.id not in meters))


async def test_ten_changes_beside_them_take_no_tick_from_meters_that_stay_as_they_are(
    tmp_path: Path, key: SigningKey
) -> None:
    runs = []
    for changing in (False, True):
        clock = SteppedClock(NOW)
        async with played(clock) as fleet:
            edge = Edge(tmp_path / str(changing), key, fleet, clock)
            await edge.hand(edge.site)
            ids = [m.id for m in edge.site.meters]
            of_canteen = [m.id for m in edge.site.meters if m.line == "canteen"]
            # One of the data room is read otherwise each time, and the canteen comes and goes.
            slow = slower(edge.site, ids[0])
            other = [slow, without(edge.site, *of_canteen), without(slow, ids[1])]
            for n in range(11):
                # While meters are being read, and while none is.
                change = partial(edge.hand, other[n % 3]) if changing and n < 10 else None
                await edge.step(7 + n % 2, change)
            runs.append({name: edge.instants(name) for name in ids})
            await edge.stop()

    undisturbed, changed = runs
    stayed = [m.id for m in edge.site.meters if m.line == "data-room"][2:]
    assert len(stayed) >= 2
    assert {name: changed[name] for name in stayed} == {name: undisturbed[name] for name in stayed}
    assert all(len(set(undisturbed[name])) >= 8 for name in stayed)
    assert changed[ids[0]] != undisturbed[ids[0]]


async def test_a_file_is_refused_that_is_older_than_what_runs(edge: Edge) -> None:
    old = await edge.hand(slower(edge.site, "data-room-main"))
    new = await edge.hand(edge.site)
    await edge.give(signed(old, edge.key))

    assert edge.applying.state.version == new.name
    assert (edge.applying.state.refused_version, edge.applying.state.refused) == (
        old.name,
        f"is not newer than {new.name}, which runs",
    )
    # What runs, handed over once more, is no other file: nothing is wrong any longer.
    await edge.give(signed(new, edge.key))
    assert edge.applying.state.refused == ""


async def test_the_file_of_a_neighbour_and_one_that_nobody_signed_change_nothing(edge: Edge, tmp_path: Path) -> None:
    new = await edge.hand(edge.site)
    await edge.give(signed(version(edge.site, edge="south"), edge.key))
    assert edge.applying.state.refused == "is for edge 'south', this one is 'north'"
    await edge.give(signed(version(edge.site), open_signing_key(tmp_path / "stranger")))
    assert edge.applying.state.refused == "is not signed by the gateway of this edge"
    await edge.step(13)

    assert (edge.applying.state.version, edge.applying.state.refused_version) == (new.name, None)
    assert len(edge.workers.reporting()) == len(edge.site.meters)


async def test_what_is_wrong_in_a_file_is_told_as_of_a_local_one_and_the_last_good_one_runs(edge: Edge) -> None:
    good = await edge.hand(edge.site)
    text = plain_text(edge.site).replace('"unit":2', '"unti":2', 1).replace("eastron/sdm630", "eastron/none", 1)
    bad = await edge.hand(edge.site, site=text)

    state = edge.applying.state
    assert (state.version, state.refused_version) == (good.name, bad.name)
    assert re.fullmatch(
        r"site\.yaml:\d+: meters\[1\]\.unti = 2: is not a key here; did you mean 'unit'\?", state.refused
    )
    await edge.step(13)
    before = edge.told
    edge.applying.offer(signed(bad, edge.key))
    await edge.step(13)
    assert edge.told == before


async def test_a_profile_of_ones_own_comes_along(edge: Edge) -> None:
    text = (CONFIG.parent / "collectors/profiles/eastron/sdm630.yaml").read_text(encoding="utf-8")
    own = profile_name("/etc/jieneng/mine.yaml", text)
    meters = [replace(m, profile=own) if m.profile == "eastron/sdm630" else m for m in edge.site.meters]
    await edge.hand(replace(edge.site, meters=tuple(meters)), profiles={own: text})
    await edge.step(13)

    assert sum(m.profile == own for m in meters) >= 3
    assert sorted(edge.workers.reporting()) == sorted(m.id for m in meters)


async def test_a_file_after_which_no_meter_answers_is_left_for_the_last_good_one(edge: Edge) -> None:
    good = await edge.hand(edge.site)
    await edge.step(13)
    edge.patience_s = 0.05
    lines = tuple(replace(line, address="tcp://127.0.0.1:9") for line in edge.site.lines)
    meters = tuple(replace(m, line=lines[0].id, unit=n) for n, m in enumerate(edge.site.meters, start=1))
    bad = await edge.hand(replace(edge.site, lines=lines[:1], meters=meters))
    assert edge.applying.state.version == bad.name
    await edge.step(40)

    state, n = edge.applying.state, len(meters)
    assert (state.version, state.refused_version) == (good.name, bad.name)
    assert state.refused == f"none of its {n} meters answers, of those before it {n} did"
    await edge.step(15)
    assert len(edge.workers.reporting()) == n
    assert await edge.keeps(good)


async def test_a_file_is_not_to_blame_for_meters_that_do_not_answer_to_the_last_good_one_either(
    edge: Edge, fleet: Fleet
) -> None:
    quick = replace(edge.site, lines=tuple(replace(line, timeout_s=0.1) for line in edge.site.lines))
    await edge.hand(quick)
    await edge.step(13)
    edge.patience_s = 0.05
    for m in edge.site.meters:
        fleet.switch(f"dark-{m.id}", on=True)
    new = await edge.hand(slower(quick, "data-room-main"))
    await edge.step_until(lambda: "none of its" in edge.applying.state.refused)
    await edge.step_until(lambda: not edge.applying.state.refused)
    assert (edge.applying.state.version, edge.applying.state.refused) == (new.name, "")

    fleet.switch("dark-canteen-main", on=False)
    await edge.step_until(lambda: edge.workers.reporting() == ["canteen-main"])
    await edge.step(2)
    assert await edge.keeps(new)


async def test_one_meter_that_answers_is_enough_and_a_missing_port_is_no_fault_of_the_file(edge: Edge) -> None:
    await edge.hand(edge.site)
    await edge.step(13)
    lines = tuple(
        replace(line, address="serial:/dev/nowhere") if line.id == "canteen" else line for line in edge.site.lines
    )
    new = await edge.hand(replace(edge.site, lines=lines))
    await edge.step(40)

    assert (edge.applying.state.version, edge.applying.state.refused) == (new.name, "")
    silent = [s.meter.line for s in edge.workers.stations if s.state.state == "silent"]
    assert set(silent) == {"canteen"}


async def test_where_no_meter_answered_before_none_needs_to(edge: Edge) -> None:
    edge.patience_s = 0.05
    lines = tuple(replace(line, address="tcp://127.0.0.1:9") for line in edge.site.lines[:1])
    meters = tuple(m for m in edge.site.meters if m.line == lines[0].id)
    new = await edge.hand(replace(edge.site, lines=lines, meters=meters))
    await edge.step(40)

    assert (edge.applying.state.version, edge.applying.state.refused) == (new.name, "")


async def test_a_fault_of_ours_while_a_file_is_tried_is_survived(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    good = await edge.hand(edge.site)
    await edge.step(13)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(workers, "_station", broken)
    with capture_logs():
        bad = await edge.hand(slower(edge.site, "data-room-main"))

    state = edge.applying.state
    assert (state.version, state.refused_version) == (good.name, bad.name)
    assert state.refused == "could not be put to work: ZeroDivisionError: of ours"
    before = len(edge.read)
    await edge.step(15)
    assert len({r.meter for r in edge.read[before:]}) == len(edge.site.meters)


async def test_a_file_that_we_fail_to_read_is_refused_and_does_not_end_the_process(edge: Edge) -> None:
    good = await edge.hand(edge.site)

    def broken(_file: Path) -> Installed:
        raise RecursionError("of ours")

    edge.applying._handed = replace(edge.handed, load=broken)
    with capture_logs():
        bad = await edge.hand(slower(edge.site, "data-room-main"))

    state = edge.applying.state
    assert (state.version, state.refused_version) == (good.name, bad.name)
    assert state.refused == "could not be read: RecursionError: of ours"


async def test_a_kept_file_that_cannot_be_run_any_more_is_waited_out(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await edge.hand(edge.site)
    assert await edge.keeps(good)
    first = last_good("north", edge.handed)
    assert first is not None

    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    again = Workers(edge.workers._means, nothing("north").installed)
    starting = Applying("north", edge.handed, first, again, EdgeClock(edge.clock), lambda: None)
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(workers, "_station", broken)
        task = asyncio.create_task(starting.run())
        await until(lambda: bool(starting.state.refused))
    assert (starting.state.version, starting.state.refused_version) == ("none", good.name)
    starting.offer(signed(version(slower(edge.site, "data-room-main")), edge.key))
    await until(lambda: starting.state.refused == "")

    assert len(again.stations) == len(edge.site.meters)
    task.cancel()
    await again.close()


async def test_a_worker_that_fails_on_a_new_file_does_not_end_the_process(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await edge.hand(edge.site)
    await edge.step(13)

    async def broken(_worker: object) -> None:
        raise ZeroDivisionError("of ours")

    lines = tuple(replace(line, timeout_s=0.3) for line in edge.site.lines)
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(LineWorker, "run", broken)
        bad = await edge.hand(replace(edge.site, lines=lines))
        await edge.clock.step(0.5)
    await edge.step(2)

    state = edge.applying.state
    assert (state.version, state.refused_version) == (good.name, bad.name)
    assert state.refused == "could not be run: ZeroDivisionError: of ours"
    before = len(edge.read)
    await edge.step(15)
    assert len({r.meter for r in edge.read[before:]}) == len(edge.site.meters)


async def test_a_restart_without_the_gateway_runs_on_the_last_good_one(
    edge: Edge, tmp_path: Path, key: SigningKey
) -> None:
    good = await edge.hand(edge.site)
    assert await edge.keeps(good)
    # It dies while it tries another one.
    await edge.hand(replace(edge.site, lines=(), meters=()), site="site: x\n", number=10**9)
    tried = version(slower(edge.site, "data-room-main"), number=10**9 + 1)
    edge.handed.files.laid_out(tried)

    kept = last_good("north", Handed(key.checking, SiteKeeping(tmp_path / "handed"), load_installed))

    assert kept is not None
    assert (kept.name, kept.number) == (good.name, good.number)
    assert len(kept.installed.site.meters) == len(edge.site.meters)


@pytest.mark.parametrize("harm", ["cut", "another key", "another edge"])
async def test_what_is_kept_is_checked_before_it_is_used(edge: Edge, tmp_path: Path, harm: str) -> None:
    assert await edge.keeps(await edge.hand(edge.site))
    file = tmp_path / "handed" / "good.json"
    key = edge.key
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-40])
    elif harm == "another key":
        key = open_signing_key(tmp_path / "another")
    name = "south" if harm == "another edge" else "north"

    assert last_good(name, Handed(key.checking, SiteKeeping(tmp_path / "handed"), load_installed)) is None


async def test_an_edge_that_does_not_know_its_gateway_stays_on_its_own_file_and_says_so_once(
    edge: Edge,
) -> None:
    alone = Applying(
        "north", None, Running("local-1", nothing("north").installed), edge.workers, EdgeClock(edge.clock), lambda: None
    )
    payload = signed(version(edge.site), edge.key)
    with capture_logs() as said:
        for _ in range(3):
            alone.offer(payload)

    assert [one["event"] for one in said] == ["site.not_taken"]
    assert (alone.state.version, alone.state.refused) == ("local-1", "")
