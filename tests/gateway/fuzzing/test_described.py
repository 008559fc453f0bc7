"""Whatever is sent, the gateway answers as it describes itself, never fails, and tells nothing of others.

Cases are made from the OpenAPI description by schemathesis: those at the edges of each parameter and body, right and
wrong, undeclared methods, then some by chance from a fixed seed. JIENENG_FUZZ=500 makes that many by chance for each
operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from energy.readings import to_ms
from gateway.access.roles import PERMITS, Permission, Role
from gateway.api.idempotency import KEY
from gateway.app import ROUTES
from gateway.sites.files import XLSX
from tests.gateway.access.city import ENERGY, FIRST, NODES
from tests.gateway.access.matrix import foreign_in, unpacked
from tests.gateway.fuzzing.served import Served, served, wire

# Who asks is told by us, not made up.
SETTINGS = {"generation": {"with-security-parameters": False, "database": "none"}}
# So many by chance for each operation, right and wrong ones each.
CHANCES = int(os.environ.get("JIENENG_FUZZ", "6"))
_AT_LENGTH = "JIENENG_FUZZ" in os.environ
load_all_checks()
schemathesis.serializer.alias(XLSX, "application/octet-stream")
# Not asked: that all that fits the description is accepted. It tells forms, not what there is and what contradicts.
NAMES = (
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
# GET of these is asked of a route with a name in its path, such as /periods/{month}.
SHADOWED = (
    *("/api/v1/periods/close", "/api/v1/periods/correct", "/api/v1/findings/decide"),
    *("/api/v1/quotas/preview", "/api/v1/quotas/withdraw", "/api/v1/statements/draft"),
    *("/api/v1/statements/freeze", "/api/v1/statements/step", "/api/v1/statements/reverse"),
)
WHO = ("nobody", "filler", "security_administrator")
# What may end the session of who asks: what is done with accounts, his own and others. Elsewhere a 401 says so.
ENDING = {r.path for r in ROUTES if r.permission in (Permission.OPEN, Permission.OWN, Permission.ADMINISTER_SECURITY)}


@pytest.fixture(scope="module", params=WHO)
def who(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def gateway(who: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A new one for each who asks: what one has done there, the other does not meet."""
    with served(tmp_path_factory.mktemp(who)) as there:
        yield there


_METERS = [f"{node}-{part}" for node in NODES for part in ("main", "sub")]
KNOWN: dict[str, list[Any]] = {
    "meter": _METERS,
    "point": [f"{meter}:{quantity}" for meter in _METERS for quantity in (ENERGY, "active_power", "voltage_l1")],
    "of": [
        f"{kind}-{node}-{end}".replace("-", "/", 1)
        for node in NODES
        for kind, end in (("meter", "main"), ("place", "place"), ("organisation", "office"))
    ]
    + ["site/court"],
    "account": [f"{node}-account" for node in NODES],
    "place": [f"{node}-place" for node in NODES],
    "organisation": [f"{node}-office" for node in NODES],
    "month": ["2026-01", "2026-02"],
    "id": [1, 2, 3, 4],
}


