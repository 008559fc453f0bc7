"""OpenAPI 3.1, generated from the routes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from gateway.access.roles import Permission
from gateway.api.idempotency import KEY, takes_key
from gateway.api.problems import READING, WRITING, Problem, title_of
from gateway.api.route import Route
from gateway.api.words import Download

_IDEMPOTENCY = {
    "name": KEY,
    "in": "header",
    "required": False,
    "description": "Sent again with the same key and body, a request is not done again, and answered as before.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_ENTRANCES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of an account, narrowed to its scopes."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "jieneng",
        "description": "Who is signed in; behind TLS it is called __Host-jieneng. A POST needs X-CSRF-Token with it.",
    },
}
_BINARY = {"type": "string", "format": "binary"}
_TEMPLATE = "#/components/schemas/{name}"


def openapi(routes: Sequence[Route[Any]], pushed: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """The description of the API; `pushed` are the messages of the WebSocket `/api/v1/live`."""
    answers: list[type] = [route.answer for route in routes if not issubclass(route.answer, Download)]
    bodies: list[type] = [route.body for route in routes if route.body is not None]
    types: list[type] = [*answers, *bodies, *pushed, Problem]
    # Parameters bring their own named types, such as enumerations.
    asked: list[Any] = [field.type for route in routes for field in msgspec.structs.fields(route.query)]
    schemas, components = msgspec.json.schema_components([*types, *asked], ref_template=_TEMPLATE)
    of_type: dict[Any, Any] = dict(zip([*types, *asked], schemas, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jieneng 节能",
            "version": version("jieneng"),
            "description": "Times are integer milliseconds since the epoch, UTC. Points are written METER:QUANTITY.",
        },
        "paths": {
            **_paths(routes, of_type),
            "/api/v1/live": {"get": _live([of_type[p] for p in pushed])},
        },
        "components": {
            "schemas": components,
            "responses": _problems(of_type[Problem]),
            "securitySchemes": _ENTRANCES,
        },
    }


def _paths(routes: Sequence[Route[Any]], of_type: dict[Any, Any]) -> dict[str, dict[str, Any]]:
    """What can be done at each path, by method."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, of_type)
    return paths


def _operation(route: Route[Any], of_type: dict[Any, Any]) -> dict[str, Any]:
    schema = of_type.get(route.body) if route.body is not None else None
    content: dict[str, Any] = {"application/json": {"schema": schema}} if schema else {}
    if route.file is not None:
        content = {kind: {"schema": _file(kind)} for kind in route.file.most}
    body = {"requestBody": {"required": True, "content": content}} if content else {}
    return {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "x-permission": route.permission.value,
        "security": _entrance(route.permission),
        "parameters": [
            *(_parameter(route.path, field, of_type) for field in msgspec.structs.fields(route.query)),
            *([_IDEMPOTENCY] if route.method == "POST" and takes_key(route.path) else []),
        ],
        **body,
        "responses": {
            "200": {"description": "OK", "content": _content(route.answer, of_type)},
            **({"304": {"description": "As it was: If-None-Match named it"}} if _conditional(route) else {}),
            **_wrong(READING if route.method == "GET" else WRITING),
        },
    }


def _file(media_type: str) -> dict[str, str]:
    if media_type.endswith("/json"):
        return {}
    return {"type": "object"} if media_type.endswith("/yaml") else _BINARY


def _conditional(route: Route[Any]) -> bool:
    return route.method == "GET" and not issubclass(route.answer, Download)


def _content(answer: type[msgspec.Struct], of_type: dict[Any, Any]) -> dict[str, Any]:
    """A file that comes in several forms has a class for each."""
    if issubclass(answer, Download):
        return {form.media_type: {"schema": _file(form.media_type)} for form in answer.__subclasses__() or [answer]}
    return {"application/json": {"schema": of_type[answer]}}


def _entrance(permission: Permission) -> list[dict[str, list[str]]]:
    """How one may come in; what is a person's own needs that person, not a token."""
    if permission is Permission.OPEN:
        return []
    return [{"session": []}] if permission is Permission.OWN else [{"token": []}, {"session": []}]


def _wrong(statuses: Sequence[int]) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/problem{status}"} for status in statuses}


def _problems(schema: dict[str, Any]) -> dict[str, Any]:
    """A response for each status of a problem."""
    again = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    return {
        f"problem{status}": {
            "description": title_of(status),
            **({"headers": again} if status == 429 else {}),
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in sorted({*READING, *WRITING})
    }


def _parameter(path: str, field: msgspec.structs.FieldInfo, of_type: dict[Any, Any]) -> dict[str, Any]:
    in_path = "{" + field.encode_name + "}" in path
    required = in_path or field.required
    return {
        "name": field.encode_name,
        "in": "path" if in_path else "query",
        "required": required,
        "schema": of_type[field.type],
    }


def _live(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "operationId": "live",
        "summary": "A WebSocket. Send {subscribe: [POINT, ...], overview: true}; it replaces what was asked before.",
        "responses": {
            "101": {
                "description": "Messages, each an object with `type`",
                "content": {"application/json": {"schema": {"oneOf": messages}}},
            },
            **_wrong(READING),
        },
    }
