"""An edge's publisher in this process, Mosquitto and a gateway in others: what the measurements of delivery share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from adapters.mqtt_bus import open_bus
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import STORED, WANTED, topic
from benchmarks.parts import cpu_s, free_port, jieneng, mosquitto, until_healthy
from edge.app import _listen
from edge.publish import Publisher


@dataclass(frozen=True, slots=True)
class Centre:
    """A broker and a gateway behind it, by their process ids."""

    broker: int
    port: int
    broker_pid: int
    gateway_pid: int

    def cpu_s(self) -> dict[str, float]:
        return {"broker": cpu_s(self.broker_pid), "gateway": cpu_s(self.gateway_pid), "edge": time.process_time()}

    def stored_values(self) -> int:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(next(float(line.split()[1]) for line in lines if line.startswith("jieneng_values_stored_total")))


@contextmanager
def centre(folder: Path, site: Path) -> Iterator[Centre]:
    """Mosquitto at QoS 1 and a gateway that stores on the disk."""
    broker, port = free_port(), free_port()
    arguments = ["gateway", "--accounts", "off", "--site", str(site), "--data", str(folder / "gateway")]
    arguments += ["--listen", f"127.0.0.1:{port}", "--bus", f"mqtt://127.0.0.1:{broker}"]
    with mosquitto(folder / "broker", broker) as taking, jieneng(arguments, folder / "gateway.log") as storing:
        until_healthy(port)
        time.sleep(1.0)  # the gateway subscribes after it answers
        yield Centre(broker, port, taking.pid, storing.pid)


@asynccontextmanager
async def publishing(outbox: SqliteOutbox, broker: int, kept: asyncio.Event) -> AsyncIterator[None]:
    """The edge `bench`, publishing what is in the outbox as history, and what is put from now on as live."""
    answers = [topic("bench", STORED), topic("bench", WANTED)]
    there = asyncio.Event()
    async with open_bus(f"mqtt://127.0.0.1:{broker}", "bench-edge", subscribe=answers, connected=there.set) as bus:
        await there.wait()
        await asyncio.sleep(0.5)
        publisher = Publisher(outbox, bus, "bench", "boot", kept)
        tasks = [asyncio.create_task(publisher.run()), asyncio.create_task(_listen(bus, publisher))]
        publisher.connected()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
