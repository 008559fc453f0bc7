"""The audit log for who does not see all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.access.seen_readings import not_of_all
from gateway.audit.chain import Action, Outcome, Row
from gateway.audit.seal import Head
from gateway.audit.service import KEPT_DAYS, Audit, State, Wanted
from gateway.audit.verify import Finding


class ClosedAudit(Audit):
    """Takes what it is told, and tells nothing. Nothing of the base is set."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def record(
        self,
        action: Action,
        subject: str,
        *,
        account: str | None = None,
        outcome: Outcome = Outcome.DONE,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        await self._audit.record(action, subject, account=account, outcome=outcome, detail=detail)

    async def rows(
        self, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None
    ) -> list[Row]:
        raise not_of_all("rows of the audit log")

    async def verify(self, elsewhere: Iterable[Head] = ()) -> Finding:
        raise not_of_all("rows of the audit log")

    async def state(self) -> State:
        raise not_of_all("rows of the audit log")

    async def prune(self, days: int = KEPT_DAYS) -> int:
        raise not_of_all("rows of the audit log")
