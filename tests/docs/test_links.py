"""What the documentation points to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, named, prose

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower().replace("`", "")).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), f"{named(page)} points out of the repository: {link}"
        assert target.exists(), f"{named(page)}: no {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{named(page)}: no heading for {link}"


def test_every_page_of_docs_is_reached_from_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(index))}

    missing = [named(p) for p in (ROOT / "docs").rglob("*.md") if p != index and p.resolve() not in reached]
    assert missing == []
