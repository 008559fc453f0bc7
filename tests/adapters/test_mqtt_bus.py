"""What the bus promises, over both brokers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from adapters.broker_nats import embedded_broker
from adapters.mqtt_bus import MqttBus, open_bus
from energy.errors import BusError, EnergyError
from energy.ports import Message
from tests.adapters.brokers import Broker
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]


class Client:
    """A bus, and what has come over it so far."""

    def __init__(self, bus: MqttBus) -> None:
        self.bus = bus
        self.publish, self.acknowledge = bus.publish, bus.acknowledge
        self._waiting: list[Message] = []

    async def receive(self, n: int, *, acknowledging: bool = False) -> list[Message]:
        """The next n messages."""
        if acknowledging:
            await self.acknowledge(self._waiting)
        async with asyncio.timeout(PATIENCE_S), aclosing(self.bus.messages()) as batches:  # type: ignore[type-var]
            while len(self._waiting) < n:
                batch = await anext(batches)
                self._waiting += batch
                if acknowledging:
                    await self.acknowledge(batch)
        found, self._waiting = self._waiting[:n], self._waiting[n:]
        return found

    async def take(self, n: int) -> list[tuple[str, bytes]]:
        """The next n messages, acknowledged as they come: a broker gives only so many on credit."""
        return [(m.topic, m.payload) for m in await self.receive(n, acknowledging=True)]

    async def subscribed(self, echo: str) -> None:
        """Return when the subscriptions are in force: what the client says to itself behind them has come."""
        await self.publish(echo, b"echo")
        before: list[Message] = []
        while (message := (await self.receive(1))[0]).topic != echo:
            before.append(message)
        await self.acknowledge([message])
        self._waiting = before + self._waiting


@asynccontextmanager
async def connected(
    address: str,
    client_id: str,
    subscribe: Sequence[str] = (),
    *,
    will: Message | None = None,
    keep_session: bool = False,
) -> AsyncIterator[Client]:
    """A client that is connected, and subscribed."""
    there = asyncio.Event()
    echo = f"echo/{client_id}"
    async with open_bus(
        address, client_id, subscribe=[*subscribe, echo], will=will, keep_session=keep_session, connected=there.set
    ) as bus:
        async with asyncio.timeout(PATIENCE_S):
            await there.wait()
        client = Client(bus)
        await client.subscribed(echo)
        yield client


@asynccontextmanager
async def process(script: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of its own that runs a script with our packages; killed at the end."""
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.communicate()


async def line(of: asyncio.subprocess.Process) -> str:
    assert of.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return (await of.stdout.readline()).decode().strip()


# -- sending and receiving -------------------------------------------------------------------------------------------


async def test_what_is_published_is_received_in_its_order(broker: Broker) -> None:
    async with (
        connected(broker.address, "receiver", ["a/+/b"]) as receiver,
        connected(broker.address, "sender") as sender,
    ):
        for i in range(20):
            await sender.publish(f"a/{i % 2}/b", b"%d" % i)
        await sender.publish("a/0/c", b"not subscribed")

        assert await receiver.take(20) == [(f"a/{i % 2}/b", b"%d" % i) for i in range(20)]


async def test_a_payload_may_be_any_bytes_and_none(broker: Broker) -> None:
    async with connected(broker.address, "receiver", ["a"]) as receiver:
        payloads = [b"", bytes(range(256)), "办公楼".encode(), b"x" * 200_000]
        for payload in payloads:
            await receiver.publish("a", payload)

        assert [p for _, p in await receiver.take(4)] == payloads


async def test_many_messages_at_once_all_come(broker: Broker) -> None:
    async with connected(broker.address, "receiver", ["a"]) as receiver, connected(broker.address, "sender") as sender:
        await asyncio.gather(*(sender.publish("a", b"%d" % i) for i in range(500)))

        assert sorted(int(p) for _, p in await receiver.take(500)) == list(range(500))


