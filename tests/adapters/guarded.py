"""Both brokers as they stand on a network, with what guards them; legitimate clients and strangers."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from adapters.broker_nats import Guard, embedded_broker, reload
from adapters.broker_rules import GATEWAY
from adapters.edge_identities import Identities
from adapters.identity_folders import with_identity
from adapters.mqtt_bus import MqttBus, open_bus
from energy.ports import Message
from tests.adapters.brokers import await_port
from tests.real_parts import free_ports, program
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "config" / "mosquitto" / "mosquitto.conf"
_ALL = ("jieneng/v1/+/readings", "jieneng/v1/+/state")


class Guarded:
    """A broker that lets in who is enrolled: `bus` by certificate, `password_bus` by password."""

    def __init__(self, folder: Path, bus: str, password_bus: str, follow: Callable[[], object]) -> None:
        self.folder, self.bus, self.password_bus, self._follow = folder, bus, password_bus, follow
        self.known = Identities(folder / "identities", lambda: datetime.now(UTC))

    def enroll(
        self, name: str, *, password: bool = False, topics: Sequence[str] = (), hears: Sequence[str] = ()
    ) -> Path:
        """The folder with which an edge comes."""
        into = self.folder / f"for-{name}"
        bus = self.password_bus if password else self.bus
        self.known.enroll(name, into, bus, by="li", password=password, kept=True, topics=topics, hears=hears)
        self._follow()
        return into

    def renew(self, name: str) -> Path:
        into = self.folder / f"again-for-{name}"
        self.known.renew(name, into, self.bus, by="li")
        self._follow()
        return into

    def revoke(self, name: str) -> None:
        self.known.revoke(name, by="li")
        self._follow()

    def follow(self) -> None:
        self._follow()

    def of(self, folder: Path, name: str) -> str:
        """The address for who comes with a folder."""
        has_password = (folder / "password").exists() and not (folder / "client.pem").exists()
        return with_identity(self.password_bus if has_password else self.bus, folder, name)

    @property
    def of_gateway(self) -> str:
        return with_identity(self.bus, self.known.own(GATEWAY), GATEWAY)


@contextmanager
def embedded(folder: Path) -> Iterator[Guarded]:
    """By TLS and certificates, as beyond this machine."""
    port = free_ports(1)
    made = Guarded(folder, f"mqtts://localhost:{port}", "", lambda: _reloaded(folder / "broker"))
    made.known.ensure_own(["here"])
    guard = Guard(made.known.users(tls=True), made.known.transport)
    with embedded_broker(folder / "broker", port, guard=guard):
        yield made


@contextmanager
def embedded_on_loopback(folder: Path) -> Iterator[Guarded]:
    """As `jieneng run` starts it where nothing is set: by passwords, on this machine."""
    port = free_ports(1)
    address = f"mqtt://127.0.0.1:{port}"
    made = Guarded(folder, address, address, lambda: _reloaded(folder / "broker"))
    made.known.ensure_own(["here"])
    with embedded_broker(folder / "broker", port, guard=Guard(made.known.users(tls=False))):
        yield made


@contextmanager
def mosquitto(folder: Path) -> Iterator[Guarded]:
    """On the configuration that is shipped, with other ports and folders."""
    port = free_ports(2)
    running: list[subprocess.Popen[bytes]] = []

    def follow() -> None:
        _until_one_more(folder / "mosquitto.log", b"Reloading config", lambda: running[0].send_signal(signal.SIGHUP))

    made = Guarded(folder, f"mqtts://localhost:{port}", f"mqtts://localhost:{port + 1}", follow)
    made.known.ensure_own(["here"])
    text = SHIPPED.read_text(encoding="utf-8")
    text = text.replace("/etc/mosquitto/jieneng", str(made.known.folder / "mosquitto"))
    text = text.replace("/var/lib/mosquitto", str(folder))
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1")
    text = text.replace("listener 8884", f"listener {port + 1} 127.0.0.1")
    # As root it would change to a user that may not read here.
    text += "user root\n" if os.getuid() == 0 else ""
    (folder / "mosquitto.conf").write_text(text)
    command = [program("mosquitto", "/usr/sbin/mosquitto"), "-c", str(folder / "mosquitto.conf")]
    with ExitStack() as stack:
        log = stack.enter_context((folder / "mosquitto.log").open("wb"))
        process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
        stack.callback(process.terminate)
        running.append(process)
        await_port(process, port + 1)
        # It listens before it knows what to do with a signal.
        _until_one_more(folder / "mosquitto.log", b"running", lambda: None, before=0)
        yield made


def _reloaded(folder: Path) -> None:
    _until_one_more(folder / "broker.log", b"Reloaded server configuration", lambda: reload(folder))


def _until_one_more(log: Path, line: bytes, do: Callable[[], object], *, before: int | None = None) -> None:
    """Do it until a log has the line once more: Mosquitto forgets a signal that comes while it follows another."""
    before = log.read_bytes().count(line) if before is None else before
    for _ in range(PATIENCE_S):
        do()
        for _ in range(100):
            if log.read_bytes().count(line) > before:
                return
            time.sleep(0.01)
    raise AssertionError(f"{log} does not say {line!r}")


class Legitimate:
    """A bus that is connected, and what has come over it."""

    def __init__(self, bus: MqttBus) -> None:
        self.bus = bus
        self._batches = bus.messages()
        self._waiting: list[Message] = []

    async def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self.bus.publish(topic, payload, retain=retain)

    async def hear(self) -> tuple[str, bytes]:
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._waiting:
                batch = await anext(self._batches)
                await self.bus.acknowledge(batch)
                self._waiting += batch
        message = self._waiting.pop(0)
        return message.topic, message.payload

    async def hear_of(self, payload: bytes) -> list[tuple[str, bytes]]:
        """What comes up to the message with this payload."""
        found = [await self.hear()]
        while found[-1][1] != payload:
            found.append(await self.hear())
        return found


@asynccontextmanager
async def legitimate(
    address: str, name: str, subscribe: Sequence[str] = (), *, will: Message | None = None
) -> AsyncIterator[Legitimate]:
    there = asyncio.Event()
    async with open_bus(address, name, subscribe=subscribe, will=will, connected=there.set) as bus:
        async with asyncio.timeout(PATIENCE_S):
            await there.wait()
        yield Legitimate(bus)


@asynccontextmanager
async def the_gateway(guarded: Guarded, subscribe: Sequence[str] = _ALL) -> AsyncIterator[Legitimate]:
    """Who hears states and whatever else he subscribes to, from now on."""
    async with legitimate(guarded.of_gateway, GATEWAY, subscribe) as gateway:
        await gateway.say("jieneng/v1/echo/state", b"echo")
        await gateway.hear_of(b"echo")
        yield gateway


@dataclass
class Stranger:
    """A client that does as it likes. `outcome` is how its connection began: `in`, or why not."""

    host: str
    port: int
    client_id: str = "stranger"
    ca: Path | None = None
    cert: tuple[Path, Path] | None = None
    user: str | None = None
    password: str | None = None
    clean: bool = True
    will: str | None = None
    subscribe: Sequence[str] = ()
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outcome = "nothing came"
        self._begun, self.ended, self._subscribed = threading.Event(), threading.Event(), threading.Event()
        self._published: dict[int, threading.Event] = {}
        client = paho.Client(
            CallbackAPIVersion.VERSION2, self.client_id, clean_session=self.clean, reconnect_on_failure=False
        )
        if self.user is not None:
            client.username_pw_set(self.user, self.password)
        if self.ca is not None:
            context = ssl.create_default_context(cafile=str(self.ca))
            if self.cert is not None:
                context.load_cert_chain(*self.cert)
            client.tls_set_context(context)
        if self.will is not None:
            client.will_set(self.will, b"stolen", qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _c, _d, message: self.heard.append(message.topic)
        client.on_subscribe = lambda *_: self._subscribed.set()
        self._client = client

    def __enter__(self) -> Stranger:
        try:
            self._client.connect(self.host, self.port)
        except OSError as error:
            self.outcome = f"no connection: {error}"
            return self
        self._client.loop_start()
        assert self._begun.wait(PATIENCE_S), self.outcome
        if self.outcome == "in" and self.subscribe:
            assert self._subscribed.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes = b"stolen", *, retain: bool = False) -> None:
        """Publish, and wait until the broker has taken it, or has hung up."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        for _ in range(PATIENCE_S * 100):
            if info.rc != paho.MQTT_ERR_SUCCESS or info.is_published() or self.ended.wait(0.01):
                return
        raise AssertionError("neither acknowledged nor hung up")

    def vanish(self) -> None:
        """End without a good-bye, so that the will is told."""
        sock = self._client.socket()
        assert sock is not None
        sock.close()

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.outcome = f"refused: {reason}" if reason.is_failure else "in"
        if not reason.is_failure and self.subscribe:
            client.subscribe([(topic, 1) for topic in self.subscribe])
        self._begun.set()

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not self._begun.is_set():
            self.outcome = f"hung up: {reason}"
        self.ended.set()
        self._begun.set()
