"""The audit log as the API tells it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from gateway.audit.chain import Action, Row
from gateway.audit.service import Checked, State

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


class AuditExport(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Rows as in GET, the oldest first, as text of a file; `cursor` is the `next` of the part before."""

    format: Literal["csv", "json"] = "csv"
    from_: int | None = None
    to: int | None = None
    account: Name | None = None
    action: Action | None = None
    subject: Name | None = None
    cursor: Name | None = None


class AuditPart(msgspec.Struct):
    """A part of the file, with how many rows; `next` is null on the last one."""

    text: str
    rows: int
    next: str | None


class NoWords(msgspec.Struct, forbid_unknown_fields=True):
    """An empty object."""


class CheckWords(msgspec.Struct):
    """At `at` the log was looked through: so many rows are as they were written, up to one of `until`.

    row, fault : the first that is not, and what is wrong with it; null where all are. head : the hash of the newest.
    """

    at: int
    rows: int
    until: int | None
    row: int | None
    fault: str | None
    head: str

    @classmethod
    def of(cls, checked: Checked) -> CheckWords:
        found = checked.finding
        return cls(checked.at_ms, found.rows, checked.until_ms, found.seq, found.fault, found.head.hash)


class AuditState(msgspec.Struct):
    """How many rows there are, since when, the newest; `checked` is null until the log was looked through."""

    rows: int
    since: int | None
    newest: int
    checked: CheckWords | None

    @classmethod
    def of(cls, state: State) -> AuditState:
        checked = None if state.checked is None else CheckWords.of(state.checked)
        return cls(state.rows, state.first_at_ms, state.newest, checked)


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
