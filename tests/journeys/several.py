"""An installation of several gateway processes over real servers, and edges that send until they are answered."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Any

import msgspec
import paho.mqtt.client as paho
from aiohttp import ClientError, ClientSession
from paho.mqtt.enums import CallbackAPIVersion

from adapters.wire import READINGS, STATE, STORED, Batch, EdgeState, MeterReadings, decode_stored, encode, topic
from benchmarks.parts import mosquitto
from tests.journeys.campus import command, get, stop, until
from tests.postgresql import PostgresServer, postgres_server
from tests.real_parts import free_port, program
from tests.victoria import VictoriaServer, victoria_server

EDGES, METERS = 4, 3
# Of a machine that has much else to do.
_START_S = 300.0
_SITE = """
site: bureau
name: {zh: 机关事务管理局, en: Bureau}
zone: Asia/Shanghai
meters:
"""


def meters_of(edge: int) -> list[str]:
    return [f"e{edge}-m{i}" for i in range(METERS)]


def site_text() -> str:
    """A site of meters that are read by other people's gateways."""
    rows = [
        f"- {{id: {m}, name: {{zh: {m}, en: {m}}}, medium: electricity, every: 1s, "
        "read: [active_energy_import, active_power]}"
        for edge in range(EDGES)
        for m in meters_of(edge)
    ]
    return _SITE + "\n".join(rows) + "\n"


@dataclass
class Installation:
    """The servers, and the gateway processes by name with the port at which each answers."""

    folder: Path
    broker: int
    postgres: PostgresServer
    victoria: VictoriaServer
    stack: ExitStack
    ports: dict[str, int] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    running: dict[str, Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, roles: str) -> None:
        """A process of these roles; started again under its name, where it answered before."""
        port = self.ports.setdefault(name, free_port())
        self.roles[name] = roles
        ledger, records = self.postgres.address("ledger"), self.postgres.address("records")
        arguments = ("--site", str(self.folder / "site.yaml"), "--data", str(self.folder / "var"), "--accounts", "off")
        store = f"victoria+http://127.0.0.1:{self.victoria.port}"
        stores = ("--store", store, "--ledger", ledger, "--records", records)
        bus = ("--bus", f"mqtt://127.0.0.1:{self.broker}", "--listen", f"127.0.0.1:{port}")
        whole = ("gateway", *arguments, *stores, *bus, "--roles", roles, "--name", name)
        self.running[name] = self.stack.enter_context(command(*whole, log=self.folder / f"{name}.log"))

    def await_all(self) -> None:
        """Until every process answers."""
        for name, port in self.ports.items():
            until(partial(get, port, "/health"), f"{name}; see {self.folder}", within_s=_START_S)

    def kill(self, name: str) -> None:
        """The hardest end."""
        self.running[name].kill()
        self.running[name].wait()

    def end(self, name: str) -> int:
        """End a process as it should be; its exit code."""
        return stop(self.running[name])

    def again(self, name: str) -> None:
        self.start(name, self.roles[name])


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """Mosquitto, PostgreSQL and VictoriaMetrics, and whatever is started over them."""
    program("mosquitto", "/usr/sbin/mosquitto")
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    (folder / "site.yaml").write_text(site_text(), encoding="utf-8")
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        victoria = stack.enter_context(victoria_server())
        for database in ("ledger", "records"):
            postgres.sql(f"CREATE DATABASE {database}")
        broker = free_port()
        stack.enter_context(mosquitto(folder / "broker", broker))
        yield Installation(folder, broker, postgres, victoria, stack)


