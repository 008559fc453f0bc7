"""The page for operators names all that they can meet."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
SOURCES = [
    path.read_text(encoding="utf-8")
    for package in ("adapters", "collectors", "edge", "gateway", "jieneng")
    for path in sorted((ROOT / package).rglob("*.py"))
]


def found_in_sources(pattern: str) -> set[str]:
    return {name for source in SOURCES for name in re.findall(pattern, source)}


def test_every_event_of_the_logs_is_told() -> None:
    events = found_in_sources(r'log\.(?:info|warning|error|exception)\(\s*"([a-z]+\.[a-z_]+)"')

    assert "meter.silent" in events
    assert sorted(event for event in events if f"`{event}`" not in PAGE) == []


def test_every_problem_is_told_with_what_to_do() -> None:
    kinds = found_in_sources(r'(?:OngoingProblem|Trouble)\(\s*"([a-z]+\.[a-z_]+)"')

    assert "store.failing" in kinds
    assert sorted(kind for kind in kinds if f"\n| `{kind}` |" not in PAGE) == []
