"""Every route, asked by every role about what is its own, above, below and beside it: what leaks."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import msgspec
from openpyxl import load_workbook

from energy.errors import EnergyError
from gateway.access.door import Origin, Visit
from gateway.access.roles import Identity, Permission, Role
from gateway.access.sight import audits_everywhere, operates_everywhere
from gateway.api.problems import RequestError
from gateway.api.route import Route
from gateway.api.words import Download
from gateway.services import Services
from tests.gateway.access.asks import ASKS, Ask
from tests.gateway.access.city import NODES, City, identity

_NEVER = (999_999, 999_999, 999_999)
_OPERATED = ("/api/v1/edges", "/api/v1/quarantine")
# The name of who stands above is told, in the tree alone.
_NAMED = {"organisation/parent-office", "parent-office名", "parent-office name"}
_HOURS = (24, 31 * 24)
# What nobody of `own` may read, in an hour: of foreign and parent their meters, and what their offices use in all.
_FIGURES = {round(use * hours, 6) for use in (11, 7, 11 + 18, 7 + 3 + 5 + 6, 24, 18) for hours in _HOURS} | {
    11.011,
    7.007,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A role that asks a route about a node, and what is wrong with the answer: nothing, if all is well."""

    role: Role
    route: Route[Services]
    node: str
    leaks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.role} {self.route.method} {self.route.path} of {self.node}: {'; '.join(self.leaks)}"


async def cases(city: City, routes: tuple[Route[Services], ...]) -> AsyncIterator[Case]:
    """All of them."""
    for route in routes:
        for role in Role:
            for node in NODES:
                yield Case(role, route, node, tuple([leak async for leak in _leaks(city, route, role, node)]))


def seen_of(role: Role, permission: Permission) -> tuple[str, ...]:
    """Which nodes a role of `own` sees, by the rules alone."""
    if not identity(role).granted(permission) or role.value.endswith("administrator"):
        return ()
    return ("own",) if role is Role.PARTNER else ("own", "child")


async def _leaks(city: City, route: Route[Services], role: Role, node: str) -> AsyncIterator[str]:
    permission, asks = ASKS[route.method, route.path]
    permission = getattr(route, "permission", permission)
    who = identity(role)
    services = city.services.seen_by(who, permission)
    seen = seen_of(role, permission)
    ids = city.events[node], city.bills[node], city.moves[node]
    if route.path in _OPERATED and operates_everywhere(who):
        return
    if permission is Permission.AUDIT and audits_everywhere(who):
        return
    for ask, never in zip(asks(node, ids), asks("nobody", _NEVER), strict=True):
        found = await answer(services, route, ask, who)
        for leak in _foreign(found, seen, ask):
            yield f"{ask}: {leak}"
        # One that is not seen is answered for as one that is not.
        unknown = await answer(services, route, never, who)
        if node not in seen and _as_nobody(found, node, ids) != _as_nobody(unknown, node, ids):
            yield f"{ask}: {found} is not {unknown}"


def _as_nobody(found: str, node: str, ids: tuple[int, int, int]) -> str:
    text = found.replace(f"{node}-", "nobody-") if "site" not in found[:5] else found
    text = text.replace("parent-office", "nobody-office") if node == "parent" else text
    for one, never in zip(ids, _NEVER, strict=True):
        text = re.sub(rf"\b(event|bill|stock_move) {one}\b", rf"\g<1> {never}", text)
    return text


def _foreign(found: str, seen: tuple[str, ...], ask: Ask) -> Iterator[str]:
    """Names of others but for those that the question itself gave, and figures of others."""
    given = json.dumps(ask, default=str)
    hidden = [n for n in (*NODES, "shared") if n not in seen]
    text = found
    for name in _NAMED if seen else ():
        text = text.replace(json.dumps(name, ensure_ascii=False), '""')
    for match in re.finditer(rf"\b(?:{'|'.join(hidden)})-[\w-]+", text):
        if match[0] not in given:
            yield f"names {match[0]} in {found[:2000]}"
    for number in re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])", text):
        if round(float(number), 6) in _FIGURES:
            yield f"tells {number} in {found[:2000]}"


def _cells(book: Download) -> str:
    """What stands in the cells of a workbook, as JSON."""
    sheets = load_workbook(BytesIO(book.content), read_only=True).worksheets
    return json.dumps([list(row) for sheet in sheets for row in sheet.iter_rows(values_only=True)], ensure_ascii=False)


async def answer(services: Services, route: Route[Services], ask: Ask, who: Identity) -> str:
    """What is answered, as it travels; or the error as its status and sentence."""
    query, body = ask
    given: list[Any] = [msgspec.convert(query, route.query)]
    if route.body is not None:
        given.append(msgspec.convert(body, route.body))
    if route.visits:
        given.append(Visit(who, Origin("127.0.0.1")))
    try:
        told = await route.handler(services, *given)
        return _cells(told) if isinstance(told, Download) else msgspec.json.encode(told).decode()
    except RequestError as error:
        return f"{error.status} {error}"
    except EnergyError as error:
        return f"{type(error).__name__} {error}"
