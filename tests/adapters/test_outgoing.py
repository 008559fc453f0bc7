"""The program asks no machine that the operator has not named."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from adapters.outgoing import Destinations, Outgoing, OutgoingFailed, OutgoingRefused, origin_of
from energy.errors import ConfigurationError

pytestmark = pytest.mark.by_the_clock


class Names(AbstractResolver):
    """A name server of our own."""

    def __init__(self, **addresses: str) -> None:
        self.addresses = {name.replace("_", "."): address for name, address in addresses.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses[host]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        pass


class Machine:
    """Another machine, on this one; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.hosts: list[str] = []
        self.cookies: list[str] = []
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self.server = TestServer(app)

    @property
    def port(self) -> int:
        assert self.server.port is not None
        return self.server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.rel_url}")
        self.hosts.append(request.host)
        self.cookies.append(request.headers.get("Cookie", ""))
        if request.path.startswith("/to/"):
            return web.Response(status=302, headers={"Location": request.query["there"]})
        if request.path == "/large":
            return web.Response(body=b"0" * 100_000)
        if request.path == "/never":
            await asyncio.sleep(30)
        response = web.Response(text=await request.text(), status=418 if request.path == "/teapot" else 200)
        response.set_cookie("kept", "no")
        return response


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    one = Machine()
    await one.server.start_server()
    yield one
    await one.server.close()


async def test_a_machine_of_the_list_is_asked_whatever_the_path_and_its_answer_comes_whole(machine: Machine) -> None:
    async with Outgoing(Destinations.of([f"{machine.url}/robot?token=1"])) as outgoing:
        answer = await outgoing.ask("POST", f"{machine.url}/other?token=2", json={"text": "警报"})
        teapot = await outgoing.ask("GET", f"{machine.url}/teapot")

    assert (answer.status, json.loads(answer.body)) == (200, {"text": "警报"})
    assert teapot.status == 418
    assert machine.asked == ["POST /other?token=2", "GET /teapot"]


async def test_another_host_port_or_scheme_is_refused_before_anything_is_sent(machine: Machine) -> None:
    async with Outgoing(Destinations.of([machine.url])) as outgoing:
        for url in (
            f"http://localhost:{machine.port}/",
            f"http://127.0.0.2:{machine.port}/",
            f"http://127.0.0.1:{machine.port + 1}/",
            f"https://127.0.0.1:{machine.port}/",
            f"http://2130706433:{machine.port}/",
            f"http://127.0.0.1:{machine.port}@other.example/",
            f"ftp://127.0.0.1:{machine.port}/",
            "file:///etc/passwd",
            "//127.0.0.1",
            "",
        ):
            with pytest.raises(OutgoingRefused):
                await outgoing.ask("GET", url)

    assert machine.asked == []


async def test_a_redirect_is_followed_nowhere_and_tells_where_it_leads(machine: Machine) -> None:
    async with Outgoing(Destinations.of([machine.url])) as outgoing:
        for there in ("http://elsewhere.example/secret", f"{machine.url}/here", "/here"):
            with pytest.raises(OutgoingFailed, match="redirects to http://") as refused:
                await outgoing.ask("GET", f"{machine.url}/to/?there={there}")
            assert "secret" not in str(refused.value)

    assert len(machine.asked) == 3


async def test_a_listed_name_that_turns_out_to_be_this_machine_is_not_asked(machine: Machine) -> None:
    url = f"http://weather.example:{machine.port}/"
    names = Names(weather_example="127.0.0.1")
    async with Outgoing(Destinations.of([url]), resolver=names) as outgoing:
        with pytest.raises(OutgoingRefused, match="private network"):
            await outgoing.ask("GET", url)
    assert machine.asked == []

    async with Outgoing(Destinations.of([url], networks=["127.0.0.0/8"]), resolver=names) as outgoing:
        assert (await outgoing.ask("GET", url)).status == 200


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_addresses_inside_are_admitted_only_where_their_network_is_listed(address: str) -> None:
    assert not Destinations.of([]).admits(ip_address(address))
    assert Destinations.of([]).admits(ip_address("8.8.8.8"))


def test_a_listed_network_admits_its_own_addresses_only() -> None:
    inside = Destinations.of([], networks=["10.20.0.0/16"])

    assert inside.admits(ip_address("10.20.3.4"))
    assert not inside.admits(ip_address("10.21.3.4"))
    assert not inside.admits(ip_address("fd00::1"))


async def test_an_answer_without_end_or_that_never_comes_is_a_failure(machine: Machine) -> None:
    destinations = Destinations.of([machine.url])
    async with Outgoing(destinations, answer_bytes=50_000) as outgoing:
        with pytest.raises(OutgoingFailed, match="more than 50000 bytes"):
            await outgoing.ask("GET", f"{machine.url}/large")
    async with Outgoing(destinations, timeout_s=0.05) as outgoing:
        with pytest.raises(OutgoingFailed, match="did not answer within"):
            await outgoing.ask("GET", f"{machine.url}/never")


async def test_what_cannot_be_reached_is_told_without_its_secret() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with Outgoing(Destinations.of([url])) as outgoing:
            with pytest.raises(OutgoingFailed) as failed:
                await outgoing.ask("GET", f"{url}/hook/geheim?token=geheim")

    assert "geheim" not in str(failed.value)


async def test_a_proxy_is_asked_in_place_of_the_machine_and_only_for_the_list(machine: Machine) -> None:
    url = "http://weather.example/now"
    destinations = Destinations.of([url], proxy=machine.url)
    async with Outgoing(destinations) as outgoing:
        assert (await outgoing.ask("GET", url)).status == 200
        with pytest.raises(OutgoingRefused):
            await outgoing.ask("GET", "http://other.example/")

    assert machine.asked == ["GET /now"]
    assert machine.hosts == ["weather.example"]


async def test_cookies_and_the_environments_proxies_are_not_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with Outgoing(Destinations.of([machine.url])) as outgoing:
        await outgoing.ask("GET", machine.url)
        await outgoing.ask("GET", machine.url)

    assert machine.cookies == ["", ""]


def test_a_wrong_list_is_told_at_once_and_whole_without_what_stands_in_it() -> None:
    with pytest.raises(ConfigurationError) as told:
        Destinations.of(["ftp://a.example", "https://li:geheim@b.example"], networks=["10.0.0.0/99"])

    assert len(told.value.faults) == 3
    assert "geheim" not in str(told.value)


def test_one_origin_has_one_spelling() -> None:
    assert origin_of("HTTPS://Oapi.DingTalk.com./robot?x=1") == origin_of("oapi.dingtalk.com:443")
    assert origin_of("https://节能.example") == origin_of("https://xn--230a14a.example")
