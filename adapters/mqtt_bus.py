"""The bus over MQTT with paho, which runs in a thread of its own; QoS 1 throughout.

A message is acknowledged to the broker only when its receiver says so, so a broker delivers again what a receiver had
not finished when it died. Who is the only one speaks MQTT 3.1.1, which every broker knows; who shares subscriptions
speaks MQTT 5, and its session ends some time after it is gone, so that its part of the messages goes to the others.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from adapters.mqtt_address import MqttAddress
from energy.errors import BusError
from energy.ports import Message

log = structlog.get_logger()

_QOS = 1
_SHARED = "$share/"
_PUBLISH_TIMEOUT_S = 20.0
# "Bad user name or password", "not authorised": as paho numbers them for MQTT 3.1.1 too.
_NOT_LET_IN = (134, 135)
# "No matching subscribers".
_NOBODY = 16
# How long until it is tried again [s], at first and at most; who was refused need not hurry.
_AGAIN_S, _AGAIN_REFUSED_S = (1, 8), (10, 60)


class _Token(NamedTuple):
    """Which delivery a message was."""

    connection: int
    mid: int
    qos: int


class MqttBus:
    """Fulfils `Bus`."""

    def __init__(
        self,
        address: MqttAddress,
        client_id: str,
        *,
        subscribe: Sequence[str] = (),
        will: Message | None = None,
        unsubscribe: Sequence[str] = (),
        keep_session: bool = False,
        session_s: int | None = None,
        connected: Callable[[], None] | None = None,
    ) -> None:
        self.address = address
        self.lost_since: float | None = time.monotonic()
        # Why the broker does not let us in, as long as it does not.
        self.refused: str | None = None
        self._subscribe, self._unsubscribe = list(subscribe), list(unsubscribe)
        self._session_s = session_s
        self._on_connected = connected
        self._loop = asyncio.get_running_loop()
        self._came: deque[Message] = deque()
        self._ready = asyncio.Event()
        self._awaited: dict[int, asyncio.Future[ReasonCode]] = {}
        # Why there is no connection, as far as it was told.
        self.trouble: str | None = None
        self._greeted = False
        self._connection = 0
        self._unacknowledged: set[int] = set()
        self._client = self._make_client(client_id, will, keep_session)

    def _make_client(self, client_id: str, will: Message | None, keep_session: bool) -> paho.Client:
        shares = self._session_s is not None
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if shares else not keep_session,
            protocol=MQTTProtocolVersion.MQTTv5 if shares else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=True,
        )
        client.reconnect_delay_set(*_AGAIN_S)
        client.max_inflight_messages_set(1000)
        if self.address.user:
            client.username_pw_set(self.address.user, self.address.password)
        if self.address.tls:
            client.tls_set_context(self.address.tls_context())
        if will is not None:
            client.will_set(will.topic, will.payload, qos=_QOS, retain=will.retained)
        client.on_connect = self._connected_callback
        client.on_connect_fail = self._failed_callback
        client.on_disconnect = self._lost_callback
        client.on_message = self._message_callback
        client.on_publish = self._published_callback
        return client

    @property
    def connected(self) -> bool:
        return self.lost_since is None

    async def start(self) -> None:
        if self._session_s is None:
            self._client.connect_async(self.address.host, self.address.port, keepalive=15)
        else:
            lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            lasting.SessionExpiryInterval = self._session_s
            self._client.connect_async(
                self.address.host, self.address.port, keepalive=15, clean_start=False, properties=lasting
            )
        self._client.loop_start()

    async def stop(self) -> None:
        """Say good-bye, so that no will is published and the others get all that is shared, and end the thread."""
        if shared := [pattern for pattern in self._subscribe if pattern.startswith(_SHARED)]:
            self._client.unsubscribe(shared)
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if not self.connected:
            raise BusError(f"{self.address}: not connected")
        published: asyncio.Future[ReasonCode] = self._loop.create_future()
        info = self._client.publish(topic, payload, qos=_QOS, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise BusError(f"{self.address}: {paho.error_string(info.rc)}")
        # The acknowledgement is handed over to this loop, so it cannot be looked for before it is awaited here.
        self._awaited[info.mid] = published
        try:
            # Not by wait_for, which in Python 3.11 swallows a cancellation that comes together with the result.
            async with asyncio.timeout(_PUBLISH_TIMEOUT_S):
                reason = await published
        except TimeoutError as error:
            raise BusError(f"{self.address}: no acknowledgement within {_PUBLISH_TIMEOUT_S:g} s") from error
        finally:
            self._awaited.pop(info.mid, None)
        # Told by MQTT 5 alone.
        if reason.is_failure:
            raise BusError(f"{self.address}: {topic}: {reason}")
        return int(reason.value) != _NOBODY

    async def messages(self) -> AsyncIterator[list[Message]]:
        while True:
            await self._ready.wait()
            self._ready.clear()
            batch: list[Message] = []
            while self._came:
                batch.append(self._came.popleft())
            if batch:
                yield batch

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        for message in messages:
            token = message.token
            # Numbers begin anew with each connection, and what came over an earlier one is delivered again anyway.
            if isinstance(token, _Token) and token.connection == self._connection:
                self._unacknowledged.discard(token.mid)
                self._client.ack(token.mid, token.qos)

    # -- in paho's thread ------------------------------------------------------------------------------------------

    def _connected_callback(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            doubt = f": {self.address.doubt()}" if reason.value in _NOT_LET_IN else ""
            self._tell_refused(f"{reason}{doubt}")
            return
        self._greeted = True
        self._connection += 1
        self._unacknowledged.clear()
        if self._unsubscribe:
            client.unsubscribe(self._unsubscribe)
        for pattern in self._subscribe:
            client.subscribe(pattern, qos=_QOS)
        self._tell_back()
        if self._on_connected is not None:
            self._loop.call_soon_threadsafe(self._on_connected)

    def _failed_callback(self, _client: paho.Client, _data: Any) -> None:
        # Called while the error is being handled, which is not handed over.
        error = sys.exc_info()[1]
        self._tell_lost("no connection" if error is None else str(error))

    def _lost_callback(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            return
        if not self._greeted and self.address.cert is not None:
            # Whom TLS lets in no further is hung up on without a word.
            self._tell_lost(f"{reason} before it let us in: {self.address.doubt_of_certificate()}")
        else:
            self._tell_lost(str(reason))
        self._greeted = False

    def _message_callback(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        # A broker that waits for long delivers again what is still being worked on.
        if message.dup and message.mid in self._unacknowledged:
            return
        self._unacknowledged.add(message.mid)
        token = _Token(self._connection, message.mid, message.qos)
        self._came.append(Message(message.topic, bytes(message.payload), message.retain, token))
        if not self._ready.is_set():
            self._loop.call_soon_threadsafe(self._ready.set)

    def _published_callback(self, _client: paho.Client, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(self._settle, mid, reason)

    def _settle(self, mid: int, reason: ReasonCode) -> None:
        published = self._awaited.get(mid)
        if published is not None and not published.done():
            published.set_result(reason)

    def _tell_lost(self, cause: str) -> None:
        self.lost_since = self.lost_since or time.monotonic()
        if self.trouble is None:
            self.trouble = cause
            log.warning("broker.unreachable", broker=str(self.address), cause=cause)

    def _tell_refused(self, cause: str) -> None:
        self.lost_since = self.lost_since or time.monotonic()
        if self.refused is None:
            self.refused = cause
            self._client.reconnect_delay_set(*_AGAIN_REFUSED_S)
            self.trouble = cause
            log.error("broker.refused", broker=str(self.address), cause=self.refused)

    def _tell_back(self) -> None:
        if self.refused is not None:
            self.refused = None
            self._client.reconnect_delay_set(*_AGAIN_S)
        if self.trouble is not None and self.lost_since is not None:
            log.info("broker.back", broker=str(self.address), after_s=round(time.monotonic() - self.lost_since, 1))
        self.trouble, self.lost_since = None, None


@asynccontextmanager
async def open_bus(
    address: str,
    client_id: str,
    *,
    subscribe: Sequence[str] = (),
    will: Message | None = None,
    unsubscribe: Sequence[str] = (),
    keep_session: bool = False,
    session_s: int | None = None,
    connected: Callable[[], None] | None = None,
) -> AsyncIterator[MqttBus]:
    """The bus at an address; connects in the background and again whenever it is lost.

    unsubscribe: what an earlier session of `client_id` may still have subscribed to, and this one does not.
    keep_session: the broker keeps what comes for `client_id` while it is away, for ever.
    session_s: it keeps it for so long [s]; by MQTT 5, as it must be where `subscribe` shares with others.
    connected: called in the event loop after each connection.
    """
    parsed = MqttAddress.parse(address)
    parsed.must_be_guarded()
    bus = MqttBus(
        parsed,
        parsed.client_id(client_id),
        subscribe=subscribe,
        will=will,
        unsubscribe=unsubscribe,
        keep_session=keep_session,
        session_s=session_s,
        connected=connected,
    )
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()
