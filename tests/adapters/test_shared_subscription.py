"""Several processes share what edges say, at a broker that shares: Mosquitto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.broker_rules import GATEWAY
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.wire import HANDED, between
from energy.errors import BusError
from tests.adapters.brokers import mosquitto
from tests.adapters.guarded import mosquitto as guarded_mosquitto
from tests.adapters.test_mqtt_bus import line, process
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S

SHARE = "$share/jieneng/jieneng/v1/+/readings"

_MEMBER = """
import asyncio, sys
from adapters.mqtt_bus import open_bus

async def main():
    address, name, session_s = sys.argv[1:]
    there = asyncio.Event()
    async with open_bus(address, name, subscribe=["$share/jieneng/jieneng/v1/+/readings", "echo/" + name],
                        session_s=int(session_s), connected=there.set) as bus:
        await there.wait()
        await bus.publish("echo/" + name, b"subscribed")
        async for messages in bus.messages():
            for message in messages:
                print(message.payload.decode(), flush=True)

asyncio.run(main())
"""


class Member:
    """One who shares, in this process; acknowledges what it hears."""

    def __init__(self, bus: MqttBus) -> None:
        self.bus = bus
        self.heard: list[str] = []

    async def listen(self) -> None:
        async for messages in self.bus.messages():
            self.heard += [m.payload.decode() for m in messages]
            await self.bus.acknowledge(messages)

    async def until(self, *payloads: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not set(payloads) <= set(self.heard):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def member(address: str, name: str, subscribe: str = SHARE) -> AsyncIterator[Member]:
    there = asyncio.Event()
    subscribed = [subscribe, between(name, "echo")]
    async with open_bus(address, name, subscribe=subscribed, session_s=60, connected=there.set) as bus:
        made = Member(bus)
        listening = asyncio.create_task(made.listen())
        try:
            await there.wait()
            await bus.publish(between(name, "echo"), b"subscribed")
            await made.until("subscribed")
            made.heard.clear()
            yield made
        finally:
            listening.cancel()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    with mosquitto(tmp_path, port):
        yield f"mqtt://127.0.0.1:{port}"


async def say(by: Member, *payloads: str) -> None:
    for payload in payloads:
        await by.bus.publish("jieneng/v1/north/readings", payload.encode())


async def test_each_message_goes_to_one_of_those_who_share(address: str) -> None:
    async with member(address, "one") as one, member(address, "two") as two:
        await say(one, *map(str, range(10)))

        async with asyncio.timeout(PATIENCE_S):
            while len(one.heard) + len(two.heard) < 10:
                await asyncio.sleep(0.01)
        assert sorted([*one.heard, *two.heard]) == sorted(map(str, range(10)))
        assert one.heard
        assert two.heard


async def test_who_leaves_leaves_all_to_the_others(address: str) -> None:
    async with member(address, "one") as one:
        async with member(address, "two"):
            pass
        await say(one, *map(str, range(10)))

        await one.until(*map(str, range(10)))


async def test_what_a_killed_one_had_waits_for_it_as_long_as_its_session(address: str) -> None:
    """Mosquitto hands a dead member its turns as long as its session lasts, and to nobody else."""
    async with member(address, "one") as one:
        async with process(_MEMBER, address, "two", "60") as two:
            assert await line(two) == "subscribed"
            await say(one, *(f"before-{n}" for n in range(4)))
            unfinished = {await line(two), await line(two)}
            two.kill()
            await two.wait()
        await say(one, *(f"dead-{n}" for n in range(4)))
        async with process(_MEMBER, address, "two", "60") as two:
            again = {await line(two) for _ in range(5)} - {"subscribed"}

        assert unfinished < again
        assert len(again) == 4
        assert again.isdisjoint(one.heard)
        assert again | set(one.heard) == {f"{when}-{n}" for when in ("before", "dead") for n in range(4)}


async def test_when_the_session_of_a_killed_one_has_ended_the_others_get_all(address: str) -> None:
    async with member(address, "one") as one:
        async with process(_MEMBER, address, "two", "0") as two:
            assert await line(two) == "subscribed"
            await say(one, *(f"before-{n}" for n in range(4)))
            lost = {await line(two), await line(two)}
            two.kill()
            await two.wait()
        # The broker sees that the connection is gone before it sees what is said after.
        await asyncio.sleep(0.2)
        await say(one, *(f"after-{n}" for n in range(10)))

        await one.until(*(f"after-{n}" for n in range(10)))
        # What was in flight to the dead one goes to nobody: its sender sends it again, since it was not answered.
        assert lost.isdisjoint(one.heard)


async def test_who_speaks_to_nobody_is_told(address: str) -> None:
    async with member(address, "one") as one:
        assert await one.bus.publish("jieneng-gateway/v1/two/readings", b"for nobody") is False
        assert await one.bus.publish("jieneng/v1/north/readings", b"for us") is True


async def test_who_may_not_speak_to_the_processes_of_the_gateway_is_told(tmp_path: Path) -> None:
    with guarded_mosquitto(tmp_path) as guarded:
        thief = guarded.enroll("thief", password=False)
        async with open_bus(guarded.of(thief, "thief"), "jieneng-edge-thief", session_s=0) as bus:
            async with asyncio.timeout(PATIENCE_S):
                while not bus.connected:
                    await asyncio.sleep(0.01)

            with pytest.raises(BusError, match="Not authorized"):
                await bus.publish("jieneng-gateway/v1/one/readings", b"stolen")


async def test_processes_of_one_certificate_stand_beside_each_other(tmp_path: Path) -> None:
    with guarded_mosquitto(tmp_path) as guarded:
        one, two = f"{GATEWAY}-one", f"{GATEWAY}-two"
        async with member(guarded.of_gateway, one) as first, member(guarded.of_gateway, two) as second:
            topic = between("two", HANDED)
            async with open_bus(guarded.of_gateway, two + "-ear", subscribe=[topic], session_s=0) as ear:
                messages = ear.messages()
                async with asyncio.timeout(PATIENCE_S):
                    while await first.bus.publish(topic, b"handed on") is False:
                        await asyncio.sleep(0.05)
                    assert (await anext(messages))[0].payload == b"handed on"
            assert first.bus.connected
            assert second.bus.connected
