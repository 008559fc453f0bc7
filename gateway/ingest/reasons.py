"""Why a reading is refused; the words stand in the quarantine, in `/health`, in `/metrics` and in docs/mqtt.md."""

from __future__ import annotations

UNKNOWN_METER = "unknown meter"
ANOTHER_EDGE = "meter of another edge"
UNKNOWN_QUANTITY = "unknown quantity"
IMPLAUSIBLE = "implausible value"
FUTURE = "future time"
TOO_EARLY = "time before 2000"
BROKEN_TIME = "broken time"
NO_VALUE = "no value"
BROKEN_PAYLOAD = "broken payload"
TOO_LARGE = "too large"
UNKNOWN_TOPIC = "unknown topic"
CONFLICT = "conflicting value"
REFUSED = "refused by the store"
DUPLICATE = "duplicate"
# Of messages that a mapping takes.
MISTYPED = "mistyped value"
NOT_BORN = "no birth certificate"

REASONS = (
    UNKNOWN_METER,
    ANOTHER_EDGE,
    UNKNOWN_QUANTITY,
    IMPLAUSIBLE,
    FUTURE,
    TOO_EARLY,
    BROKEN_TIME,
    NO_VALUE,
    BROKEN_PAYLOAD,
    TOO_LARGE,
    UNKNOWN_TOPIC,
    CONFLICT,
    REFUSED,
    DUPLICATE,
    MISTYPED,
    NOT_BORN,
)

SHOWN = 200


def shown(text: object) -> str:
    """As much of a stranger's words as is worth keeping."""
    return str(text)[:SHOWN]


def must_be_utf8(payload: bytes) -> None:
    """Refuse what is no UTF-8, by UnicodeDecodeError: decoders look only at what they use."""
    if not payload.isascii():
        payload.decode("utf-8")