class Asker:
    """Asks as somebody, signs in again where that ended, and looks at every answer."""

    def __init__(self, gateway: Served, who: str) -> None:
        self._gateway, self._who = gateway, who
        self._session = wire()
        self._checks = [not_a_server_error, *CHECKS.get_by_names(NAMES)]
        self._headers: dict[str, str] = {}
        self.wrong: list[str] = []
        self.statuses: dict[int, int] = {}
        self._asked = 0
        self._looks_again = True

    def ask(self, case: Any) -> None:
        if self._who != "nobody" and self._looks_again and not self._is_in():
            self._headers = self._gateway.session(self._who)
        self._asked += 1
        if KEY in case.headers and case.headers[KEY].isalnum():
            case.headers[KEY] = f"{case.headers[KEY]}-{self._asked}"[-128:]  # not a repetition
        if (
            len(case.as_transport_kwargs(base_url=self._gateway.url)["url"]) > 8000
        ):  # the server itself refuses the line
            return
        answer = case.call(base_url=self._gateway.url, headers=self._headers, session=self._session)
        self._looks_again = answer.status_code == 401 or (case.method != "GET" and case.path in ENDING)
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        checks = [c for c in self._checks if case.path not in SHADOWED or c.__name__ != "unsupported_method"]
        asked = f"{answer.request.method} {answer.request.url} {answer.request.body!r}"
        try:
            case.validate_response(answer, checks=checks)
        except (Failure, FailureGroup) as failed:
            whole = failed.exceptions if isinstance(failed, FailureGroup) else (failed,)
            self.wrong += [f"{asked} {answer.status_code}: {one.title}: {one.message}" for one in whole]
        # Accounts and grants name organisations, and are told to nobody but their administration.
        if self._who != "security_administrator":
            seen = ("own", "child") if self._who == "filler" else ()
            names = foreign_in(unpacked(answer.content), seen, asked)
            self.wrong += [f"{asked}: {leak}" for leak in names if leak.startswith("names")]

    def _is_in(self) -> bool:
        if not self._headers:
            return False
        told = self._session.get(f"{self._gateway.url}/api/v1/session", headers=self._headers)
        return bool(told.json()["stage"] == "in" and not told.json()["must_change"])


@pytest.fixture(scope="module")
def described(gateway: Served) -> schemathesis.BaseSchema:
    with wire() as session:
        told = session.get(f"{gateway.url}/api/v1/openapi.json", timeout=120).json()
    return schemathesis.openapi.from_dict(told, config=SchemathesisConfig.from_dict(SETTINGS))


_MAY = {
    "nobody": {Permission.OPEN},
    **{who: {Permission.OPEN, Permission.OWN, *PERMITS[Role(who)]} for who in WHO if who != "nobody"},
}
REFUSED = {who: {(r.method, r.path) for r in ROUTES if r.permission not in may} for who, may in _MAY.items()}
_OF_REFUSED = 8
OPERATIONS = [*((r.method, r.path) for r in ROUTES), ("GET", "/api/v1/live")]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{m} {p}" for m, p in OPERATIONS])
def test_every_answer_is_one_that_was_described(
    gateway: Served, described: schemathesis.BaseSchema, who: str, method: str, path: str
) -> None:
    operation = described[path][method]
    asker = Asker(gateway, who)
    how = described.config.generation_for(operation=operation)
    cases = described.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=how)
    # Whatever is asked by who may not is refused before it is looked at: a few of them show it, the rest is for length.
    in_short = (method, path) in REFUSED[who] and not _AT_LENGTH
    for case in islice(cases, 0, _OF_REFUSED if in_short else None):
        asker.ask(case)
    if not in_short:
        _by_chance(operation, asker)

    assert asker.wrong == []
    assert sum(asker.statuses.values()) >= 2


def _by_chance(operation: APIOperation[Any, Any, Any, Any], asker: Asker) -> None:
    for mode in GenerationMode:

        @seed(20260301)
        @settings(
            max_examples=CHANCES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(mode), st.integers(0, 10**6))
        def ask(case: Any, number: int) -> None:
            if case.meta.generation.mode.is_positive:
                named(case.query, number)
                named(case.body, number)
            asker.ask(case)

        with suppress(Unsatisfiable):  # what asks for nothing cannot be asked wrongly
            ask()


def named(given_of: Any, number: int) -> None:
    """Put names that there are, own and foreign, where a name by chance would be of nothing."""
    if isinstance(given_of, dict):
        for key, value in given_of.items():
            if key in KNOWN and value:
                names = KNOWN[key]
                name = names[number % len(names)]
                given_of[key] = [name] if isinstance(value, list) else name
            elif key in ("from", "at", "to", "until") and isinstance(value, int):
                given_of[key] = (
                    to_ms(FIRST) + (number % 1000) * 3_600_000 + (86_400_000 if key in ("to", "until") else 0)
                )
            else:
                named(value, number + 1)
    elif isinstance(given_of, list):
        for value in given_of:
            named(value, number + 1)
