"""Every route, asked by every role about what is its own, above, below and beside it: what leaks."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import msgspec
from pypdf import PdfReader

from energy.errors import EnergyError
from gateway.access.door import Origin, Visit
from gateway.access.roles import SEPARATE, Identity, Permission, Role
from gateway.access.sight import audits_everywhere, operates_everywhere
from gateway.api.problems import RequestError
from gateway.api.route import Route
from gateway.api.uploads import Upload
from gateway.api.words import Download
from gateway.services import Services
from tests.gateway.access.asks import ALARMS, ASKS, Ask
from tests.gateway.access.city import NODES, City, Entered, identity

NEVER = Entered(*range(999_999, 999_999 - len(Entered._fields), -1))
# Another address each time: nobody is told to wait for what others have tried.
_ADDRESSES = count()
_KINDS = ("event", "bill", "stock_move", "token", "grant", "finding", "quota", "statement", "contract_adjustment")
_OPERATED = (
    *("/api/v1/edges", "/api/v1/edges/{edge}", "/api/v1/backup/copy", "/api/v1/quarantine"),
    *("/api/v1/alarm-rules", "/api/v1/alarm-rules/check"),
    *("/api/v1/alarm-messages", "/api/v1/alarm-messages/test"),
    *("/api/v1/duty", "/api/v1/duty/check", "/api/v1/duty/swap"),
)
# The name of who stands above is told, in the tree alone.
_NAMED = {"organisation/parent-office", "parent-office名", "parent-office name"}
_HOURS = (24, 31 * 24)
# What nobody of `own` may read, in an hour: of foreign and parent their meters, and what their offices use in all.
_FIGURES = {round(use * hours, 6) for use in (11, 7, 11 + 18, 7 + 3 + 5 + 6, 24, 18) for hours in _HOURS} | {
    11.011,
    7.007,
}
# What the hidden office uses, and what would be left of `own` and those above it without it.
_OF_SECRET = {round(use * hours, 6) for use in (0.7, 0.7 * 0.25, 0.7 * 0.75, 3 - 0.7) for hours in _HOURS}
_OF_SECRET |= {round((of - 0.7) * hours, 6) for of in (3 + 6, 3 + 5 + 6, 7 + 3 + 5 + 6) for hours in _HOURS}
_OF_SECRET |= {0.7007}


@dataclass(frozen=True, slots=True)
class Case:
    """A role that asks a route about a node, and what is wrong with the answer: nothing, if all is well."""

    role: Role
    route: Route[Services]
    node: str
    leaks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.role} {self.route.method} {self.route.path} of {self.node}: {'; '.join(self.leaks)}"


async def cases(
    city: City, routes: tuple[Route[Services], ...], roles: Iterable[Role] = tuple(Role)
) -> AsyncIterator[Case]:
    """All of them, or those of some roles: of `own` about every node. What erases is asked last."""
    for route in sorted(routes, key=lambda route: route.path.endswith("/erase")):
        for role in roles:
            unknown: dict[str, str] = {}
            for node in NODES:
                leaks = [leak async for leak in _leaks(city, route, role, node, unknown)]
                yield Case(role, route, node, tuple(leaks))


async def cases_of_everything(
    city: City, routes: tuple[Route[Services], ...], roles: Iterable[Role] = tuple(Role)
) -> AsyncIterator[Case]:
    """Of roles of everything, or of some, about what is hidden from them."""
    for route in routes:
        for role in roles:
            leaks = [leak async for leak in _leaks(city, route, role, "secret", {}, everything=True)]
            yield Case(role, route, "secret", tuple(leaks))


def seen_of(role: Role, permission: Permission) -> tuple[str, ...]:
    """Which nodes a role of `own` sees, by the rules alone."""
    if not identity(role).granted(permission) or role.value.endswith("administrator"):
        return ()
    return ("own",) if role is Role.PARTNER else ("own", "child")


async def _leaks(
    city: City, route: Route[Services], role: Role, node: str, unknown: dict[str, str], *, everything: bool = False
) -> AsyncIterator[str]:
    """`unknown`: what this role was told of nobody by this route, which is the same whatever it is compared with."""
    permission, asks = ASKS[route.method, route.path]
    permission = getattr(route, "permission", permission)
    who = identity(role, None if everything else "own")
    services = city.services.seen_by(who, permission)
    seen = tuple(n for n in NODES if n != node) if everything else seen_of(role, permission)
    figures = _OF_SECRET if everything else _FIGURES | _OF_SECRET
    ids = city.entered(node)
    # The log and the edges are of the whole installation, with what is hidden in it; so are its administrators.
    of_all = role in SEPARATE or not everything
    if route.path in _OPERATED and operates_everywhere(who) and of_all:
        return
    if permission is Permission.AUDIT and audits_everywhere(who) and of_all:
        return
    if permission in (Permission.ADMINISTER_SECURITY, Permission.ADMINISTER_SYSTEM) and who.may(permission):
        return
    for ask, never in zip(asks(node, ids), asks("nobody", NEVER), strict=True):
        found = await answer(services, route, ask, who)
        for leak in foreign_in(found, seen, ask, figures):
            yield f"{ask}: {leak}"
        if ask == never or node in seen:
            continue
        # One that is not seen is answered for as one that is not.
        if str(never) not in unknown:
            unknown[str(never)] = await answer(services, route, never, who)
        told = unknown[str(never)]
        if _as_nobody(found, node, ids) != _as_nobody(told, node, ids):
            yield f"{ask}: {found} is not {told}"


def _as_nobody(found: str, node: str, ids: Entered) -> str:
    text = found.replace(f"{node}-", "nobody-") if "site" not in found[:5] else found
    text = text.replace("parent-office", "nobody-office") if node == "parent" else text
    text = re.sub(rf"\balarm {ALARMS[node]}\b", "alarm 999999", text) if node in ALARMS else text
    for kind, one, never in zip(_KINDS, ids, NEVER, strict=True):
        text = re.sub(rf"\b{kind} {one}\b", f"{kind} {never}", text)
    return re.sub(r"\bjn_[\w-]+", "a token", text)


def foreign_in(
    found: str, seen: tuple[str, ...], ask: Any, figures: Set[float] = _FIGURES | _OF_SECRET
) -> Iterator[str]:
    """Names of others but for those that the question itself gave, and figures of others."""
    given = json.dumps(ask, default=str)
    beside = () if "foreign" in seen else ("shared",)
    hidden = [n for n in (*NODES, *beside) if n not in seen]
    text = found
    for name in _NAMED if seen else ():
        text = text.replace(json.dumps(name, ensure_ascii=False), '""')
    for match in re.finditer(rf"\b(?:{'|'.join(hidden)})-[\w-]+", text):
        if match[0] not in given:
            yield f"names {match[0]} in {found[:2000]}"
    for number in re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])", text):
        if round(float(number), 6) in figures:
            yield f"tells {number} in {found[:2000]}"


def readable(answered: msgspec.Struct) -> str:
    """An answer as it travels; a file as what is in it."""
    if isinstance(answered, Download):
        return f"{answered.name} {unpacked(answered.content)}"
    return msgspec.json.encode(answered).decode()


@lru_cache(64)
def unpacked(content: bytes) -> str:
    """The text of an answer; of a workbook that of its sheets. The same paper is given to many who ask."""
    if content.startswith(b"%PDF"):
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if not content.startswith(b"PK"):
        return content.decode()
    with ZipFile(io.BytesIO(content)) as book:
        parts = [part for part in book.namelist() if part.startswith(("xl/worksheets/sheet", "xl/sharedStrings"))]
        return " ".join(book.read(part).decode() for part in parts)


async def answer(services: Services, route: Route[Services], ask: Ask, who: Identity) -> str:
    """What is answered, as it travels; or the error as its status and sentence."""
    if route.file is None:
        return await _answer(services, route, ask, who, None)
    with TemporaryDirectory() as folder:
        return await _answer(services, route, ask, who, Path(folder) / "upload")


async def _answer(services: Services, route: Route[Services], ask: Ask, who: Identity, file: Path | None) -> str:
    query, body = ask
    given: list[Any] = [msgspec.convert(query, route.query)]
    if route.body is not None:
        given.append(msgspec.convert(body, route.body))
    if file is not None and body is not None:
        content = body["file"].encode()
        file.write_bytes(content)
        given.append(Upload(file, "application/yaml", len(content), hashlib.sha256(content).digest()))
    if route.visits:
        given.append(Visit(who, Origin(f"10.0.{next(_ADDRESSES)}.1")))
    try:
        return readable(await route.handler(services, *given))
    except RequestError as error:
        return f"{error.status} {error}"
    except EnergyError as error:
        return f"{type(error).__name__} {error}"
