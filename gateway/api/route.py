"""How a route is declared: typed query in, typed answer out, described once; OpenAPI comes out of the same words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Concatenate, Generic, Literal, Protocol, Self, TypeVar, get_args, get_origin
from urllib.parse import quote

import msgspec
from aiohttp import web

from gateway.access.door import NOBODY, Door, Visit, admitted, marked
from gateway.access.roles import Identity, Permission
from gateway.api.bodies import body_of, must_be_ours, read_in_time
from gateway.api.idempotency import Replays
from gateway.api.problems import RequestError
from gateway.api.uploads import Taken, Upload, received
from gateway.api.words import Download, TextWords


class Guarded(Protocol):
    """What routes work with stands behind a door, and shows each only what is his."""

    @property
    def door(self) -> Door: ...

    def seen_by(self, identity: Identity, permission: Permission, /) -> Self: ...


S = TypeVar("S", bound=Guarded)
_WHO = TextWords("请填写登记人：此处未启用账户", "Say `who` enters this: accounts are off here")


class NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A route that takes no query."""


@dataclass(frozen=True, slots=True)
class Route(Generic[S]):
    """GET `path` is answered by `handler(services, query)`, POST by `handler(services, query, body)`; both typed.
    A POST that takes a file is given it in place of the body.

    permission : what who asks must hold; it is looked at before anything of the request is read.
    visits : the handler is given the visit too, as its last argument.
    """

    path: str
    summary: str
    permission: Permission
    query: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    handler: Callable[Concatenate[S, ...], Awaitable[msgspec.Struct]]
    method: Literal["GET", "POST"] = "GET"
    body: type[msgspec.Struct] | None = None
    visits: bool = False
    file: Taken | None = None

    def __post_init__(self) -> None:
        if [self.body, self.file].count(None) != (1 if self.method == "POST" else 2):
            raise ValueError(f"{self.method} {self.path}: POST takes a body or a file, GET none")

    def bound(self, services: S, replays: Replays | None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler for aiohttp; keys are looked at where there are `replays`."""
        encode = msgspec.json.Encoder().encode

        async def done(request: web.Request, visit: Visit, upload: Upload | None = None) -> web.Response:
            given: list[Any] = [_query(request, self.query)]
            if upload is not None:
                given.append(upload)
            if self.body is not None:
                given.append(_signed(await body_of(request, self.body), visit, services.door))
            if self.visits:
                given.append(visit)
            answer = await self.handler(services.seen_by(visit.identity, self.permission), *given)
            response = _response(answer, encode)
            services.door.leave(visit, response)
            return response

        async def respond(request: web.Request) -> web.StreamResponse:
            visit = await admitted(services.door, request, self.permission)
            # A local door knows everybody by one name: they are told apart by whence they come.
            who = visit.identity if services.door.required else NOBODY
            address = visit.origin.address
            if self.file is not None:
                must_be_ours(request, self.file.most)
                async with received(request, self.file) as upload:
                    do = partial(done, request, visit, upload)
                    return await (do() if replays is None else replays.once(request, who, address, do, upload.digest))
            do = partial(done, request, visit)
            if self.body is not None:
                must_be_ours(request)
                await read_in_time(request)
            return await (do() if replays is None else replays.once(request, who, address, do))

        return marked(self.permission, respond)


def _response(answer: msgspec.Struct, encode: Callable[[msgspec.Struct], bytes]) -> web.Response:
    if isinstance(answer, Download):
        return _file(answer)
    return web.Response(body=encode(answer), content_type="application/json", charset="utf-8")


def register(app: web.Application, routes: Sequence[Route[S]], services: S, replays: Replays | None = None) -> None:
    """Add the routes to the application; without `replays` what is asked again is done again, key or not."""
    for route in routes:
        app.router.add_route(route.method, route.path, route.bound(services, replays))


def _file(answer: Download) -> web.Response:
    """To be saved, under a name that may be Chinese (RFC 5987); nobody between keeps it."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-._ ") else "_" for c in answer.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(answer.name, safe='')}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return web.Response(body=answer.content, content_type=answer.media_type, headers=headers)


def _signed(body: msgspec.Struct, visit: Visit, door: Door) -> msgspec.Struct:
    """What is entered is entered by who is signed in, whatever name the body gives."""
    if "who" not in body.__struct_fields__:
        return body
    if door.required:
        return msgspec.structs.replace(body, who=visit.identity.account)
    given: Any = body
    if not given.who.strip():
        raise RequestError(_WHO.en, 400, _WHO)
    return body


def _query(request: web.Request, words: type[msgspec.Struct]) -> msgspec.Struct:
    given: dict[str, Any] = dict(request.match_info)
    for field in msgspec.structs.fields(words):
        if field.encode_name in request.query:
            values = request.query.getall(field.encode_name)
            given[field.encode_name] = values if is_list(field.type) else values[-1]
    unknown = set(request.query) - {f.encode_name for f in msgspec.structs.fields(words)}
    if unknown:
        known = ", ".join(f.encode_name for f in msgspec.structs.fields(words)) or "none"
        raise RequestError(f"query {', '.join(sorted(unknown))} is not known; known are {known}")
    try:
        return msgspec.convert(given, words, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(str(error)) from error


def is_list(annotation: Any) -> bool:
    """Whether a query field may be repeated."""
    if get_origin(annotation) is Annotated:
        return is_list(get_args(annotation)[0])
    return get_origin(annotation) is list
