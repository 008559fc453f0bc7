"""Chinese fonts of this machine that a PDF can carry a part of: those with TrueType outlines.

Noto CJK and other fonts with PostScript outlines cannot be embedded by reportlab and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from reportlab.pdfbase.ttfonts import TTFError, TTFont

FOLDERS = (
    Path("/usr/local/share/fonts"),
    Path("/usr/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path("C:/Windows/Fonts"),
)
# 宋体 and 仿宋 are what such papers are set in; the others are free, and each is a package of Debian.
NAMES = (
    "simsun.ttc",
    "simsun.ttf",
    "simfang.ttf",
    "uming.ttc",
    "gbsn00lp.ttf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
)


def font_for(text: Iterable[str], folders: tuple[Path, ...] = FOLDERS) -> TTFont | None:
    """The first font that has every letter of a text; None where this machine has none."""
    letters = {ord(letter) for letter in set(text) if letter >= " "}
    return next((font for font in _fonts(folders) if letters <= font.face.charToGlyph.keys()), None)


@cache
def _fonts(folders: tuple[Path, ...]) -> tuple[TTFont, ...]:
    """Read once: a font of all Chinese letters takes a second."""
    return tuple(font for path in _found(folders) if (font := _opened(path)) is not None)


def _found(folders: tuple[Path, ...]) -> Iterator[Path]:
    there = {path.name.lower(): path for folder in reversed(folders) for path in sorted(folder.rglob("*.tt[cf]"))}
    yield from (there[name.lower()] for name in NAMES if name.lower() in there)


def _opened(path: Path) -> TTFont | None:
    try:
        return TTFont(f"paper-{path.stem}", str(path), subfontIndex=0)
    except (TTFError, OSError):
        # What is no TrueType font after all, or may not be read, is none of ours.
        return None
