"""The pages on the API, the audit log and security show calls that are understood, and name what is there."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from gateway.api.problems import _TITLES, Problem
from gateway.api.route import is_list
from gateway.app import ROUTES
from gateway.audit.chain import Action
from gateway.audit.verify import COLUMNS
from tests.docs.pages import ROOT, block, blocks

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


def test_problems_are_told_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = msgspec.json.decode(block(PAGE, "json problem"), type=Problem, strict=True)

    assert shown.text == _TITLES[shown.status]
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
