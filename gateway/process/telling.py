"""A process tells the others how it is: retained at the broker, with a will that says that it is gone."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version

import msgspec
from msgspec.structs import replace

from adapters.wire import STATE, between
from energy.errors import BusError
from energy.ports import Bus, Message
from energy.readings import to_ms
from gateway.process.parts import Parts
from gateway.process.words import ProcessState

_LOOK_EVERY_S = 1.0
# Told again so often, whether anything has changed or not.
_EVERY_LOOKS = 5
_GOODBYE_S = 2.0


class Telling:
    """Of this process, which `Processes` knows as `mine`."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._processes = parts, parts.processes
        settings, now_ms = parts.settings, to_ms(parts.clock.now())
        self._told = ProcessState(
            state="running",
            run=secrets.token_hex(8),
            roles=list(settings.roles),
            version=version("jieneng"),
            since=now_ms,
            told_at=now_ms,
            listen=f"{settings.host}:{settings.port}",
            key=hmac.digest(parts.seal.key_for("processes"), b"told", sha256).hex()[:16],
        )
        self._processes.mine = self._told
        self._wake = asyncio.Event()

    @property
    def will(self) -> Message:
        gone = msgspec.json.encode(replace(self._told, state="gone"))
        return Message(self._topic, gone, retained=True)

    @property
    def _topic(self) -> str:
        return between(self._parts.settings.name, STATE)

    def connected(self) -> None:
        """The broker may have lost what it kept, or have told our will."""
        self._wake.set()

    async def run(self, bus: Bus) -> None:
        """Tell for ever: at once what has changed, and now and then that nothing has."""
        looks = 0
        while True:
            changed = self._look()
            if changed or self._wake.is_set() or looks % _EVERY_LOOKS == 0:
                self._wake.clear()
                # Said again within seconds.
                with suppress(BusError):
                    await bus.publish(self._topic, msgspec.json.encode(self._told), retain=True)
            for process in self._processes.forgotten():
                with suppress(BusError):
                    await bus.publish(between(process, STATE), b"", retain=True)
            looks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()

    def _look(self) -> bool:
        """How it is now; whether something else is wrong than was."""
        keeps = "jobs" in self._told.roles
        now = replace(
            self._told,
            told_at=to_ms(self._parts.clock.now()),
            ledger_waiting_s=round(self._parts.books.waiting_s(), 1) if keeps else None,
            problems=self._processes.own(),
        )
        changed = now.problems != self._told.problems
        self._told = self._processes.mine = now
        return changed

    async def leave(self, bus: Bus) -> None:
        """Say good-bye: nobody waits for who ends as he should."""
        if bus.connected:
            with suppress(TimeoutError, BusError):
                async with asyncio.timeout(_GOODBYE_S):
                    await bus.publish(self._topic, b"", retain=True)
