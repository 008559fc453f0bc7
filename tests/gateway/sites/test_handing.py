"""What changes in the records is handed to the edge that it concerns, as a new version, and to no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.site_files import read_site
from adapters.site_signing import SigningKey, open_signing_key
from adapters.site_versions import SiteVersion, opened
from adapters.wire import SITE, EdgeState, SiteState, encode, topic
from energy.errors import BusError
from energy.ports import Message
from energy.quantities import Medium
from energy.readings import to_ms
from energy.sites import LineSettings, Meter, Place, Site, Text
from gateway.edges.service import Edges
from gateway.records.database import Records
from gateway.sites.handing import Handing
from gateway.sites.moving import senders_of
from gateway.sites.records import SiteRecords

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
NOW_S = to_ms(NOW) // 1000
NAME = Text("表", "Meter")
LINES = (LineSettings("plant", "tcp://192.0.2.1", edge="north"), LineSettings("hall", "tcp://192.0.2.3"))


def meter(name: str, line: str | None, **given: object) -> Meter:
    made = Meter(name, NAME, Medium.ELECTRICITY, "house", profile="eastron/sdm630", line=line)
    return replace(made, **given)  # type: ignore[arg-type]


PUMPS, MAIN = meter("pumps", "plant"), meter("main", "hall")
SITE_OF_ALL = Site("campus", NAME, "Asia/Shanghai", (Place("house", NAME, "office"),), LINES, (PUMPS, MAIN))


@dataclass
class Sent:
    """A broker as far as it is told something."""

    connected: bool = True
    messages: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, of_topic: str, payload: bytes, *, retain: bool = False) -> None:
        if not self.connected:
            raise BusError("not connected")
        assert retain
        self.messages.append((of_topic, payload))

    def messages_of(self) -> AsyncIterator[list[Message]]:
        raise NotImplementedError

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        raise NotImplementedError


class Handed:
    """A gateway that hands over, and what it has handed over."""

    def __init__(self, records: Records, key: SigningKey, clock: SteppedClock) -> None:
        self.records, self.key, self.clock = records, key, clock
        self.edges, self.bus, self.site = Edges(clock), Sent(), SITE_OF_ALL
        self.start()

    def start(self) -> None:
        """As at the start of the process: it knows what stands in the records alone."""
        self.handing = Handing(self.records, lambda: self.site, self.edges, self.key, self.clock, "first")

    async def enter(self, site: Site) -> None:
        sites = SiteRecords(self.records, self.clock)
        await sites.apply(site.id, await sites.differences(site), "li", "by hand")
        self.site = site

    async def come(self) -> dict[str, SiteVersion]:
        """What is handed over now, by edge."""
        before = len(self.bus.messages)
        await self.handing.look()
        await self.handing.send(self.bus)  # type: ignore[arg-type]
        return {
            edge: opened(payload, self.key.checking, edge)
            for edge in ("first", "north", "south")
            for of_topic, payload in self.bus.messages[before:]
            if of_topic == topic(edge, SITE)
        }

    def tell(self, edge: str, version: str) -> None:
        self.edges.take(edge, encode(EdgeState("online", site=SiteState(version, 0))))


@pytest.fixture
async def gateway(records: Records, tmp_path: Path) -> Handed:
    made = Handed(records, open_signing_key(tmp_path / "identities"), SteppedClock(NOW))
    await made.enter(SITE_OF_ALL)
    return made


async def test_each_edge_is_handed_its_own_lines_and_nothing_once_more(gateway: Handed, tmp_path: Path) -> None:
    came = await gateway.come()

    assert sorted(came) == ["first", "north"]
    file = tmp_path / "site.yaml"
    file.write_text(came["north"].site, encoding="utf-8")
    assert [m.id for m in read_site(file)[0].meters] == ["pumps"]
    assert gateway.edges.handed == {edge: version.name for edge, version in came.items()}
    assert await gateway.come() == {}


async def test_a_change_is_a_new_version_for_the_edge_that_it_concerns_alone(gateway: Handed) -> None:
    before = await gateway.come()
    await gateway.enter(replace(SITE_OF_ALL, meters=(replace(PUMPS, interval_s=5.0), MAIN)))
    after = await gateway.come()

    assert list(after) == ["north"]
    # Two within a second.
    assert after["north"].number == before["north"].number + 1 == NOW_S + 1


async def test_what_an_edge_does_not_need_makes_no_version(gateway: Handed) -> None:
    await gateway.come()
    await gateway.enter(replace(SITE_OF_ALL, meters=(replace(PUMPS, plausible={"active_power": (0.0, 5.0)}), MAIN)))

    assert await gateway.come() == {}


async def test_a_line_that_moves_is_taken_from_one_edge_and_given_to_the_other(gateway: Handed) -> None:
    await gateway.come()
    await gateway.enter(replace(SITE_OF_ALL, lines=(replace(LINES[0], edge="south"), LINES[1])))
    came = await gateway.come()

    assert sorted(came) == ["north", "south"]
    assert "pumps" in came["south"].site
    assert "pumps" not in came["north"].site


async def test_a_gateway_that_starts_again_hands_over_the_same_version(gateway: Handed) -> None:
    before = await gateway.come()
    await gateway.clock.step(3600)
    gateway.start()

    assert await gateway.come() == before


async def test_after_each_connection_all_is_handed_over_again(gateway: Handed) -> None:
    gateway.bus.connected = False
    assert await gateway.come() == {}
    gateway.bus.connected = True
    came = await gateway.come()
    gateway.handing.connected()

    assert sorted(came) == ["first", "north"]
    assert await gateway.come() == came


async def test_records_that_were_restored_outrun_what_the_edge_runs_on(gateway: Handed) -> None:
    before = await gateway.come()
    await gateway.clock.step(100)
    gateway.tell("north", f"{NOW_S + 50}-0123456789ab")
    after = await gateway.come()

    assert list(after) == ["north"]
    assert (after["north"].digest, after["north"].number) == (before["north"].digest, NOW_S + 100)


async def test_what_an_edge_tells_drives_no_number_beyond_the_clock(gateway: Handed) -> None:
    await gateway.come()
    await gateway.clock.step(100)
    for told in ("local-0123456789ab", "none", f"{NOW_S + 10**6}-0123456789ab", "9" * 5000 + "-x", "-", "²-x"):
        gateway.tell("north", told)
        assert await gateway.come() == {}


async def test_a_profile_of_ones_own_comes_along_and_another_text_is_another_version(
    gateway: Handed, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("maker: x\n")
    own = replace(PUMPS, profile=str(mine))
    await gateway.enter(replace(SITE_OF_ALL, meters=(own, MAIN)))
    first = (await gateway.come())["north"]
    mine.write_text("maker: y\n")
    second = (await gateway.come())["north"]

    assert list(first.profiles.values()) == ["maker: x\n"]
    assert list(second.profiles.values()) == ["maker: y\n"]
    assert next(iter(second.profiles)) in second.site
    assert str(tmp_path) not in second.site


async def test_an_edge_is_handed_nothing_new_where_a_profile_cannot_be_read_and_it_is_told(
    gateway: Handed, tmp_path: Path
) -> None:
    await gateway.come()
    mine = tmp_path / "mine.yaml"
    await gateway.enter(replace(SITE_OF_ALL, meters=(replace(PUMPS, profile=str(mine)), MAIN)))
    assert await gateway.come() == {}
    [problem] = gateway.handing.problems()
    assert (problem.kind, problem.subject) == ("edge.site_unmade", "north")
    assert str(mine) in problem.text.en

    await gateway.enter(SITE_OF_ALL)
    assert await gateway.come() == {}
    assert gateway.handing.problems() == []
    await gateway.enter(replace(SITE_OF_ALL, meters=(replace(PUMPS, profile=str(mine)), MAIN)))
    mine.write_text("maker: x\n")
    assert list(await gateway.come()) == ["north"]
    assert gateway.handing.problems() == []


async def test_a_refusal_is_a_problem_with_its_reason(gateway: Handed) -> None:
    refused = SiteState("7-a", 0, "8-b", "site.yaml:3: meters[0].unti = 2: is not a key here")
    gateway.edges.take("north", encode(EdgeState("online", site=refused)))

    [problem] = gateway.edges.problems()
    assert (problem.kind, problem.subject) == ("edge.site_refused", "north")
    assert "8-b" in problem.text.zh
    assert "meters[0].unti" in problem.text.zh
    [words] = gateway.edges.words()
    assert words.site_refused is not None
    assert (words.site_version, words.site_wanted, words.site_refused.en) == ("7-a", None, refused.refused)


async def test_what_an_edge_has_read_of_a_meter_may_still_come_when_another_one_reads_it(gateway: Handed) -> None:
    assert not (await senders_of(gateway.records, gateway.site)).allow("pumps", "south", 0)
    await gateway.clock.step(60)
    moved_ms = to_ms(gateway.clock.now())
    await gateway.enter(replace(SITE_OF_ALL, lines=(replace(LINES[0], edge="south"), LINES[1])))
    await gateway.clock.step(60)
    await gateway.enter(replace(gateway.site, meters=(replace(PUMPS, line="hall", unit=2), MAIN)))
    await gateway.enter(replace(gateway.site, lines=(gateway.site.lines[0], replace(LINES[1], edge="east"))))
    now_ms = to_ms(gateway.clock.now())

    known = await senders_of(gateway.records, gateway.site)

    assert known.now["pumps"] == "east"
    assert known.allow("pumps", "north", moved_ms)
    assert not known.allow("pumps", "north", now_ms + 1)
    assert known.allow("pumps", "south", moved_ms + 1)
    assert known.allow("pumps", "east", now_ms + 1)
    assert not known.allow("pumps", "south", now_ms + 1)
