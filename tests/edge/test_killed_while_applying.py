"""A real edge process that is killed while it takes site files, over a real broker; its meters are simulated."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.broker_nats import embedded_broker
from adapters.clocks import SystemClock
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.secret_files import write_public
from adapters.site_signing import CHECKING_KEY, open_signing_key
from adapters.site_versions import SiteVersion, plain_text, signed
from adapters.wire import SITE, STATE, EdgeState, decode_state, topic
from collectors.simulators.fleet import Fleet
from energy.extracts import extracts
from energy.sites import Site
from tests.edge.test_applying import played, slower
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S

NORTH = topic("north", SITE)


class Gateway:
    """As far as it hands site files over, and hears what the edge tells."""

    def __init__(self, bus: MqttBus) -> None:
        self._bus = bus
        self.told: EdgeState | None = None

    async def listen(self) -> None:
        async for messages in self._bus.messages():
            for message in messages:
                with suppress(ValueError):
                    self.told = decode_state(message.payload)
            await self._bus.acknowledge(messages)

    async def hand(self, payload: bytes) -> None:
        await self._bus.publish(NORTH, payload, retain=True)

    async def running(self, wanted: set[str], meters: int) -> str:
        """The version that it runs on, once it is one of these and all of its meters answer."""
        for _ in range(PATIENCE_S * 100):
            told = self.told
            answering = 0 if told is None else sum(m.state == "reporting" for m in told.meters.values())
            if told is not None and told.site is not None and told.site.version in wanted and answering == meters:
                return told.site.version
            await asyncio.sleep(0.01)
        raise AssertionError(f"it came to {self.told}")


@contextmanager
def edge(folder: Path, bus: str) -> Iterator[subprocess.Popen[bytes]]:
    """An edge that was given nothing but the key of its gateway."""
    command = [sys.executable, "-m", "jieneng", "edge", "--edge", "north", "--bus", bus]
    command += ["--data", str(folder / "var"), "--identity", str(folder / "identity")]
    with (folder / "edge.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def quick(fleet: Fleet) -> Site:
    """The data room, each meter read every second."""
    lines = tuple(replace(one, address=fleet.addresses[one.id]) for one in fleet.site.lines if one.id == "data-room")
    meters = tuple(replace(m, interval_s=1.0, rates={}) for m in fleet.site.meters if m.line == "data-room")
    return extracts(replace(fleet.site, lines=lines, meters=meters), "north")["north"]


async def test_an_edge_that_is_killed_while_it_applies_works_on_without_its_gateway(tmp_path: Path) -> None:
    key = open_signing_key(tmp_path / "identities")
    write_public(tmp_path / "identity" / CHECKING_KEY, key.checking.pem)
    port = free_port()
    bus = f"mqtt://127.0.0.1:{port}"
    with embedded_broker(tmp_path / "broker", port):
        async with (
            played(SystemClock(), datetime.now(UTC)) as fleet,
            open_bus(bus, "gateway", subscribe=[topic("north", STATE)]) as opened,
        ):
            gateway, site = Gateway(opened), quick(fleet)
            listening = asyncio.create_task(gateway.listen())
            sites = [site, slower(site, "data-room-main")]
            versions = [SiteVersion("north", n + 1, 0, plain_text(sites[n % 2])) for n in range(9)]
            names, meters = {v.name for v in versions}, len(site.meters)
            while not opened.connected:
                await asyncio.sleep(0.01)

            with edge(tmp_path, bus):
                await gateway.hand(signed(versions[0], key))
                await gateway.running(names, meters)
            for first in (1, 4):
                gateway.told = None
                with edge(tmp_path, bus):
                    await gateway.running(names, meters)
                    # Several one after the other, and death at any moment of it.
                    for version in versions[first : first + 3]:
                        await gateway.hand(signed(version, key))
                        await asyncio.sleep(random.uniform(0, 0.05))
            await gateway.hand(b"")
            gateway.told = None
            with edge(tmp_path, bus):
                kept = await gateway.running(names, meters)
            listening.cancel()

    assert kept in names
    assert "Traceback" not in (tmp_path / "edge.log").read_text()
