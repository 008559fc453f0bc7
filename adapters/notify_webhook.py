"""A webhook: JSON to an address of the operator's own, such as a gateway for SMS, signed so that it knows us.

The signature is HMAC-SHA256, in hexadecimal, over the timestamp, a full stop and the body, in X-Jieneng-Signature; the
timestamp [s since the epoch] is in X-Jieneng-Timestamp. A receiver refuses old ones, and takes an id that it has taken
as done.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from adapters.outgoing import Outgoing, OutgoingFailed, OutgoingRefused
from energy.notices import Notice, Outcome, Receipt


def signature(secret: str, timestamp_s: int, body: bytes) -> str:
    """What stands in the header."""
    return hmac.digest(secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256).hex()


@dataclass(frozen=True, slots=True)
class Webhook:
    """It has taken a notice when it answers 2xx; 429 and 5xx are tried again."""

    name: str
    outgoing: Outgoing
    address: str
    secret: str
    personal: bool = False
    wall_s: Callable[[], int] = lambda: int(time.time())

    async def send(self, notice: Notice) -> Receipt:
        body = msgspec.json.encode(notice)
        now_s = self.wall_s()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notice.id,
            "X-Jieneng-Timestamp": str(now_s),
            "X-Jieneng-Signature": signature(self.secret, now_s, body),
        }
        try:
            answer = await self.outgoing.ask("POST", self.address, headers=headers, data=body)
        except OutgoingFailed as error:
            return Receipt(Outcome.LATER, str(error))
        except OutgoingRefused as error:
            return Receipt(Outcome.REFUSED, str(error))
        if 200 <= answer.status < 300:
            return Receipt(Outcome.SENT, f"HTTP {answer.status}")
        if answer.status in (408, 425, 429) or answer.status >= 500:
            return Receipt(Outcome.LATER, f"HTTP {answer.status}", _after_s(answer.headers.get("Retry-After")))
        return Receipt(Outcome.REFUSED, f"HTTP {answer.status}")


def _after_s(told: str | None) -> float | None:
    return min(float(told), 3600.0) if told is not None and told.isdigit() else None
