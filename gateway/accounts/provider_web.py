"""What is asked of an identity provider: of its own hosts alone, no redirect followed, answers small and soon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from energy.errors import EnergyError
from gateway.accounts.provider import Provider

_WHOLE_S = 10.0
_LONGEST = 1 << 20
_CONFIGURATION = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderFault(EnergyError):
    """A provider does not answer, or not as it should."""


async def discovered(provider: Provider) -> dict[str, Any]:
    """What a provider says of itself (OpenID Connect Discovery 1.0): of the right issuer, every endpoint its own."""
    found = await _asked(provider, "GET", provider.issuer.rstrip("/") + _CONFIGURATION)
    if found.get("issuer") != provider.issuer:
        raise ProviderFault(f"it says that it is {found.get('issuer')!r}, not {provider.issuer!r}")
    for name in _ENDPOINTS:
        address = found.get(name)
        if not isinstance(address, str) or not provider.may_ask(address):
            raise ProviderFault(f"{name} {address!r} is not of its host; list the host under `hosts` if it is right")
    return found


async def keys(provider: Provider, found: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that it signs with. They are asked for at each sign-in: providers change them, and people are few."""
    return await _asked(provider, "GET", str(found["jwks_uri"]))


async def tokens(provider: Provider, found: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """What it gives for a code."""
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    given = {**form, "client_id": provider.client_id}
    headers: dict[str, str] = {}
    if provider.secret and "client_secret_basic" in methods:
        # RFC 6749, 2.3.1: both are encoded as in a form first.
        of = quote(provider.client_id, safe=""), quote(provider.secret, safe="")
        headers["Authorization"] = aiohttp.encode_basic_auth(*of)
    elif provider.secret:
        given["client_secret"] = provider.secret
    return await _asked(provider, "POST", str(found["token_endpoint"]), given, headers)


async def _asked(
    provider: Provider,
    method: str,
    address: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    if not provider.may_ask(address):
        raise ProviderFault(f"{address} is not of its host")
    timeout = aiohttp.ClientTimeout(total=_WHOLE_S)
    try:
        # A proxy of the environment is not asked, and no cookie kept.
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, address, data=form, headers=headers, allow_redirects=False) as answer,
        ):
            body = await answer.content.read(_LONGEST + 1)
            while len(body) <= _LONGEST and (more := await answer.content.read(_LONGEST + 1)):
                body += more
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderFault(f"{address} does not answer: {error or type(error).__name__}") from error
    if len(body) > _LONGEST:
        raise ProviderFault(f"{address} answers with more than {_LONGEST} bytes")
    if answer.status != 200:
        raise ProviderFault(f"{address} answers {answer.status}")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise ProviderFault(f"{address} answers no JSON") from error
    if not isinstance(found, dict):
        raise ProviderFault(f"{address} answers no JSON object")
    return found
