"""A gateway whose broker stands on the network: an edge is enrolled, its readings are stored, it is revoked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.mqtt_bus import open_bus
from adapters.wire import READINGS, STATE, STORED, Batch, EdgeState, MeterReadings, decode_stored, encode, topic
from jieneng.settings import load_settings
from tests.journeys.campus import children_of, command, get, until
from tests.real_parts import free_port

SITE = """\
site: town-hall
name: {zh: 市政府大院, en: Town hall}
meters:
  - {id: canteen-water, name: {zh: 食堂水表, en: Canteen water}, medium: water, every: 15min, read: [volume]}
"""
PATIENCE_S = 30


@dataclass
class Centre:
    folder: Path
    port: int
    broker: int
    process: int

    def edge(self, *arguments: str) -> str:
        """`jieneng edge` beside the running gateway."""
        given = [sys.executable, "-m", "jieneng", "edge", *arguments, "--data", str(self.folder / "var")]
        return subprocess.run(given, check=True, capture_output=True, text=True).stdout

    def edges(self) -> dict[str, str]:
        return {e["edge"]: e["state"] for e in get(self.port, "/api/v1/edges")["edges"]}

    def latest(self) -> Any:
        answer = get(self.port, "/api/v1/latest?point=canteen-water:volume")
        return answer["latest"][0]["value"] if answer["latest"] else None


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    tmp_path = tmp_path_factory.mktemp("identity")
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    port, broker = free_port(), free_port()
    with ExitStack() as stack:
        given = ("--site", str(site), "--data", str(tmp_path / "var"), "--listen", f"127.0.0.1:{port}")
        given = (*given, "--broker-listen", f"127.0.0.1:{broker}", "--accounts", "off")
        process = stack.enter_context(command("run", *given, log=tmp_path / "run.log"))
        until(lambda: get(port, "/health"), f"the gateway; see {tmp_path}")
        yield Centre(tmp_path, port, broker, process.pid)


async def say(address: str, name: str, value: float) -> list[int]:
    """Send a reading as an edge; which batches are stored then."""
    there = asyncio.Event()
    async with open_bus(address, name, subscribe=[topic(name, STORED)], connected=there.set) as bus:
        async with asyncio.timeout(PATIENCE_S):
            await there.wait()
            reading = MeterReadings("canteen-water", int(time.time() * 1000), {"volume": value})
            await bus.publish(topic(name, STATE), encode(EdgeState("online")), retain=True)
            await bus.publish(topic(name, READINGS), encode(Batch([reading], "boot", 1)))
            async for messages in bus.messages():
                return decode_stored(messages[0].payload).sequences
    return []


async def refusal(address: str, name: str) -> str:
    """Why somebody is not let in."""
    async with open_bus(address, name) as bus, asyncio.timeout(PATIENCE_S):
        while bus.trouble is None:
            assert not bus.connected
            await asyncio.sleep(0.01)
        return bus.trouble


async def test_an_edge_is_enrolled_heard_and_revoked_while_everything_runs(centre: Centre) -> None:
    into = centre.folder / "north"
    said = centre.edge("enroll", "north", "--broker", f"localhost:{centre.broker}", "--into", str(into))
    assert "the embedded broker follows already" in said
    address = load_settings(into / "edge.yaml").bus_of("north")

    assert await say(address, "north", 5.0) == [1]
    assert centre.latest() == 5.0
    until(lambda: centre.edges() == {"edge": "online", "north": "online"}, "both edges")
    centre.edge("revoke", "north")
    assert "may be revoked" in await refusal(address, "north")

    # Nobody else was held up by that, and its last word of itself is taken back.
    until(lambda: centre.edges() == {"edge": "online"}, "the other edge alone")
    assert get(centre.port, "/health")["problems"] == []
    assert centre.latest() == 5.0


async def test_no_secret_is_seen_among_the_processes_and_in_their_logs(centre: Centre) -> None:
    own = [f.read_text() for f in (centre.folder / "var" / "identities" / "own").rglob("password")]
    processes = [Path("/proc") / str(pid) for pid in (centre.process, *children_of(centre.process))]
    seen = b"".join((p / "cmdline").read_bytes() + (p / "environ").read_bytes() for p in processes).decode()
    logs = (centre.folder / "run.log").read_text() + (centre.folder / "var" / "broker" / "broker.log").read_text()

    assert (len(own), len(processes)) == (2, 4)
    assert [secret for secret in own if secret in seen + logs] == []
