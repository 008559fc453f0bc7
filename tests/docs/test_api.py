"""The pages on the API, the audit log and security show calls that are understood, and name what is there."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp.test_utils import TestServer

from adapters.clocks import SystemClock
from adapters.quarantine_sqlite import SqliteQuarantine
from gateway.access.door import LocalDoor
from gateway.accounts.secrecy import Seal
from gateway.accounts.service import Accounts
from gateway.api.problems import _TITLES, Problem
from gateway.api.route import is_list
from gateway.app import ROUTES, application
from gateway.audit.chain import Action
from gateway.audit.verify import COLUMNS
from gateway.edges.service import Edges
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.records.database import open_records
from gateway.sites.service import Directory
from gateway.wording.chinese import said
from jieneng.composition import load_installed
from tests.databases import new_records
from tests.docs.pages import ROOT, block, blocks
from tests.gateway.ledger.books import books
from tests.gateway.opened import opened

PAGE, AUDIT, SECURITY = (ROOT / "docs" / name for name in ("api.md", "audit.md", "security.md"))
CALLS = [b.text.replace("\\\n", " ") for b in blocks(PAGE, "sh")]


def test_five_calls_are_shown() -> None:
    assert len(CALLS) == 5


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_shown_is_understood(call: str) -> None:
    words = shlex.split(call)
    address = urlsplit(next(word for word in words if word.startswith("http")))
    method = "POST" if "-d" in words else "GET"
    route = next(r for r in ROUTES if (r.method, r.path) == (method, address.path))
    lists = {f.encode_name for f in msgspec.structs.fields(route.query) if is_list(f.type)}
    asked = {name: given if name in lists else given[-1] for name, given in parse_qs(address.query).items()}

    assert set(asked) <= {f.encode_name for f in msgspec.structs.fields(route.query)}
    msgspec.convert(asked, route.query, strict=False)
    if route.body is not None:
        msgspec.json.decode(words[words.index("-d") + 1], type=route.body)
        assert "Content-Type: application/json" in words


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The gateway of the demo, without its meters."""
    site, clock, metrics = load_installed(ROOT / "config" / "demo.yaml").site, SystemClock(), Metrics()
    async with open_records(new_records(tmp_path / "records.sqlite")) as records, books(site) as (kept, store):
        directory, edges = Directory(site), Edges(clock)
        present, hub = Present(store, directory, edges, clock), Hub(clock, metrics)
        frame = clock, store, SqliteQuarantine(":memory:"), directory, edges, present, hub, metrics
        accounts = Accounts(records, clock, Seal(bytes(32)))
        services = opened(frame, records, kept, accounts, LocalDoor())
        async with TestServer(application(services)) as server:
            assert server.port is not None
            yield server.port


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_calls_work_as_they_are_written(port: int) -> None:
    for call in CALLS:
        asked = call.replace("127.0.0.1:8080", f"127.0.0.1:{port}").strip() + ' -w "\\n%{http_code}"'
        run = await asyncio.create_subprocess_shell(asked, stdout=asyncio.subprocess.PIPE)
        told, _ = await run.communicate()
        answer, _, status = told.decode().rpartition("\n")
        assert status == "200", (call, answer)
        assert isinstance(msgspec.json.decode(answer), dict)


def test_problems_are_told_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = msgspec.json.decode(block(PAGE, "json problem"), type=Problem, strict=True)

    assert (shown.title, shown.text) == (_TITLES[shown.status].en, said(shown.detail))
    assert [s for s, title in _TITLES.items() if f"\n| {s} | {title.zh} |" not in text and s != 405] == []


def test_every_action_and_field_of_the_log_is_told() -> None:
    text = AUDIT.read_text(encoding="utf-8")

    assert [action for action in Action if f"\n| `{action}` |" not in text] == []
    assert [column for column in COLUMNS if f"`{column}`" not in text] == []


def test_what_the_map_of_controls_names_is_there() -> None:
    table = [line for line in SECURITY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    paths = set(re.findall(r"`((?:gateway|tests|web|adapters)/[\w./-]+)`", "\n".join(table)))
    tests = set(re.findall(r"`(test_\w+)`", "\n".join(table)))
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py"))

    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert [name for name in sorted(tests) if f"def {name}(" not in sources] == []
    assert {line.split(" | ")[1] for line in table[2:]} <= {"there", "part", "no"}
