"""A gateway as a process, gateways of others before it, and hostile ones, over real brokers."""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.broker_nats import embedded_broker
from adapters.sparkplug_payload import Metric, SparkplugPayload, decode_sparkplug, encode_sparkplug
from benchmarks.delivering.hostile import TAKEN
from benchmarks.delivering.hostile_corpus import EDGE_TOPIC, Seeds, hostile
from benchmarks.parts import mosquitto, process, until_healthy
from tests.gateway.foreign.mapped import SHIPPED
from tests.real_parts import free_port, program
from tests.waiting import PATIENCE_S

SITE = """\
site: town-hall
name: {zh: 市政府大院, en: Town hall}
meters:
  - {id: canteen-water, name: {zh: 食堂水表, en: Canteen water}, medium: water, read: [volume]}
  - {id: canteen-main, name: {zh: 食堂总表, en: Canteen main}, medium: electricity, read: [active_power]}
"""


@dataclass
class Running:
    """A gateway with the shipped mappings, and its broker."""

    broker: int
    port: int
    gateway: Any

    def get(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)

    def latest(self, point: str) -> Any:
        return [found["value"] for found in self.get(f"/api/v1/latest?point={point}")["latest"]]


@dataclass
class Client:
    """A program of others on the broker."""

    paho: paho.Client
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        self.paho.publish(topic, payload, qos=qos).wait_for_publish(PATIENCE_S)


@pytest.fixture(scope="module", params=["nats", "mosquitto"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("foreign")
    # Debian's broker gives up root and must still reach its folder.
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    mappings = folder / "var" / "mappings"
    mappings.mkdir(parents=True)
    for name in TAKEN:
        shutil.copy(SHIPPED / f"{name}.yaml", mappings)
    words = (SHIPPED / "sparkplug.yaml").read_text(encoding="utf-8")
    (mappings / "sparkplug.yaml").write_text(words + "host: town-hall\n", encoding="utf-8")
    broker, port = free_port(), free_port()
    command = [sys.executable, "-m", "jieneng", "gateway", "--site", str(folder / "site.yaml"), "--accounts", "off"]
    command += ["--data", str(folder / "var"), "--listen", f"127.0.0.1:{port}", "--bus", f"mqtt://127.0.0.1:{broker}"]
    with ExitStack() as stack:
        if request.param == "nats":
            stack.enter_context(embedded_broker(folder / "broker", broker))
        else:
            program("mosquitto", "/usr/sbin/mosquitto")
            stack.enter_context(mosquitto(folder / "broker", broker))
        gateway = stack.enter_context(process(command, folder / "gateway.log"))
        until_healthy(port)
        made = Running(broker, port, gateway)
        until(lambda: not made.get("/health")["problems"], "the gateway at its broker")
        yield made


@pytest.fixture
def connect(running: Running) -> Iterator[Callable[..., Client]]:
    clients: list[paho.Client] = []

    def connect(*topics: str, will: tuple[str, bytes] | None = None) -> Client:
        made = Client(paho.Client(CallbackAPIVersion.VERSION2))
        made.paho.on_message = lambda _c, _d, m: made.heard.append((m.topic, bytes(m.payload)))
        if will is not None:
            made.paho.will_set(*will, qos=1)
        made.paho.connect("127.0.0.1", running.broker)
        made.paho.loop_start()
        until(made.paho.is_connected, "connection")
        for topic in topics:
            made.paho.subscribe(topic, qos=1)
        clients.append(made.paho)
        return made

    yield connect
    for client in clients:
        client.disconnect()
        client.loop_stop()


def until(ready: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := ready()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


def power(value: float, alias: int | None, name: str | None, now_ms: int) -> Metric:
    return Metric(name, alias, now_ms, 10 if name else None, False, False, "double_value", value, None)


def test_what_neuron_publishes_is_stored(running: Running, connect: Callable[..., Client]) -> None:
    group = {"timestamp": int(time.time() * 1000), "node": "canteen-main", "group": "g", "values": {"P": 7.25}}
    connect().publish("/neuron/app/canteen-main/g", json.dumps(group).encode())

    until(lambda: running.latest("canteen-main:active_power") == [7.25], "the reading")


def test_a_node_of_sparkplug_is_born_asked_again_after_a_gap_and_dies(
    running: Running, connect: Callable[..., Client]
) -> None:
    def said(seq: int | None, *metrics: Metric) -> bytes:
        return encode_sparkplug(SparkplugPayload(now_ms, seq, list(metrics)))

    now_ms = int(time.time() * 1000)
    session = Metric("bdSeq", None, None, 8, False, False, "long_value", 3, None)
    node = connect("spBv1.0/plant/NCMD/n1", "spBv1.0/STATE/+", will=("spBv1.0/plant/NDEATH/n1", said(None, session)))
    until(lambda: any(b'"online":true' in p for t, p in node.heard if t == "spBv1.0/STATE/town-hall"), "its host")

    node.publish("spBv1.0/plant/NBIRTH/n1", said(0, session), qos=0)
    node.publish("spBv1.0/plant/DBIRTH/n1/canteen-main", said(1, power(1000, 1, "Power/Active", now_ms)), qos=0)
    node.publish("spBv1.0/plant/DDATA/n1/canteen-main", said(2, power(1500, 1, None, now_ms + 1)), qos=0)
    until(lambda: running.latest("canteen-main:active_power") == [1.5], "the reading by its alias")

    node.publish("spBv1.0/plant/DDATA/n1/canteen-main", said(9, power(1700, 1, None, now_ms + 2)), qos=0)
    (command,) = until(lambda: [p for t, p in node.heard if t == "spBv1.0/plant/NCMD/n1"], "the request")
    assert [metric.name for metric in decode_sparkplug(command).metrics] == ["Node Control/Rebirth"]
    assert running.latest("canteen-main:active_power") == [1.5]

    def state() -> Any:
        return {e["edge"]: e["state"] for e in running.get("/api/v1/edges")["edges"]}.get("mapping/plant/plant/n1")

    assert state() == "online"
    sock = node.paho.socket()
    assert sock is not None
    node.paho.loop_stop()
    sock.close()
    until(lambda: state() == "offline", "its death")


def test_hostile_messages_end_neither_the_gateway_nor_what_comes_after_them(
    running: Running, connect: Callable[..., Client]
) -> None:
    chance, seeds = random.Random(7), Seeds()
    stranger = connect()
    for _ in range(300):
        sent = hostile(seeds, chance)
        # What no client sends is not a topic; what a broker cuts off for is sent by one who comes again.
        with suppress(ValueError):
            stranger.paho.publish(sent.topic, sent.payload, qos=1)
    large = connect()
    large.paho.publish("telegraf/pi/modbus", b" " * 3_000_000, qos=1)
    large.paho.publish(EDGE_TOPIC, b"[" * 1_000_000, qos=1)

    reading = {"meter": "canteen-water", "taken_at": int(time.time() * 1000), "values": {"volume": 12.5}}
    honest = connect("jieneng/v1/honest/stored")
    batch = {"boot": "b", "sequence": 1, "readings": [reading]}
    honest.publish("jieneng/v1/honest/readings", json.dumps(batch).encode())

    until(lambda: running.latest("canteen-water:volume") == [12.5], "the reading of an honest edge")
    until(lambda: honest.heard, "its answer")
    assert running.gateway.poll() is None
    refused = running.get("/health")["refused"]
    assert refused["broken payload"] > 50
    assert refused["mistyped value"] > 0
