"""What an attacker tries, each by name. Signing in, sessions, tokens and lockout are tried in the files beside this."""

from __future__ import annotations

import ast
import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError, web

import gateway
from gateway.access.roles import Role
from gateway.api import bodies
from gateway.app import ROUTES, application
from gateway.services import Services
from tests.gateway.accounts.visitor import COOKIE, Client, Visitor, account
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

ROOT = Path(gateway.__file__).parents[1]
DOTS = ("..", "%2e%2e", "%252e%252e", "..%2f..", "..%5c..", "....//", "%c0%ae%c0%ae")


@pytest.fixture
async def port(services: Services) -> AsyncIterator[int]:
    """The gateway on a socket, as it is served, with connections that may stand idle for less than a second."""
    runner = web.AppRunner(application(services), access_log=None, keepalive_timeout=0.3)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def sent(port: int, text: str, *, body: bytes = b"") -> str:
    """What is answered to bytes that no client would send, until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.replace("\n", "\r\n").encode("latin-1") + body)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return answer.decode("utf-8", "replace")


async def test_dots_lead_to_no_file_of_the_machine(port: int) -> None:
    for head in ("/assets/", "/", "/api/v1/", "/assets/%2f"):
        for dots in DOTS:
            for tail in ("pyproject.toml", "gateway/app.py", "etc/passwd", "etc/passwd%00.js"):
                path = f"{head}{'/'.join([dots] * 8)}/{tail}"
                answer = await sent(port, f"GET {path} HTTP/1.1\nHost: x\nConnection: close\n\n")
                assert answer.split(" ")[1] in ("400", "403", "404"), path
                assert "root:" not in answer
                assert str(ROOT) not in answer


async def test_nothing_redirects_whatever_is_asked_for(port: int) -> None:
    """There is no address that a sign-in or a slash would lead away to."""
    for path in ("//evil.example", "//evil.example/%2e%2e", "/assets", "/?next=//evil.example", "/\\evil.example"):
        answer = await sent(port, f"GET {path} HTTP/1.1\nHost: evil.example\nConnection: close\n\n")
        assert answer.split(" ")[1][0] in "245", path
        assert "\r\nLocation:" not in answer


@pytest.mark.parametrize("host", ["evil.example", "evil.example\nHost: x", "x; script-src evil", "<script>"])
async def test_a_host_that_is_not_ours_gets_into_no_answer(port: int, host: str) -> None:
    answer = await sent(port, f"GET /api/v1/site HTTP/1.1\nHost: {host}\nConnection: close\n\n")

    assert "evil" not in answer.partition("\r\n\r\n")[2]
    assert "script-src evil" not in answer
    assert answer.split(" ")[1] in ("400", "401")


async def test_two_lengths_of_one_request_are_refused(port: int) -> None:
    """Otherwise a proxy before us and we would disagree where the next request begins."""
    both = "Content-Length: 4\nTransfer-Encoding: chunked\n"
    for head in (both, "Content-Length: 4\nContent-Length: 5\n"):
        told = f"POST /api/v1/session HTTP/1.1\nHost: x\nContent-Type: application/json\n{head}Connection: close\n\n"
        assert (await sent(port, told, body=b"0\r\n\r\n")).split(" ")[1] == "400"


async def test_who_sends_his_headers_too_slowly_is_cut_off(port: int) -> None:
    assert await sent(port, "GET /api/v1/site HTTP/1.1\nHost: x\n") == ""


async def test_who_sends_his_body_too_slowly_is_told_so(
    services: Services, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.1)
    head = "POST /api/v1/session HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 100\n\n"

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.replace("\n", "\r\n").encode() + b"{")
    assert b" 408 " in await asyncio.wait_for(reader.readline(), PATIENCE_S)
    writer.close()


async def test_a_body_is_never_unfolded(client: Client) -> None:
    """Ten megabytes of blanks are ten kilobytes of gzip."""
    bomb = gzip.compress(b" " * 10_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/api/v1/session", data=bomb, headers=headers)

    assert answer.status in (413, 415)
    assert answer.content_type == "application/problem+json"
    small = await client.post("/api/v1/session", data=gzip.compress(b"{}"), headers=headers)
    assert (small.status, (await small.json(content_type=None))["detail"][:10]) == (415, "a compress")


async def test_a_body_without_an_end_is_refused(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    answer = await client.post("/api/v1/session", data=endless(), headers={"Content-Type": "application/json"})
    assert answer.status == 413


async def test_nobody_is_locked_out_by_the_guesses_of_others(services: Services, client: Client) -> None:
    """A hundred wrong passwords from elsewhere, by name and by token, do not keep him from signing in."""
    await account(services, "wang", Role.READER)
    for i in range(20):
        thief = Visitor(client, f"10.9.0.{i}")
        for _ in range(5):
            await thief.sign_in(password="wrong", status=401)

    await Visitor(client, "10.0.0.1").sign_in()


async def test_a_session_that_somebody_prepared_is_never_taken_over(services: Services, client: Client) -> None:
    await account(services, "wang", Role.READER)
    await account(services, "eve", Role.READER)
    eve, wang = Visitor(client), Visitor(client)
    await eve.sign_in("eve")
    planted = eve.cookie
    wang.cookie, wang.csrf = planted, eve.csrf
    await wang.sign_in("wang")

    assert wang.cookie != planted
    assert (await wang.get("/api/v1/session"))["name"] == "wang"
    await eve.get("/api/v1/site", 401)


async def test_the_live_socket_needs_a_session_and_our_own_page(services: Services, client: Client) -> None:
    await account(services, "wang", Role.READER)
    wang = Visitor(client)
    await wang.sign_in()
    own = {"Cookie": f"{COOKIE}={wang.cookie}"}
    here = f"http://{client.host}:{client.port}"
    refused: tuple[tuple[dict[str, str], int], ...] = (
        ({}, 401),
        ({"Cookie": f"{COOKIE}=guessed"}, 401),
        ({**own, "Origin": "http://evil.example"}, 403),
        ({**own, "Origin": "null"}, 403),
        ({**own, "Origin": f"{here}.evil.example"}, 403),
    )
    for headers, status in refused:
        with pytest.raises(WSServerHandshakeError, match=str(status)):
            await client.ws_connect("/api/v1/live", headers=headers)
    async with client.ws_connect("/api/v1/live", headers={**own, "Origin": here}) as socket:
        assert (await socket.receive_json())["type"] == "hello"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_of_a_foreign_page_enters_nothing(services: Services, client: Client, kind: str) -> None:
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    own = {"Cookie": f"{COOKIE}={wang.cookie}", "X-CSRF-Token": wang.csrf}
    for headers, status in (
        ({**own, "Content-Type": kind}, 415),
        ({**own, "Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Cookie": own["Cookie"], "Content-Type": "application/json"}, 403),
    ):
        answer = await client.post("/api/v1/events", data=b"{}", headers=headers)
        assert answer.status == status
    assert (await wang.get("/api/v1/events"))["events"] == []


async def test_a_get_changes_nothing(services: Services, client: Client) -> None:
    """A link or an image of a foreign page brings the cookie along: nothing may come of it."""
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    posts = {r.path for r in ROUTES if r.method == "POST"} - {r.path for r in ROUTES if r.method == "GET"}
    named = {r.path for r in ROUTES if r.method == "GET" and r.path.endswith("}")}
    for path in sorted(posts):
        answer = await wang.ask("GET", f"{path}?body=x")
        # A GET with a name in its path, such as /periods/{month}, answers for those that stand below it.
        shadowed = any(g.rpartition("/")[0] == path.rpartition("/")[0] for g in named)
        assert answer.status == (400 if shadowed else 405), path
    assert (await wang.get("/api/v1/events"))["events"] == []


_SECRETS = {"csrf", "csrf_token", "signature", "password", "secret", "check", "otp", "code", "bearer", "mac"}


def _compared(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            for side in (node.left, *node.comparators):
                name = side.id if isinstance(side, ast.Name) else side.attr if isinstance(side, ast.Attribute) else ""
                if name in _SECRETS:
                    yield f"{name} in line {node.lineno}"


def test_secrets_are_compared_in_constant_time() -> None:
    """By `compare_digest`, or not at all: sessions, tokens and links are looked up by their SHA-256."""
    found = {}
    files = [file for name in ("accounts", "access", "api", "audit") for file in (ROOT / "gateway" / name).glob("*.py")]
    for file in files:
        if compared := list(_compared(ast.parse(file.read_text(encoding="utf-8")))):
            found[file.name] = compared

    assert found == {}
    assert list(_compared(ast.parse("if given == self.csrf: pass"))) == ["csrf in line 1"]
