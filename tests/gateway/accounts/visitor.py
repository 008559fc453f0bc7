"""Somebody with a browser: keeps the cookie, and knows the word of its session."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request

from gateway.access.roles import Grant, Role
from gateway.services import Services

Client = TestClient[Request, Application]
COOKIE = "__Host-jieneng"
PASSWORD = "Blue-heron 27"
EXCHANGED = {"meter": "east-main", "kind": "exchanged", "at": 1000, "final_register": 5.0, "initial_register": 0.0}


class Visitor:
    """Cookies are kept by hand: the client of tests speaks no TLS, and would not send Secure ones."""

    def __init__(self, client: Client, address: str = "10.0.0.1") -> None:
        self._client, self.address = client, address
        self.cookie = self.csrf = ""
        self.set_cookie = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: Any) -> ClientResponse:
        given = {"X-Forwarded-For": f"1.2.3.4, {self.address}", **headers}
        if self.cookie:
            given["Cookie"] = f"{COOKIE}={self.cookie}"
        if self.csrf and "X-CSRF-Token" not in headers:
            given["X-CSRF-Token"] = self.csrf
        answer = await self._client.request(method, path, json=body, headers=given)
        if found := answer.cookies.get(COOKIE):
            self.cookie, self.set_cookie = found.value, found.OutputString()
        return answer

    async def get(self, path: str, status: int = 200, **headers: Any) -> Any:
        answer = await self.ask("GET", path, **headers)
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)

    async def post(self, path: str, body: Any, status: int = 200, **headers: Any) -> Any:
        answer = await self.ask("POST", path, body, **headers)
        assert answer.status == status, await answer.text()
        told = await answer.json(content_type=None)
        self.csrf = told.get("csrf", self.csrf)
        return told

    async def sign_in(self, name: str = "wang", password: str = PASSWORD, status: int = 200) -> Any:
        return await self.post("/api/v1/session", {"name": name, "password": password}, status)


async def account(services: Services, name: str = "wang", *grants: Grant | Role, password: str = PASSWORD) -> None:
    """An account that has changed its first password already."""
    accounts = services.accounts
    author = accounts.author("test")
    first = await accounts.add(name, author)
    person = await accounts.people.one(name)
    assert await accounts._passwords.matches(person.account.password, first)
    hashed = await accounts._passwords.hashed(password)
    words = {"password": hashed, "must_change": False}
    await accounts.people.change(person.account, author, "password changed", end_sessions=True, **words)
    for grant in grants:
        made = grant if isinstance(grant, Grant) else Grant(grant)
        await accounts.people.grant(await accounts.people.one(name), made, author)
