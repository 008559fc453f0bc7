"""Channels to people: sent is what the channel says that it took, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from adapters.channel_files import open_channels, read_channels
from adapters.notify_dingtalk import DingTalkRobot
from adapters.notify_log import LogChannel
from adapters.notify_smtp import SmtpServer
from adapters.notify_webhook import Webhook, signature
from adapters.outgoing import Destinations, Outgoing
from energy.errors import ConfigurationError
from energy.notices import Notice, Outcome

pytestmark = pytest.mark.by_the_clock

NOTICE = Notice("jieneng-7.1.0.wang", "13800000001", "【紧急】夜间用水不停", "03-10 02:11 起。", "https://here/a/x")


class Robot:
    """A group robot as the real ones answer: HTTP 200 whatever it thinks, and what it thinks in errcode."""

    def __init__(self) -> None:
        self.secret, self.token, self.keyword = "SECabc", "token-1", "起"
        self.taken: list[dict[str, Any]] = []
        self.in_minute = 0
        self.mode = ""
        app = web.Application()
        app.router.add_post("/robot/send", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.mode == "slow":
            await asyncio.sleep(5)
        if self.mode == "gateway":
            return web.Response(status=502, text="<html>bad gateway</html>")
        if self.mode == "proxy":
            return web.Response(status=200, text="<html>please sign in to the network</html>")
        return web.json_response(self._told(request, await request.json()))

    def _told(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        if request.query["access_token"] != self.token:
            return {"errcode": 300001, "errmsg": "token is not exist"}
        stamp = request.query["timestamp"]
        text = f"{stamp}\n{self.secret}".encode()
        wanted = base64.b64encode(hmac.new(self.secret.encode(), text, hashlib.sha256).digest()).decode()
        if abs(time.time() * 1000 - int(stamp)) > 3_600_000 or request.query["sign"] != wanted:
            return {"errcode": 310000, "errmsg": "sign not match"}
        if self.keyword not in body["text"]["content"]:
            return {"errcode": 310000, "errmsg": "keywords not in content"}
        self.in_minute += 1
        if self.in_minute > 20:
            return {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
        self.taken.append(body)
        return {"errcode": 0, "errmsg": "ok"}


@pytest.fixture
async def robot() -> AsyncIterator[Robot]:
    made = Robot()
    async with made.server:
        yield made


@pytest.fixture
async def dingtalk(robot: Robot) -> AsyncIterator[DingTalkRobot]:
    url = str(robot.server.make_url("/robot/send"))
    async with Outgoing(Destinations.of([url]), timeout_s=0.5) as outgoing:
        yield DingTalkRobot("duty", outgoing, url, robot.token, robot.secret)


async def test_a_robot_takes_what_is_signed_and_rings_for_one_person(robot: Robot, dingtalk: DingTalkRobot) -> None:
    receipt = await dingtalk.send(NOTICE)

    assert (receipt.outcome, receipt.answer) == (Outcome.SENT, "errcode 0 ok")
    [body] = robot.taken
    assert body["at"] == {"atMobiles": ["13800000001"], "isAtAll": False}
    assert body["text"]["content"].splitlines()[0] == NOTICE.title


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"secret": "SECother"}, "310000: sign not match"),
        ({"wall_ms": lambda: time.time_ns() // 1_000_000 - 7_200_000}, "310000: sign not match"),
        ({"token": "token-2"}, "300001: token is not exist"),
    ],
)
async def test_what_a_robot_refuses_within_http_200_is_refused(
    dingtalk: DingTalkRobot, change: dict[str, Any], said: str
) -> None:
    for name, value in change.items():
        setattr(dingtalk, name, value)
    receipt = await dingtalk.send(NOTICE)

    assert (receipt.outcome, said in receipt.answer) == (Outcome.REFUSED, True)


async def test_a_word_that_the_robot_wants_and_does_not_find_is_a_refusal(
    robot: Robot, dingtalk: DingTalkRobot
) -> None:
    robot.keyword = "节能"

    assert (await dingtalk.send(NOTICE)).answer == "errcode 310000: keywords not in content"


async def test_the_twenty_first_of_a_minute_is_not_even_asked_for(robot: Robot, dingtalk: DingTalkRobot) -> None:
    now = 1000.0
    dingtalk.monotonic = lambda: now
    outcomes = [(await dingtalk.send(NOTICE)).outcome for _ in range(20)]
    late = await dingtalk.send(NOTICE)

    assert (set(outcomes), late.outcome, late.after_s, robot.in_minute) == ({Outcome.SENT}, Outcome.LATER, 60.0, 20)
    now += 60.0
    robot.in_minute = 0
    assert (await dingtalk.send(NOTICE)).outcome is Outcome.SENT


async def test_a_robot_that_has_had_enough_from_others_is_asked_later(robot: Robot, dingtalk: DingTalkRobot) -> None:
    robot.in_minute = 20
    receipt = await dingtalk.send(NOTICE)

    assert (receipt.outcome, receipt.after_s) == (Outcome.LATER, 60.0)
    assert robot.taken == []


@pytest.mark.parametrize("mode", ["slow", "gateway", "proxy"])
async def test_no_answer_of_the_robot_is_never_a_delivery(robot: Robot, dingtalk: DingTalkRobot, mode: str) -> None:
    robot.mode = mode

    assert (await dingtalk.send(NOTICE)).outcome is Outcome.LATER


# -- webhook ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.SENT),
        (204, Outcome.SENT),
        (302, Outcome.LATER),
        (401, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (429, Outcome.LATER),
        (500, Outcome.LATER),
    ],
)
async def test_a_webhook_has_taken_what_it_answers_2xx_to(status: int, outcome: Outcome) -> None:
    seen: list[tuple[bool, str]] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        wanted = signature("s", int(request.headers["X-Jieneng-Timestamp"]), body)
        seen.append((request.headers["X-Jieneng-Signature"] == wanted, request.headers["Idempotency-Key"]))
        headers = {"Location": "http://elsewhere.example/"} if status == 302 else {"Retry-After": "7"}
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server, Outgoing(Destinations.of([str(server.make_url("/"))])) as outgoing:
        receipt = await Webhook("hook", outgoing, str(server.make_url("/")), "s").send(NOTICE)

    assert (receipt.outcome, seen) == (outcome, [(True, NOTICE.id)])
    assert status != 429 or receipt.after_s == 7.0


# -- mail -------------------------------------------------------------------------------------------------------------


class Mailbox:
    """What a mail server does with what it is given."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such mailbox"
        if address.startswith("busy"):
            return "450 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 taken"


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, Controller]]:
    box = Mailbox()

    def allowed(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    of: dict[str, Any] = {"authenticator": allowed, "auth_require_tls": False}
    controller = Controller(box, hostname="127.0.0.1", port=port, **of)
    controller.start()
    yield box, controller
    controller.stop()


def _server(controller: Controller, **given: Any) -> SmtpServer:
    return SmtpServer(
        "mail", "127.0.0.1", controller.port, "节能平台 <jieneng@example.org>", tls="none", timeout_s=3.0, **given
    )


def _to(address: str) -> Notice:
    return Notice(NOTICE.id, address, NOTICE.title, NOTICE.text, NOTICE.link)


async def test_a_mail_is_sent_when_the_server_has_taken_it(mail: tuple[Mailbox, Controller]) -> None:
    box, controller = mail
    receipt = await _server(controller, user="u", password="right").send(_to("wang@example.org"))

    assert (receipt.outcome, len(box.taken)) == (Outcome.SENT, 1)
    from email import message_from_bytes
    from email.policy import default

    content = box.taken[0].content
    assert isinstance(content, bytes)
    message = message_from_bytes(content, policy=default)
    assert (message["Subject"], message["To"]) == (NOTICE.title, "wang@example.org")
    assert NOTICE.link in message.get_content()


@pytest.mark.parametrize(
    ("address", "given", "outcome"),
    [
        ("nobody@example.org", {}, Outcome.REFUSED),
        ("busy@example.org", {}, Outcome.LATER),
        ("no address", {}, Outcome.REFUSED),
        ("wang@example.org", {"user": "u", "password": "wrong"}, Outcome.REFUSED),
    ],
)
async def test_a_mail_that_the_server_does_not_take_is_not_sent(
    mail: tuple[Mailbox, Controller], address: str, given: dict[str, Any], outcome: Outcome
) -> None:
    box, controller = mail
    assert ((await _server(controller, **given).send(_to(address))).outcome, box.taken) == (outcome, [])


async def test_a_server_that_offers_no_tls_is_not_given_a_password(mail: tuple[Mailbox, Controller]) -> None:
    box, controller = mail
    port = _server(controller).port
    safe = SmtpServer("mail", "127.0.0.1", port, "a@example.org", tls="starttls", user="u", password="right")

    assert ((await safe.send(_to("wang@example.org"))).outcome, box.taken) == (Outcome.REFUSED, [])


async def test_a_server_that_is_not_there_is_asked_again() -> None:
    receipt = await SmtpServer("mail", "127.0.0.1", 9, "a@example.org", tls="none").send(_to("wang@example.org"))

    assert receipt.outcome is Outcome.LATER


async def test_the_log_takes_everything() -> None:
    assert (await LogChannel("log").send(NOTICE)).outcome is Outcome.SENT


# -- the file ---------------------------------------------------------------------------------------------------------

FILE = """
public: https://energy.example.org
networks: [10.0.0.0/8]
channels:
  - {id: duty, kind: dingtalk, address: "https://openplatform.example.cn/robot/send", token: {file: token},
     secret: {env: DING}}
  - {id: mail, kind: smtp, host: mail.example.org, from: jieneng@example.org, user: u, password: {file: token}}
  - {id: log, kind: log}
"""


async def test_channels_are_opened_with_secrets_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "channels.yaml").write_text(FILE)
    (tmp_path / "token").write_text("secret-token\n")
    (tmp_path / "token").chmod(0o600)
    monkeypatch.setenv("DING", "SECx")
    channels = read_channels(tmp_path / "channels.yaml")

    assert "secret-token" not in repr(channels)
    async with open_channels(channels) as opened:
        robot = opened["duty"]
        assert isinstance(robot, DingTalkRobot)
        assert (robot.token, robot.secret, robot.personal) == ("secret-token", "SECx", False)
        assert [opened[name].personal for name in ("mail", "log")] == [True, True]


def test_what_is_wrong_with_a_file_of_channels_is_told_at_once(tmp_path: Path) -> None:
    text = FILE.replace("https://openplatform", "ftp://openplatform").replace("id: log", "id: mail")
    (tmp_path / "channels.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as found:
        read_channels(tmp_path / "channels.yaml")

    said = "\n".join(found.value.faults)
    assert len(found.value.faults) == 5
    assert "channels.yaml:5: channels[0].address" in said
    assert "token cannot be read" in said
    assert "the environment has no DING" in said
    assert "is used twice" in said
