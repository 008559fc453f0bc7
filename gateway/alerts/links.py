"""Links in messages: each lets one person acknowledge one alarm for a day, without signing in, and nothing else.

A token says alarm, round, person and when it ends, and is signed by the key of the installation. Nothing of it is kept;
who has left the roster has no link any more, and neither has an alarm that rang anew.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

_SIGNATURE = 16


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link allows."""

    alarm: int
    round: int
    person: str
    until_s: int


class Links:
    """Makes links and reads them. `public` is the address of this gateway as a phone sees it, if it does."""

    def __init__(self, key: bytes, public: str | None, holds_s: float, now_s: Callable[[], int]) -> None:
        self._key = key
        self._public = None if public is None else public.rstrip("/")
        self._holds_s, self._now_s = holds_s, now_s

    def personal(self, alarm: int, round: int, person: str) -> str:
        """The link for one person; empty where nobody has said how a phone reaches this gateway."""
        if self._public is None:
            return ""
        return f"{self._public}/a/{self.token(Ticket(alarm, round, person, self._now_s() + round_up(self._holds_s)))}"

    def signed_in(self, alarm: int) -> str:
        """The page of an alarm, for who signs in."""
        return "" if self._public is None else f"{self._public}/#/alarms?alarm={alarm}"

    def token(self, ticket: Ticket) -> str:
        body = msgspec.json.encode((ticket.alarm, ticket.round, ticket.person, ticket.until_s))
        return urlsafe_b64encode(self._signed(body) + body).decode().rstrip("=")

    def ticket(self, token: str) -> Ticket | None:
        """What a token allows; None where it is not ours, was changed, or has ended."""
        try:
            whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            signature, body = whole[:_SIGNATURE], whole[_SIGNATURE:]
            if not hmac.compare_digest(signature, self._signed(body)):
                return None
            ticket = Ticket(*msgspec.json.decode(body, type=tuple[int, int, str, int]))
        except (ValueError, msgspec.DecodeError):
            return None
        return ticket if self._now_s() < ticket.until_s else None

    def _signed(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)[:_SIGNATURE]


def round_up(seconds: float) -> int:
    return int(-(-seconds // 1))
