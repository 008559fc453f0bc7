"""Why a reading is refused; the words stand in the quarantine, in `/health`, in `/metrics` and in docs/mqtt.md."""

from __future__ import annotations

UNKNOWN_METER = "unknown meter"
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
DUPLICATE = "duplicate"
# Of messages that a mapping takes.
MISTYPED = "mistyped value"
NOT_BORN = "no birth certificate"

SHOWN = 200


def shown(text: object) -> str:
    """As much of a stranger's words as is worth keeping."""
    return str(text)[:SHOWN]
