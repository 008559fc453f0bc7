"""The chain: each row's hash is over all that the row says and over the hash of the row before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.audit.redaction import clear_text, cleared

# What the first row follows.
GENESIS = "0" * 64


class Action(StrEnum):
    """What can be done."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    # A request or a command that was not permitted.
    REFUSED = "refused"
    # Records left the installation as a file.
    EXPORT = "export"
    CHANGE = "change"
    # Closing and correcting months.
    APPROVE = "approve"
    # Rows of the audit log that were kept long enough were deleted.
    PRUNE = "prune"
    # The log was found to have been touched; it goes on behind this row.
    SEAL_BROKEN = "seal_broken"


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done, before it is a row. `subject` is KIND/KEY, such as bill/17; the detail is plain JSON."""

    at_ms: int
    action: Action
    subject: str
    account: str = ""
    address: str = ""
    outcome: Outcome = Outcome.DONE
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is kept."""

    seq: int
    at_ms: int
    account: str
    address: str
    action: str
    subject: str
    outcome: str
    detail: str
    previous: str
    hash: str = ""


def row_of(deed: Deed, seq: int, previous: str) -> dict[str, Any]:
    """The row of a deed, by column, without secrets and phone numbers."""
    made: dict[str, Any] = {
        "seq": seq,
        "at_ms": deed.at_ms,
        "account": clear_text(deed.account),
        "address": deed.address,
        "action": str(deed.action),
        "subject": clear_text(deed.subject),
        "outcome": str(deed.outcome),
        "detail": canonical(cleared(deed.detail)),
        "previous": previous,
    }
    return {**made, "hash": digest(Row(**made))}


def digest(row: Row, seq: int | None = None) -> str:
    """The hash that a row must have, in hexadecimal; as if it were row `seq` where that is given.

    SHA-256 over a JSON array in UTF-8, without blanks: no two rows spell the same.
    """
    said = [row.seq if seq is None else seq, row.at_ms, row.account, row.address]
    text = canonical([*said, row.action, row.subject, row.outcome, row.detail, row.previous])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def canonical(value: Any) -> str:
    """JSON in the one way that is hashed: keys sorted, no blanks, text as it is."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
