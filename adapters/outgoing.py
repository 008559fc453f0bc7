"""The one door through which the program asks other machines by HTTP: only those that the operator has named.

Notifiers, weather, a bureau's sign-in and whatever comes later go through it:

    async with Outgoing(Destinations.of(["https://oapi.dingtalk.com/robot/send?access_token=..."])) as outgoing:
        answer = await outgoing.ask("POST", url, json={"msgtype": "text"})

- Asked are only origins (scheme, host, port) of the list; whatever path and query.
- A redirect is not followed, wherever it leads: it is a failure that names the origin it leads to.
- A listed name must not turn out to be this machine or one of a private network, unless that network is listed too.
  An address that is listed as a number is meant as it stands. The addresses looked at are the ones connected to.
- By way of a proxy, where one is given; that resolves names itself. The environment's proxies, cookies and .netrc of
  the process are not asked.
- Answers are bounded in size and time.
- Errors tell origins only: paths and queries of such addresses often hold a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from energy.errors import ConfigurationError, EnergyError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

TIMEOUT_S = 20.0
ANSWER_BYTES = 4 * 1024 * 1024


class OutgoingRefused(EnergyError):
    """A machine that the operator has not named; nothing was sent."""


class OutgoingFailed(EnergyError):
    """A named machine could not be asked, or its answer is none; trying again may help."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Destinations:
    """Whom the program may ask.

    origins : such as https://oapi.dingtalk.com:443.
    networks : private networks in which names of the list may lie.
    proxy : through which everything goes, such as http://proxy.example:3128.
    """

    origins: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    proxy: str | None = None

    @classmethod
    def of(cls, addresses: Iterable[str], networks: Iterable[str] = (), proxy: str | None = None) -> Destinations:
        """Of whole addresses or bare hosts (then https); ConfigurationError tells every one that is neither."""
        faults: list[str] = []
        origins = [_origin_or_fault(one, faults) for one in addresses]
        nets = [_network_or_fault(one, faults) for one in networks]
        if proxy is not None:
            _origin_or_fault(proxy, faults)
        if faults:
            raise ConfigurationError(faults)
        return cls(frozenset(o for o in origins if o), tuple(n for n in nets if n is not None), proxy)

    def must_have(self, url: str) -> str:
        """The origin of an address of the list; OutgoingRefused for every other."""
        try:
            origin = origin_of(url)
        except ValueError as error:
            raise OutgoingRefused(f"an outgoing address {error}") from None
        if origin not in self.origins:
            raise OutgoingRefused(f"{origin} is not among the machines that may be asked; name it in the settings")
        return origin

    def admits(self, address: Address) -> bool:
        """Whether a name of the list may stand for this address."""
        address = _unwrapped(address)
        return (address.is_global and not address.is_multicast) or any(
            address.version == net.version and address in net for net in self.networks
        )


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, in one spelling; ValueError says what is wrong, without the address."""
    try:
        parsed = URL(url if "://" in url else f"https://{url}")
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        raise ValueError("is not an address such as https://host/path") from None
    if parsed.scheme not in ("http", "https") or not host or port is None:
        raise ValueError("is not an address such as https://host/path")
    if parsed.user is not None or parsed.password is not None:
        raise ValueError("holds a name or a password before its host; give these elsewhere")
    bare = host.rstrip(".").lower()
    return f"{parsed.scheme}://{f'[{bare}]' if ':' in bare else bare}:{port}"


@dataclass
class Outgoing:
    """The door, open for as long as its context."""

    destinations: Destinations
    timeout_s: float = TIMEOUT_S
    answer_bytes: int = ANSWER_BYTES
    ca_file: Path | None = None
    """Certificates of authorities to believe instead of the machine's own."""
    resolver: AbstractResolver | None = None
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)

    async def __aenter__(self) -> Self:
        trusted = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        seen = _Watched(self.destinations, self.resolver or aiohttp.ThreadedResolver())
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=seen, use_dns_cache=False, ssl=trusted, limit=16),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; an answer of any status but a redirect is an answer."""
        if self._session is None:
            raise RuntimeError("the door is not open; use it as a context")
        origin = self.destinations.must_have(url)
        proxy = self.destinations.proxy
        try:
            async with self._session.request(
                method, URL(url), headers=headers, json=json, data=data, allow_redirects=False, proxy=proxy
            ) as response:
                _must_not_lead_away(origin, response)
                return Answer(response.status, dict(response.headers), await self._bounded(origin, response))
        except TimeoutError:
            raise OutgoingFailed(f"{origin} did not answer within {self.timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise OutgoingFailed(f"{origin} could not be asked: {_reason(error)}") from None

    async def _bounded(self, origin: str, response: aiohttp.ClientResponse) -> bytes:
        """The whole body; what is compressed is counted as it unfolds."""
        body = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > self.answer_bytes:
                response.close()
                raise OutgoingFailed(f"{origin} answered with more than {self.answer_bytes} bytes")
        return bytes(body)


class _Watched(AbstractResolver):
    """Names become addresses, those of private networks only where these are listed."""

    def __init__(self, destinations: Destinations, resolver: AbstractResolver) -> None:
        self._destinations, self._resolver = destinations, resolver
        self._proxy = None if destinations.proxy is None else URL(destinations.proxy).raw_host

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if host == self._proxy:
            return found
        admitted = [one for one in found if self._destinations.admits(ip_address(one["host"].partition("%")[0]))]
        if not admitted:
            told = ", ".join(sorted({one["host"] for one in found}))
            raise OutgoingRefused(f"{host} is {told}, of a private network that is not among the networks of the list")
        return admitted

    async def close(self) -> None:
        await self._resolver.close()


def _must_not_lead_away(origin: str, response: aiohttp.ClientResponse) -> None:
    if response.status in (301, 302, 303, 307, 308):
        try:
            to = origin_of(str(response.url.join(URL(response.headers.get("Location", "")))))
        except ValueError:
            to = "an address that is none"
        raise OutgoingFailed(f"{origin} redirects to {to}; redirects are not followed: name where it really is")


def _reason(error: Exception) -> str:
    """What went wrong, without the address that was asked."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return "its certificate is not of an authority that is believed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _origin_or_fault(url: str, faults: list[str]) -> str | None:
    try:
        return origin_of(url)
    except ValueError as error:
        faults.append(f"an outgoing address {error}")
        return None


def _network_or_fault(text: str, faults: list[str]) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        faults.append(f"{text} is not a network such as 10.20.0.0/16")
        return None
