"""The audit log as the API tells it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.audit.chain import Action, Row

Name = Annotated[str, msgspec.Meta(max_length=200)]


class AuditQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Of [from, to), of an account, an action, a subject; `meter/` is all meters. The newest first.

    `cursor` is the `next` of the page before.
    """

    from_: int | None = None
    to: int | None = None
    account: Name | None = None
    action: Action | None = None
    subject: Name | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Name | None = None


class AuditRowWords(msgspec.Struct):
    """Something that was done. `hash` is over all of it and over `previous`, the hash of the row before."""

    seq: int
    at: int
    account: str
    address: str
    action: str
    subject: str
    outcome: str
    detail: dict[str, Any]
    previous: str
    hash: str

    @classmethod
    def of(cls, row: Row) -> AuditRowWords:
        said = (row.seq, row.at_ms, row.account, row.address, row.action, row.subject, row.outcome)
        return cls(*said, detail_of(row), row.previous, row.hash)


class AuditAnswer(msgspec.Struct):
    """Rows, the newest first; `next` is null on the last page."""

    rows: list[AuditRowWords]
    next: str | None


def detail_of(row: Row) -> dict[str, Any]:
    """The detail; what was tampered with is told as text, not hidden."""
    try:
        return msgspec.json.decode(row.detail, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"unreadable": row.detail}
