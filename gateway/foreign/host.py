"""What the gateway says of itself as a host of Sparkplug, so that nodes know whether anybody listens."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec

from adapters.mapping_files import NAMESPACE
from energy.errors import BusError
from energy.ports import Bus, Message

_GOODBYE_S = 2.0


class HostState:
    """Says at each connection that the host is there; that it is gone is its will, and its good-bye."""

    def __init__(self, host: str | None, since_ms: int) -> None:
        self._host, self._since_ms = host, since_ms
        self._connected = asyncio.Event()

    @property
    def will(self) -> Message | None:
        """What the broker says when the gateway is gone; None where it says nothing of itself."""
        return self._message(online=False) if self._host is not None else None

    def connected(self) -> None:
        self._connected.set()

    async def run(self, bus: Bus) -> None:
        """Say so at each connection, for ever."""
        while self._host is not None:
            await self._connected.wait()
            self._connected.clear()
            await self._tell(bus, online=True)

    async def leave(self, bus: Bus) -> None:
        """Say good-bye."""
        if self._host is not None and bus.connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._tell(bus, online=False)

    async def _tell(self, bus: Bus, *, online: bool) -> None:
        message = self._message(online=online)
        # Said again at the next connection.
        with suppress(BusError):
            await bus.publish(message.topic, message.payload, retain=True)

    def _message(self, *, online: bool) -> Message:
        payload = msgspec.json.encode({"online": online, "timestamp": self._since_ms})
        return Message(f"{NAMESPACE}/STATE/{self._host}", payload, retained=True)
