"""The group robot of DingTalk (钉钉), and those that speak its words: 政务钉钉, 浙政钉, at their own addresses.

A robot answers HTTP 200 to what it refuses: what counts is `errcode` of the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from yarl import URL

from adapters.outgoing import Answer, Outgoing, OutgoingFailed, OutgoingRefused
from energy.notices import Notice, Outcome, Receipt

# A robot takes 20 messages a minute, and then none for ten.
PER_MINUTE = 20
_MINUTE_S = 60.0
# busy; over the limit, as the several platforms spell it.
_LATER = {-1, 88, 90018, 90030, 130101, 410100}
_MOBILE = re.compile(r"\+?\d[\d-]{5,}")


def signature(secret: str, timestamp_ms: int) -> str:
    """As the robot checks it: base64 of HMAC-SHA256 over the timestamp, a newline and the secret, by the secret.

    >>> signature("SECx", 1700000000000)[-1]
    '='
    """
    text = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()


@dataclass(slots=True)
class DingTalkRobot:
    """One robot of one group. `address` is such as https://oapi.dingtalk.com/robot/send."""

    name: str
    outgoing: Outgoing
    address: str
    token: str
    secret: str | None = None
    personal: bool = False
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    monotonic: Callable[[], float] = time.monotonic
    _sent: deque[float] = field(default_factory=deque)

    async def send(self, notice: Notice) -> Receipt:
        wait_s = self._wait_s()
        if wait_s > 0:
            return Receipt(Outcome.LATER, f"{PER_MINUTE} messages were sent within a minute", wait_s)
        self._sent.append(self.monotonic())
        try:
            answer = await self.outgoing.ask("POST", self._url(), json=_body(notice))
        except OutgoingFailed as error:
            return Receipt(Outcome.LATER, str(error))
        except OutgoingRefused as error:
            return Receipt(Outcome.REFUSED, str(error))
        return _receipt(answer)

    def _url(self) -> str:
        query: dict[str, str] = {"access_token": self.token}
        if self.secret is not None:
            now_ms = self.wall_ms()
            query |= {"timestamp": str(now_ms), "sign": signature(self.secret, now_ms)}
        return str(URL(self.address).update_query(query))

    def _wait_s(self) -> float:
        """How long until the robot takes another."""
        now = self.monotonic()
        while self._sent and now - self._sent[0] >= _MINUTE_S:
            self._sent.popleft()
        return _MINUTE_S - (now - self._sent[0]) if len(self._sent) >= PER_MINUTE else 0.0


def _body(notice: Notice) -> dict[str, Any]:
    at = {"atMobiles": [notice.address], "isAtAll": False} if _MOBILE.fullmatch(notice.address) else {"isAtAll": False}
    # It is the text, too, that names who is meant; a client rings for no one else.
    named = f"{notice.whole}\n@{notice.address}" if "atMobiles" in at else notice.whole
    return {"msgtype": "text", "text": {"content": named}, "at": at}


def _receipt(answer: Answer) -> Receipt:
    try:
        told = msgspec.json.decode(answer.body)
        code, said = told["errcode"], str(told.get("errmsg", ""))[:200]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        outcome = Outcome.REFUSED if 400 <= answer.status < 500 and answer.status != 429 else Outcome.LATER
        return Receipt(outcome, f"HTTP {answer.status}, and no errcode in the answer")
    if code == 0 and answer.status == 200:
        return Receipt(Outcome.SENT, f"errcode 0 {said}".strip())
    outcome = Outcome.LATER if code in _LATER or answer.status in (429, 502, 503, 504) else Outcome.REFUSED
    return Receipt(outcome, f"errcode {code}: {said}", _MINUTE_S if outcome is Outcome.LATER else None)
