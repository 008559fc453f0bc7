"""The pages of the documentation, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "web").glob("*.md")])

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code; `info` is what stands behind the opening fence: its language and our own mark."""

    info: str
    text: str


def named(page: Path) -> str:
    """A page as it is called in test names."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, info: str | None = None) -> list[Block]:
    """The blocks of code of a page, or those with this info alone."""
    found = [Block(m["info"].strip(), m["text"]) for m in _FENCE.finditer(page.read_text(encoding="utf-8"))]
    return [block for block in found if info is None or block.info == info]


def block(page: Path, info: str) -> str:
    """The one block with this info."""
    found = blocks(page, info)
    assert len(found) == 1, f"{named(page)} has {len(found)} blocks ```{info}"
    return found[0].text


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def inline_code(page: Path) -> Iterator[str]:
    """The pieces of code within sentences."""
    yield from _INLINE.findall(prose(page))
