"""Over HTTP: each party confirms for itself, a partner sees its own contract, files come as they were frozen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from analytics.contracts.settlement import verify
from gateway.access.door import Door, Origin, Visit, remember
from gateway.access.roles import Grant, Identity, Role
from gateway.app import application
from tests.gateway.access.city import City
from tests.gateway.access.city import city as made


class As(Door):
    """Whoever is named by a header of the request."""

    required = True
    who = {
        "client": Identity("wang", (Grant(Role.APPROVER, "own-office"),)),
        "esco": Identity("zhao", (Grant(Role.PARTNER, meters=("own-main",)),)),
        "other": Identity("qian", (Grant(Role.PARTNER, meters=("foreign-main",)),)),
        "reader": Identity("sun", (Grant(Role.READER, "own-office"),)),
    }

    async def identify(self, request: Any) -> Identity:
        visit = Visit(self.who[request.headers["As"]], Origin("127.0.0.1"))
        remember(request, visit)
        return visit.identity

    def leave(self, visit: Visit, response: Any) -> None: ...

    async def is_still(self, request: Any) -> bool:
        return True


@asynccontextmanager
async def _served(city: City) -> AsyncIterator[Any]:
    async with TestClient(TestServer(application(replace(city.services, door=As())))) as client:
        yield client


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[tuple[Any, City]]:
    async with made(tmp_path) as city, _served(city) as client:

        async def ask(who: str, path: str, body: Any = None) -> tuple[int, Any]:
            headers = {"As": who}
            if body is None:
                answer = await client.get(f"/api/v1/{path}", headers=headers)
            else:
                answer = await client.post(f"/api/v1/{path}", json=body, headers=headers)
            is_json = answer.content_type in ("application/json", "application/problem+json")
            return answer.status, await (answer.json() if is_json and "file" not in path else answer.read())

        yield ask, city


def _step(city: City, kind: str, party: str, line: str = "") -> dict[str, Any]:
    return {
        "statement": city.statements["own"],
        "kind": kind,
        "party": party,
        "line": line,
        "who": "x",
        "why": "because",
    }


async def test_each_party_confirms_for_itself_alone(asked: tuple[Any, City]) -> None:
    ask, city = asked

    status, refused = await ask("esco", "statements/step", _step(city, "confirmed", "client"))
    assert (status, refused["detail"]) == (403, "you speak for esco of this contract, not for the client")
    assert (await ask("client", "statements/step", _step(city, "confirmed", "esco")))[0] == 403
    assert (await ask("reader", "statements/step", _step(city, "confirmed", "client")))[0] == 403

    status, told = await ask("esco", "statements/step", _step(city, "confirmed", "esco"))
    assert (status, told["head"]["state"], told["confirmed_by"]) == (200, "confirmed_by_one", ["esco"])
    # Whatever name the body gives: who is signed in has done it.
    assert told["steps"][0]["who"] == "zhao"
    status, told = await ask("client", "statements/step", _step(city, "disputed", "client", "savings.1"))
    assert (told["undisputed"], told["lines"][0]["disputed_by"]) == ("0.00", ["client"])
    assert (await ask("client", "statements/step", _step(city, "reversed", "client")))[0] == 400


async def test_a_partner_sees_its_own_contract_and_no_other(asked: tuple[Any, City]) -> None:
    ask, city = asked

    _, own = await ask("esco", "contracts")
    assert [c["id"] for c in own["contracts"]] == ["own-contract"]
    _, told = await ask("esco", f"statements/{city.statements['own']}")
    assert told["speaks_for"] == ["esco"]
    foreign = city.statements["foreign"]
    status, unknown = await ask("esco", f"statements/{foreign}")
    assert (status, unknown["detail"]) == (404, f"statement {foreign} is not known")
    for kind in ("json", "pdf", "xlsx"):
        assert (await ask("esco", f"statements/{foreign}/file?format={kind}"))[0] == 404
    assert (await ask("other", "contracts/own-contract"))[0] == 404


async def test_a_partner_approves_nothing(asked: tuple[Any, City]) -> None:
    ask, city = asked
    days = {"contract": "own-contract", "from": "2026-02-01", "to": "2026-03-01"}

    assert (await ask("esco", "statements/draft", days))[0] == 403
    assert (await ask("esco", "statements/freeze", {**days, "who": "x"}))[0] == 403
    reversal = {"statement": city.statements["own"], "who": "x", "why": "y"}
    assert (await ask("esco", "statements/reverse", reversal))[0] == 403
    assert (await ask("client", "statements/reverse", reversal))[0] == 200


async def test_the_file_comes_as_it_was_frozen(asked: tuple[Any, City]) -> None:
    ask, city = asked

    status, raw = await ask("reader", f"statements/{city.statements['own']}/file")

    assert status == 200
    assert verify(raw).faults == []
    assert (await ask("reader", f"statements/{city.statements['own']}/file?format=pdf"))[1].startswith(b"%PDF")
    assert (await ask("reader", f"statements/{city.statements['own']}/file?format=xlsx"))[1].startswith(b"PK")


async def test_a_baseline_is_previewed_with_its_days_and_frozen(asked: tuple[Any, City]) -> None:
    ask, _ = asked
    wanted = {
        "contract": "own-contract",
        "clause": "savings",
        "from": "2026-01-01",
        "to": "2026-02-01",
        "method": "daily",
    }

    status, refused = await ask("client", "baselines/preview", wanted)
    assert (status, "only 0 days have both an amount and a temperature" in refused["detail"]) == (400, True)
    agreed = {**wanted, "method": "agreed", "per_day": "72.5"}
    status, told = await ask("client", "baselines/freeze", {"asked": agreed, "who": "x", "why": "both signed"})
    assert (status, told["baseline"]["version"], told["baseline"]["segments"][0]["base"]) == (200, 2, "72.500000")
    _, contract = await ask("client", "contracts/own-contract")
    assert [(b["baseline"]["version"], b["who"]) for b in contract["baselines"]] == [(1, "own-clerk"), (2, "wang")]