class Sender:
    """An edge: a batch five times a second, each sent again until it is answered."""

    def __init__(self, number: int, broker: int) -> None:
        self.name, self._meters = f"edge-{number}", meters_of(number)
        self.sent: dict[int, Batch] = {}
        self.answered: set[int] = set()
        self._at: dict[int, float] = {}
        self._lock = threading.Lock()
        self._reading, self._ending = threading.Event(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name, clean_session=False)
        self._client.on_message, self._client.on_connect = self._answer, self._greet
        self._client.connect("127.0.0.1", broker)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _greet(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(topic(self.name, STORED), qos=1)
        state = EdgeState("online", meters={}, since=int(time.time() * 1000))
        client.publish(topic(self.name, STATE), encode(state), qos=1, retain=True)

    def _answer(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with self._lock:
            self.answered.update(decode_stored(message.payload).sequences)

    def _run(self) -> None:
        sequence = 0
        while not self._ending.is_set():
            if not self._reading.is_set():
                sequence += 1
                self._send(sequence, self._read(sequence))
            with self._lock:
                late = [n for n in self.sent if n not in self.answered and time.monotonic() - self._at[n] > 3.0]
            for number in late:
                self._send(number, self.sent[number])
            time.sleep(0.2)

    def _read(self, sequence: int) -> Batch:
        t_ms = int(time.time() * 1000)
        values = {"active_energy_import": sequence * 0.5, "active_power": float(sequence % 100)}
        readings = [MeterReadings(meter, t_ms, dict(values)) for meter in self._meters]
        return Batch(readings, boot="boot", sequence=sequence, outbox=self.name, held_from=1)

    def _send(self, number: int, batch: Batch) -> None:
        with self._lock:
            self.sent[number], self._at[number] = batch, time.monotonic()
        self._client.publish(topic(self.name, READINGS), encode(batch), qos=1)

    def read_no_more(self) -> None:
        self._reading.set()

    @property
    def is_answered(self) -> bool:
        with self._lock:
            return self.answered >= self.sent.keys()

    @property
    def readings(self) -> set[tuple[str, int]]:
        """Meter and instant of all that was read."""
        return {(r.meter, int(r.taken_at)) for batch in self.sent.values() for r in batch.readings}

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


class Listener:
    """Listens to the power of all meters at one API process, and comes back whenever it is cut off."""

    def __init__(self, port: int) -> None:
        self.heard: dict[tuple[str, int], int] = {}
        self.connections = self.hears_since_ms = 0
        # Whether something has come over the connection that there is now: only then all that is read comes over it.
        self.hears = False
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._ending = threading.Event()
        self._thread.start()

    async def _run(self) -> None:
        points = [f"{m}:active_power" for edge in range(EDGES) for m in meters_of(edge)]
        async with ClientSession() as session:
            while not self._ending.is_set():
                try:
                    async with session.ws_connect(f"http://127.0.0.1:{self._port}/api/v1/live") as socket:
                        await socket.send_json({"subscribe": points, "overview": False})
                        self.connections, self.hears = self.connections + 1, False
                        await self._listen(socket)
                except (ClientError, OSError):
                    await asyncio.sleep(0.1)

    async def _listen(self, socket: Any) -> None:
        while not self._ending.is_set():
            try:
                message = await socket.receive(timeout=0.3)
            except TimeoutError:
                continue
            if not isinstance(message.data, str | bytes):
                return
            told = msgspec.json.decode(message.data)
            if told["type"] == "readings" and not self.hears:
                self.hears, self.hears_since_ms = True, int(time.time() * 1000)
            for point, t_ms, *_ in told.get("readings", ()) if told["type"] == "readings" else ():
                key = (point.partition(":")[0], t_ms)
                self.heard[key] = self.heard.get(key, 0) + 1

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._loop.close()


@contextmanager
def sending(broker: int) -> Iterator[Sequence[Sender]]:
    """All edges, sending."""
    senders = [Sender(number, broker) for number in range(EDGES)]
    try:
        yield senders
    finally:
        for sender in senders:
            sender.close()


@contextmanager
def listening(*ports: int) -> Iterator[Sequence[Listener]]:
    """A listener at each of the ports."""
    listeners = [Listener(port) for port in ports]
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.close()
