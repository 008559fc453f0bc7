"""What is asked of an identity provider, through the one door: of its own hosts alone, no redirect followed, answers
small and soon."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from adapters.outgoing import Outgoing, OutgoingFailed, OutgoingRefused
from energy.errors import EnergyError
from gateway.accounts.provider import Provider

_WHOLE_S = 10.0
_LONGEST = 1 << 20
_CONFIGURATION = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderFault(EnergyError):
    """A provider does not answer, or not as it should."""


@asynccontextmanager
async def asking(provider: Provider) -> AsyncIterator[ProviderWeb]:
    """A way to ask a provider."""
    async with Outgoing(provider.destinations, _WHOLE_S, _LONGEST, provider.ca_file) as outgoing:
        yield ProviderWeb(provider, outgoing)


@dataclass(frozen=True, slots=True)
class ProviderWeb:
    """What a provider answers; ProviderFault where it does not, or not as it should."""

    provider: Provider
    outgoing: Outgoing

    async def discovered(self) -> dict[str, Any]:
        """What it says of itself (OpenID Connect Discovery 1.0): of the right issuer, every endpoint its own."""
        found = await self._asked("GET", self.provider.issuer.rstrip("/") + _CONFIGURATION)
        if found.get("issuer") != self.provider.issuer:
            raise ProviderFault(f"it says that it is {found.get('issuer')!r}, not {self.provider.issuer!r}")
        for name in _ENDPOINTS:
            address = found.get(name)
            if not isinstance(address, str) or not self.provider.may_ask(address):
                raise ProviderFault(
                    f"{name} {address!r} is not of its host; list the host under `hosts` if it is right"
                )
        return found

    async def keys(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The keys that it signs with. They are asked for at each sign-in: providers change them, people are few."""
        return await self._asked("GET", str(found["jwks_uri"]))

    async def tokens(self, found: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
        """What it gives for a code."""
        provider = self.provider
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        given = {**form, "client_id": provider.client_id}
        headers: dict[str, str] = {}
        if provider.secret and "client_secret_basic" in methods:
            # RFC 6749, 2.3.1: both are encoded as in a form first.
            of = quote(provider.client_id, safe=""), quote(provider.secret, safe="")
            headers["Authorization"] = aiohttp.encode_basic_auth(*of)
        elif provider.secret:
            given["client_secret"] = provider.secret
        return await self._asked("POST", str(found["token_endpoint"]), given, headers)

    async def _asked(
        self,
        method: str,
        address: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        if not self.provider.may_ask(address):
            raise ProviderFault(f"{address} is not of its host")
        try:
            answer = await self.outgoing.ask(method, address, data=form, headers=headers)
        except (OutgoingFailed, OutgoingRefused) as error:
            raise ProviderFault(str(error)) from error
        if answer.status != 200:
            raise ProviderFault(f"{address} answers {answer.status}")
        try:
            found = json.loads(answer.body)
        except ValueError as error:
            raise ProviderFault(f"{address} answers no JSON") from error
        if not isinstance(found, dict):
            raise ProviderFault(f"{address} answers no JSON object")
        return found
