"""A gateway whose broker stands on the network: an edge is enrolled, its readings are stored, it is revoked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from adapters.mqtt_bus import open_bus
from adapters.wire import READINGS, STATE, STORED, Batch, EdgeState, MeterReadings, decode_stored, encode, topic
from jieneng.__main__ import jieneng
from jieneng.settings import load_settings
from tests.adapters import guarded
from tests.journeys.campus import children_of, command, get, until
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S

SITE = """\
site: town-hall
name: {zh: 市政府大院, en: Town hall}
meters:
  - {id: canteen-water, name: {zh: 食堂水表, en: Canteen water}, medium: water, every: 15min, read: [volume]}
"""


@dataclass
class Centre:
    """`data` is its folder; `follow` lets a broker of one's own know what was changed."""

    folder: Path
    data: Path
    port: int
    broker: int
    process: int
    follow: Callable[[], object] = lambda: None

    async def edge(self, *arguments: str) -> None:
        """`jieneng edge` beside the running gateway."""
        given = ["edge", *arguments, "--data", str(self.data)]
        result = await asyncio.to_thread(CliRunner().invoke, jieneng, given)
        assert result.exit_code == 0, (result.output, result.exception)
        self.follow()

    async def enroll(self, name: str) -> str:
        """The address for a new edge, from the settings that were made for it."""
        into = self.folder / name
        await self.edge("enroll", name, "--broker", f"localhost:{self.broker}", "--into", str(into))
        return load_settings(into / "edge.yaml").bus_of(name)

    def edges(self) -> dict[str, str]:
        return {e["edge"]: e["state"] for e in get(self.port, "/api/v1/edges")["edges"]}

    def latest(self) -> Any:
        answer = get(self.port, "/api/v1/latest?point=canteen-water:volume")
        return answer["latest"][0]["value"] if answer["latest"] else None


@contextmanager
def beside_its_own_broker(folder: Path) -> Iterator[Centre]:
    """`jieneng run` with its broker open to the network."""
    port, broker = free_port(), free_port()
    site = written(folder)
    given = ["--site", str(site), "--data", str(folder / "var"), "--listen", f"127.0.0.1:{port}"]
    given += ["--broker-listen", f"127.0.0.1:{broker}", "--accounts", "off"]
    with command("run", *given, log=folder / "run.log") as process:
        until(lambda: get(port, "/health"), f"the gateway; see {folder}")
        yield Centre(folder, folder / "var", port, broker, process.pid)


@contextmanager
def beside_mosquitto(folder: Path) -> Iterator[Centre]:
    """A gateway alone, beside Mosquitto on the configuration that is shipped."""
    port = free_port()
    with guarded.mosquitto(folder) as broker:
        site, at = written(folder), urlsplit(broker.bus).port
        given = ["--site", str(site), "--data", str(folder), "--listen", f"127.0.0.1:{port}", "--bus", broker.bus]
        with command("gateway", *given, "--accounts", "off", log=folder / "gateway.log") as process:
            until(lambda: get(port, "/health"), f"the gateway; see {folder}")
            yield Centre(folder, folder, port, at or 0, process.pid, broker.follow)


def written(folder: Path) -> Path:
    site = folder / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    return site


async def say(address: str, name: str, value: float, *, patience_s: float = PATIENCE_S) -> list[int]:
    """Send a reading as an edge; which batches are stored then, as far as is said while one waits."""
    there = asyncio.Event()
    async with open_bus(address, name, subscribe=[topic(name, STORED)], connected=there.set) as bus:
        async with asyncio.timeout(PATIENCE_S):
            await there.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                reading = MeterReadings("canteen-water", int(time.time() * 1000), {"volume": value})
                await bus.publish(topic(name, STATE), encode(EdgeState("online")), retain=True)
                await bus.publish(topic(name, READINGS), encode(Batch([reading], "boot", 1)))
                async for messages in bus.messages():
                    return decode_stored(messages[0].payload).sequences
    return []


async def refused(address: str, name: str, why: str) -> None:
    """Wait until somebody is told why he is not let in. While the broker takes its new users in, whoever comes is cut
    off without a word, and told the next time."""
    async with open_bus(address, name) as bus, asyncio.timeout(PATIENCE_S):
        while why not in f"{bus.trouble} {bus.refused}":
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("centre", [beside_its_own_broker, beside_mosquitto])
async def test_an_edge_is_enrolled_heard_and_revoked_while_everything_runs(
    centre: Callable[[Path], AbstractContextManager[Centre]], tmp_path: Path
) -> None:
    with centre(tmp_path) as running:
        before = running.edges()
        north, thief = await running.enroll("north"), await running.enroll("thief")
        assert await say(north, "north", 5.0) == [1]
        until(lambda: running.edges() == {**before, "north": "online"}, "the new edge")
        # Under the name of another nothing is stored, and nobody is told that it was.
        assert await say(thief, "north", 6.0, patience_s=2) == []
        assert running.latest() == 5.0

        await running.edge("revoke", "thief")
        await running.edge("revoke", "north")
        await refused(north, "north", "may be revoked")
        # Nobody else was held up by that, and its last word of itself is taken back.
        until(lambda: running.edges() == before, "what was before")
        assert get(running.port, "/health")["problems"] == []
        assert running.latest() == 5.0
        no_secret_is_seen(running)


def no_secret_is_seen(running: Centre) -> None:
    """Neither among the processes nor in what they say."""
    own = [f.read_text() for f in (running.data / "identities" / "own").rglob("password")]
    processes = [Path("/proc") / str(pid) for pid in (running.process, *children_of(running.process))]
    seen = b"".join((p / "cmdline").read_bytes() + (p / "environ").read_bytes() for p in processes).decode()
    logs = "".join(f.read_text() for f in running.folder.rglob("*.log"))

    assert (len(own), len(logs) > 100) == (2, True)
    assert [secret for secret in own if secret in seen + logs] == []
