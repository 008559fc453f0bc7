"""What the bus promises when the wire to its broker is cut, slow or silent: what the broker has acknowledged arrives,
what it has not can be said again, and nobody is left waiting."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from adapters.mqtt_bus import MqttBus
from energy.errors import BusError
from tests.adapters.brokers import Broker
from tests.adapters.test_mqtt_bus import Client, connected
from tests.adapters.wires import Wire, wire_to
from tests.chaos.killing import KILLS, at_length, seed
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    with wire_to(urlsplit(broker.address).port or 0) as laid:
        yield laid


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than a second for an acknowledgement, nor for the next attempt to connect."""
    monkeypatch.setattr("adapters.mqtt_bus._PUBLISH_TIMEOUT_S", 1.0)
    monkeypatch.setattr("adapters.mqtt_bus._AGAIN_S", (1, 1))


def through(wire: Wire) -> str:
    return f"mqtt://127.0.0.1:{wire.port}"


async def until(bus: MqttBus, *, is_connected: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while bus.connected is not is_connected:
            await asyncio.sleep(0.01)


async def test_a_slow_broker_is_waited_for(broker: Broker, wire: Wire) -> None:
    async with connected(broker.address, "receiver", ["a"]) as receiver, connected(through(wire), "sender") as sender:
        wire.delay_s = 0.05
        await asyncio.gather(*(sender.publish("a", b"%d" % i) for i in range(50)))

        assert sorted(int(p) for _, p in await receiver.take(50)) == list(range(50))


async def test_who_is_not_answered_is_told_where_and_can_say_it_again(broker: Broker, wire: Wire) -> None:
    async with connected(broker.address, "receiver", ["a"]) as receiver, connected(through(wire), "sender") as sender:
        wire.hold()
        with pytest.raises(BusError, match=f":{wire.port}: no acknowledgement within 1 s"):
            await sender.publish("a", b"once")
        wire.mend()
        await sender.publish("a", b"again")

        found = {p for _, p in await receiver.take(2)}
        assert found == {b"once", b"again"}


async def test_a_wire_that_was_cut_is_told_and_all_goes_on_when_it_is_mended(broker: Broker, wire: Wire) -> None:
    async with (
        connected(through(wire), "receiver", ["a"], keep_session=True) as receiver,
        connected(broker.address, "sender") as sender,
    ):
        await sender.publish("a", b"before")
        assert await receiver.take(1) == [("a", b"before")]
        wire.cut()
        await until(receiver.bus, is_connected=False)
        with pytest.raises(BusError, match=f":{wire.port}: not connected"):
            await receiver.publish("a", b"lost")
        await sender.publish("a", b"while away")
        wire.mend()

        await until(receiver.bus, is_connected=True)
        # What was acknowledged as the wire was cut may come again.
        while await receiver.take(1) != [("a", b"while away")]:
            pass


async def endured(broker: Broker, wire: Wire, steps: int, chance: random.Random) -> None:
    """Say things while the wires of sender and receiver are cut, held, slow, and answers swallowed."""
    said, came = set[bytes](), set[bytes]()
    async with (
        connected(through(wire), "receiver", ["a"], keep_session=True) as receiver,
        connected(through(wire), "sender") as sender,
    ):
        hearing = asyncio.create_task(_hear(receiver, came))
        for step in range(steps):
            fault = chance.choice(["", "", "cut", "swallow", "hold"])
            wire.swallows = fault == "swallow"
            if fault == "cut":
                wire.cut()
            if fault == "hold":
                wire.hold()
            payloads = [b"%d-%d" % (step, i) for i in range(5)]
            told = await asyncio.gather(*(sender.publish("a", p) for p in payloads), return_exceptions=True)
            # Whether somebody listened at that moment is told by MQTT 5 alone.
            assert all(t is None or isinstance(t, bool | BusError) for t in told)
            said |= {p for p, t in zip(payloads, told, strict=True) if not isinstance(t, BusError)}
            wire.mend()
            await until(sender.bus, is_connected=True)
        async with asyncio.timeout(PATIENCE_S):
            while not said <= came:
                await asyncio.sleep(0.05)
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
    assert said


async def _hear(receiver: Client, came: set[bytes]) -> None:
    while True:
        [message] = await receiver.receive(1)
        came.add(message.payload)
        await receiver.acknowledge([message])


async def test_whatever_fails_what_was_acknowledged_arrives(broker: Broker, wire: Wire) -> None:
    await endured(broker, wire, 8, random.Random(4))


@at_length
async def test_whatever_fails_at_length(broker: Broker, wire: Wire) -> None:
    await endured(broker, wire, KILLS // 5, random.Random(seed()))
