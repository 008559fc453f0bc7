"""What the matrix asks of services is asked of a gateway too, by a filler who is signed in: over the wire nothing
foreign comes either, and the answers are those that are described."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
import schemathesis

from gateway.access.roles import Permission
from gateway.api.route import Route
from gateway.app import ROUTES
from gateway.services import Services
from tests.gateway.access.asks import ASKS
from tests.gateway.access.city import NODES
from tests.gateway.access.matrix import NEVER, foreign_in, unpacked
from tests.gateway.fuzzing.served import Served, served, wire


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("asked")) as there:
        yield there


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with wire() as opened:
        yield opened


@pytest.fixture(scope="module")
def described(gateway: Served, session: requests.Session) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(session.get(f"{gateway.url}/api/v1/openapi.json", timeout=120).json())


DATA = [r for r in ROUTES if r.permission not in (Permission.OPEN, Permission.OWN)]


@pytest.mark.parametrize("route", DATA, ids=[f"{r.method} {r.path}" for r in DATA])
@pytest.mark.parametrize("by_token", [False, True], ids=["session", "token"])
def test_nothing_foreign_comes_over_the_wire(
    gateway: Served,
    session: requests.Session,
    described: schemathesis.BaseSchema,
    route: Route[Services],
    by_token: bool,
) -> None:
    method, path = route.method, route.path
    headers = gateway.token("filler") if by_token else gateway.session("filler")
    wrong = []
    for node in NODES:
        for query, body in ASKS[method, path][1](node, NEVER):
            url = gateway.url + path.format(**query)
            params = {k: v if isinstance(v, list) else _text(v) for k, v in query.items() if f"{{{k}}}" not in path}
            answer = session.request(method, url, params=params, json=body, headers=headers, timeout=120)
            described[path][method].validate_response(answer)
            wrong += [*foreign_in(unpacked(answer.content), ("own", "child"), (query, body))]

    assert wrong == []


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