async def test_a_retained_state_is_told_to_those_who_come_later(broker: Broker) -> None:
    async with connected(broker.address, "sender") as sender:
        await sender.publish("edge/state", b"old", retain=True)
        await sender.publish("edge/state", b"new", retain=True)

    async with connected(broker.address, "receiver", ["edge/#"]) as receiver:
        [message] = await receiver.receive(1)

    assert (message.topic, message.payload, message.retained) == ("edge/state", b"new", True)


# -- who dies --------------------------------------------------------------------------------------------------------

_EDGE = """
import asyncio, sys
from adapters.mqtt_bus import open_bus
from energy.ports import Message

async def main():
    there = asyncio.Event()
    will = Message("edge/state", b"offline", retained=True)
    async with open_bus(sys.argv[1], "edge", will=will, connected=there.set) as bus:
        await there.wait()
        await bus.publish("edge/state", b"online", retain=True)
        print("online", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_will_of_a_killed_client_is_told_now_and_later(broker: Broker) -> None:
    async with (
        connected(broker.address, "receiver", ["edge/state"]) as receiver,
        process(_EDGE, broker.address) as edge,
    ):
        assert await line(edge) == "online"
        assert await receiver.take(1) == [("edge/state", b"online")]
        edge.kill()

        assert await receiver.take(1) == [("edge/state", b"offline")]

    async with connected(broker.address, "later", ["edge/state"]) as later:
        assert await later.take(1) == [("edge/state", b"offline")]


async def test_who_says_good_bye_has_no_will(broker: Broker) -> None:
    async with connected(broker.address, "receiver", ["edge/state"]) as receiver:
        async with connected(broker.address, "edge", will=Message("edge/state", b"offline", retained=True)) as edge:
            await edge.publish("edge/state", b"online")
        await receiver.publish("edge/state", b"after")

        assert [p for _, p in await receiver.take(2)] == [b"online", b"after"]


_RECEIVER = """
import asyncio, sys
from adapters.mqtt_bus import open_bus

async def main():
    there = asyncio.Event()
    async with open_bus(sys.argv[1], "receiver", subscribe=["a"], keep_session=True, connected=there.set) as bus:
        await there.wait()
        print("connected", flush=True)
        async for batch in bus.messages():
            await bus.acknowledge([m for m in batch if m.payload == b"done"])
            # Whoever reads the lines may kill this: what is acknowledged is on its way by then.
            await asyncio.sleep(0.2)
            for message in batch:
                print(message.payload.decode(), flush=True)

