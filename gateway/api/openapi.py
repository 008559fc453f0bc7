"""OpenAPI 3.1, generated from the routes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from gateway.api.problems import Problem
from gateway.api.route import Route

_TEMPLATE = "#/components/schemas/{name}"


def openapi(routes: Sequence[Route[Any]], pushed: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """The description of the API; `pushed` are the messages of the WebSocket `/api/v1/live`."""
    answers: list[type] = [route.answer for route in routes]
    types: list[type] = [*answers, *pushed, Problem]
    schemas, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    of_answer: dict[type, Any] = dict(zip(types, schemas, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jieneng 节能",
            "version": version("jieneng"),
            "description": "Times are integer milliseconds since the epoch, UTC. Points are written METER:QUANTITY.",
        },
        "paths": {
            **{route.path: {"get": _operation(route, of_answer)} for route in routes},
            "/api/v1/live": {"get": _live([of_answer[p] for p in pushed])},
        },
        "components": {"schemas": components},
    }


def _operation(route: Route[Any], of_answer: dict[type, Any]) -> dict[str, Any]:
    return {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "parameters": [_parameter(route.path, field) for field in msgspec.structs.fields(route.query)],
        "responses": {
            "200": {"description": "OK", "content": {"application/json": {"schema": of_answer[route.answer]}}},
            "default": {
                "description": "What went wrong",
                "content": {"application/problem+json": {"schema": of_answer[Problem]}},
            },
        },
    }


def _parameter(path: str, field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    in_path = "{" + field.encode_name + "}" in path
    required = in_path or field.required
    return {
        "name": field.encode_name,
        "in": "path" if in_path else "query",
        "required": required,
        "schema": msgspec.json.schema(field.type),
    }


def _live(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "operationId": "live",
        "summary": "A WebSocket. Send {subscribe: [POINT, ...], overview: true}; it replaces what was asked before.",
        "responses": {
            "101": {
                "description": "Messages, each an object with `type`",
                "content": {"application/json": {"schema": {"oneOf": messages}}},
            }
        },
    }
