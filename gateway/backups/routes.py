"""Routes of the copies that backups are made of."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.route import NoQuery, Route
from gateway.audit.chain import Action
from gateway.backups.words import CopyAnswer, CopyOrder
from gateway.services import Services


async def begin(services: Services, _query: NoQuery, _body: CopyOrder) -> CopyAnswer:
    copy = services.copies.begin()
    await services.audit.record(Action.EXPORT, "backup", detail={"copy": copy.id})
    return copy


async def state(services: Services, _query: NoQuery) -> CopyAnswer:
    return services.copies.state()


_PATH, _OPERATE = "/api/v1/backup/copy", Permission.OPERATE
ROUTES = (
    Route(_PATH, "How far the copy of the store has come", _OPERATE, NoQuery, CopyAnswer, state),
    Route(_PATH, "Copy the store, on the gateway's machine", _OPERATE, NoQuery, CopyAnswer, begin, "POST", CopyOrder),
)