asyncio.run(main())
"""


async def test_a_message_that_was_not_acknowledged_is_delivered_again_after_its_receiver_died(broker: Broker) -> None:
    async with connected(broker.address, "receiver", ["a"], keep_session=True):
        pass  # The session is there from now on.
    async with connected(broker.address, "sender") as sender:
        async with process(_RECEIVER, broker.address) as receiver:
            assert await line(receiver) == "connected"
            await sender.publish("a", b"done")
            await sender.publish("a", b"not done")
            assert [await line(receiver), await line(receiver)] == ["done", "not done"]
            receiver.kill()
            await receiver.wait()
        await sender.publish("a", b"while away")

        async with connected(broker.address, "receiver", ["a"], keep_session=True) as again:
            found = sorted({p for _, p in await again.take(2)})
            assert found == [b"not done", b"while away"]

        # All of it is acknowledged now: nothing comes before what is said next.
        await sender.publish("a", b"next")
        async with connected(broker.address, "receiver", ["a"], keep_session=True) as again:
            assert await again.take(1) == [("a", b"next")]


# -- the broker goes and comes back ----------------------------------------------------------------------------------


async def test_nothing_is_published_while_there_is_no_broker() -> None:
    async with open_bus(f"mqtt://127.0.0.1:{free_port()}", "edge") as bus:
        assert not bus.connected
        with pytest.raises(BusError, match="not connected"):
            await bus.publish("a", b"x")


async def test_the_bus_comes_back_with_its_subscriptions_when_the_broker_does(broker: Broker) -> None:
    connections = asyncio.Queue[None]()
    async with open_bus(
        broker.address, "client", subscribe=["a"], connected=lambda: connections.put_nowait(None)
    ) as bus:
        client = Client(bus)
        async with asyncio.timeout(PATIENCE_S):
            await connections.get()
        await bus.publish("a", b"before")
        assert await client.take(1) == [("a", b"before")]

        broker.kill()
        async with asyncio.timeout(PATIENCE_S):
            while bus.connected:
                await asyncio.sleep(0.01)
        with pytest.raises(BusError):
            await bus.publish("a", b"lost")
        broker.start()
        async with asyncio.timeout(PATIENCE_S):
            await connections.get()

        await bus.publish("a", b"after")
        assert (await client.take(1))[-1] == ("a", b"after")


async def test_a_bus_that_is_started_before_its_broker_finds_it(broker: Broker) -> None:
    broker.stop()
    there = asyncio.Event()
    async with open_bus(broker.address, "client", connected=there.set) as bus:
        broker.start()
        async with asyncio.timeout(PATIENCE_S):
            await there.wait()
        await bus.publish("a", b"x")


async def test_the_embedded_broker_keeps_what_it_acknowledged_though_it_is_killed(tmp_path: Path) -> None:
    broker = Broker(embedded_broker, tmp_path, free_port())
    broker.start()
    try:
        async with connected(broker.address, "receiver", ["a"], keep_session=True):
            pass
        async with connected(broker.address, "sender") as sender:
            for i in range(50):
                await sender.publish("a", b"%d" % i)
            broker.kill()
        broker.start()
        async with connected(broker.address, "receiver", ["a"], keep_session=True) as receiver:
            assert [int(p) for _, p in await receiver.take(50)] == list(range(50))
    finally:
        broker.stop()


def test_an_embedded_broker_on_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with (
        embedded_broker(tmp_path / "one", port),
        pytest.raises(EnergyError, match=f"port {port} is taken by another program"),
        embedded_broker(tmp_path / "other", port),
    ):
        pass


# -- acknowledgements ------------------------------------------------------------------------------------------------

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9


class ForgetfulBroker:
    """Plays MQTT 3.1.1 to a single client: gives a message on each connection, always under the number 1."""

    def __init__(self, *payloads: bytes) -> None:
        self._payloads = list(payloads)
        self.acknowledged: list[bytes] = []
        self.received = asyncio.Queue[bytes]()
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        given = self._payloads.pop(0)
        try:
            while True:
                kind, body = await self._packet(reader)
                match kind >> 4:
                    case 1:
                        writer.write(bytes([CONNACK << 4, 2, 0, 0]))
                    case 8:
                        writer.write(bytes([SUBACK << 4, 3]) + body[:2] + b"\x01")
                        writer.write(bytes([PUBLISH << 4 | 2, 5 + len(given), 0, 1]) + b"a\x00\x01" + given)
                    case 4:
                        self.acknowledged.append(given)
                    case 3:
                        writer.write(bytes([PUBACK << 4, 2]) + body[3:5])
                        self.received.put_nowait(body[5:])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
        kind, length = await reader.readexactly(2)
        return kind, await reader.readexactly(length)

    def hang_up(self) -> None:
        assert self._writer is not None
        self._writer.close()


async def test_an_acknowledgement_from_before_a_reconnection_acknowledges_nothing_that_came_after_it() -> None:
    # Packet numbers are of the connection: what was number 1 before is another message than number 1 now.
    fake = ForgetfulBroker(b"first", b"second")
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_bus(f"mqtt://127.0.0.1:{port}", "gateway", subscribe=["a"]) as bus:
        client = Client(bus)
        first = await client.receive(1)
        fake.hang_up()
        second = await client.receive(1)
        assert [m.payload for m in (*first, *second)] == [b"first", b"second"]

        await bus.acknowledge(first)
        await bus.publish("b", b"barrier")
        assert fake.acknowledged == []

        await bus.acknowledge(second)
        await bus.publish("b", b"barrier")
        assert fake.acknowledged == [b"second"]
