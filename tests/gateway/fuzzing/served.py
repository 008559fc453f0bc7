"""The city, served on this machine with accounts, in a thread of its own: who asks need not be of asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import requests
from aiohttp import web

from gateway.access.door import Origin
from gateway.access.roles import Permission, Role
from gateway.accounts.door import AccountsDoor
from gateway.accounts.secrecy import csrf_of
from gateway.api.limits import Limits, Rate
from gateway.app import application
from gateway.services import Services
from tests.gateway.access.city import city, identity
from tests.gateway.accounts.visitor import account

T = TypeVar("T")
OFTEN = Rate(1e6, 10**6)


@dataclass
class Served:
    """A gateway at `url`, and its services."""

    url: str
    services: Services
    loop: asyncio.AbstractEventLoop

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Let the gateway's own loop do it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(240)

    def session(self, name: str) -> dict[str, str]:
        """The headers of a new session of an account."""
        return self.run(self._session(name))

    def token(self, name: str) -> dict[str, str]:
        """The headers of a new token with all scopes."""
        return self.run(self._token(name))

    async def _token(self, name: str) -> dict[str, str]:
        accounts = self.services.accounts
        person = await accounts.people.one(name)
        scopes = set(Permission) - {Permission.OPEN, Permission.OWN}
        made = await accounts.tokens.make(person.account, "all", scopes, 1, accounts.author("test"))
        return {"Authorization": f"Bearer {made}"}

    async def _session(self, name: str) -> dict[str, str]:
        accounts = self.services.accounts
        person = await accounts.people.one(name)
        if person.account.disabled or person.account.must_change:
            author = accounts.author("test")
            again = {"disabled": False, "must_change": False}
            await accounts.people.change(person.account, author, "as before", end_sessions=False, **again)
        secret = await accounts.sessions.begin(person.account.id, Origin("127.0.0.1"), second=False, instead=None)
        return {"Cookie": f"jieneng={secret}", "X-CSRF-Token": csrf_of(secret)}


def wire() -> requests.Session:
    """Connections that are kept, without looking into the environment for proxies at each request, which takes longer
    than most answers."""
    session = requests.Session()
    session.trust_env = False
    return session


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """With an account of each role of `own`, named like the role."""
    ready: list[Served] = []
    begun, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with city(folder) as there:
            accounts, clock = there.services.accounts, there.services.clock
            services = replace(there.services, door=AccountsDoor(accounts, clock))
            for role in Role:
                await account(services, role.value, *identity(role).grants)
            runner = web.AppRunner(application(services, limits=Limits(OFTEN, OFTEN)), access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.append(Served(url, services, asyncio.get_running_loop()))
            begun.set()
            await over.wait()
            await runner.cleanup()

    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001  the thread's end is told to who waits
            failed.append(error)
            begun.set()

    thread = threading.Thread(target=run, name="served city")
    thread.start()
    begun.wait(240)
    if failed:
        raise failed[0]
    try:
        yield ready[0]
    finally:
        ready[0].loop.call_soon_threadsafe(over.set)
        thread.join(240)
