"""An identity provider on this machine: keeps to OpenID Connect, but for what a test has it do wrong."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from energy.ports import Clock
from energy.sites import Text
from gateway.accounts.provider import Provider as Settings

CLIENT, SECRET = "jieneng", "s3cret/with=signs"
PAGE = "http://127.0.0.1:8080/"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)

Wrong = Callable[[dict[str, Any]], None]


@dataclass
class Provider:
    """`claims` of who signs in there now; `wrong` has a token say something else; `seen` are the token requests."""

    clock: Clock
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "4711"})
    wrong: Wrong = lambda _claims: None
    key: RSAKey = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    found: dict[str, Any] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    issuer: str = ""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, **given: Any) -> Settings:
        return Settings("gov", self.issuer, CLIENT, Text("统一身份认证", "Single sign-on"), SECRET, **given)

    def authorize(self, address: str) -> dict[str, str]:
        """What comes back to the page when somebody has signed in at this address."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (query["response_type"], query["client_id"], query["redirect_uri"]) == ("code", CLIENT, PAGE)
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        return {"state": query["state"], "code": code}

    async def configuration(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.found,
            }
        )

    async def keys(self, _request: web.Request) -> web.Response:
        return web.json_response(KeySet([KEY]).as_dict(private=False))

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.seen.append(form)
        assert request.headers["Authorization"] == encode_basic_auth(CLIENT, "s3cret%2Fwith%3Dsigns")
        query = self._codes.pop(form["code"], None)
        if query is None or query["code_challenge"] != _challenge(form["code_verifier"]):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            **self.claims,
        }
        self.wrong(claims)
        return web.json_response({"access_token": "a", "token_type": "Bearer", "id_token": self._signed(claims)})

    def _signed(self, claims: Mapping[str, Any]) -> str:
        if self.algorithm == "none":
            return f"{_text({'alg': 'none'})}.{_text(claims)}."
        return jwt.encode({"alg": self.algorithm, "kid": "one"}, dict(claims), self.key)


def _text(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@asynccontextmanager
async def provider(clock: Clock) -> AsyncIterator[Provider]:
    made, app = Provider(clock), web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.configuration)
    app.router.add_get("/keys", made.keys)
    app.router.add_post("/token", made.token)
    async with TestServer(app) as server:
        made.issuer = str(server.make_url("")).rstrip("/")
        yield made
