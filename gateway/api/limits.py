"""How often somebody may ask: a bucket of tokens for each address and each account, filled at a steady rate."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.api.callers import is_loopback
from gateway.api.problems import problem_response
from gateway.audit.asking import asking

_READING = ("GET", "HEAD", "OPTIONS")
# A watchdog must always be answered.
_FREE = ("/health",)


def _network(address: str) -> str:
    """An address of IPv6 is one of very many that a single caller has: its /64 stands for it."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ip_network((found, 64), strict=False))


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second for ever, and so many at once."""

    per_s: float
    burst: int


READING, WRITING = Rate(50.0, 500), Rate(5.0, 100)


class Buckets:
    """A bucket a name, in memory: the names that asked last, which are the only ones that could be empty."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic, names: int = 20_000) -> None:
        self._rate, self._now, self._names = rate, now, names
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Take a token; 0 where there was one, otherwise the seconds until there will be."""
        now = self._now()
        tokens, since = self._held.pop(name, (float(self._rate.burst), now))
        tokens = min(float(self._rate.burst), tokens + (now - since) * self._rate.per_s)
        taken = tokens >= 1.0
        self._held[name] = (tokens - 1.0 if taken else tokens, now)
        if len(self._held) > self._names:
            self._held.popitem(last=False)
        return 0.0 if taken else (1.0 - tokens) / self._rate.per_s


class Limits:
    """The limits of an application: stands once before it is known who asks, and once behind."""

    def __init__(
        self, reading: Rate = READING, writing: Rate = WRITING, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._buckets = {True: Buckets(reading, now), False: Buckets(writing, now)}

    @property
    def by_address(self) -> Middleware:
        """This machine itself is not limited: its commands, its watchdog, a kiosk."""

        def name(_request: web.Request) -> str | None:
            address = asking().address
            return None if not address or is_loopback(address) else f"address {_network(address)}"

        return self._limiting(name)

    @property
    def by_account(self) -> Middleware:
        """Wherever it asks from."""

        def name(_request: web.Request) -> str | None:
            return f"account {account}" if (account := asking().account) else None

        return self._limiting(name)

    def _limiting(self, named: Callable[[web.Request], str | None]) -> Middleware:
        @web.middleware
        async def limited(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            name = None if request.path in _FREE else named(request)
            wait_s = 0.0 if name is None else self._buckets[request.method in _READING].wait_s(name)
            if wait_s == 0.0:
                return await handler(request)
            seconds = max(1, math.ceil(wait_s))
            detail = f"{name} asks too often; ask again in {seconds} s"
            return problem_response(429, detail, retry_after_s=seconds)

        return limited
