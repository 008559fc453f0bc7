"""Ids and names: what a thing is called by programs, and by people in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Ids stand in topics, addresses and file names: nothing that means something there.
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


def check_id(what: str, text: str) -> None:
    """Refuse an id that could not stand in a topic, an address or a file name.

    >>> check_id("meter", "a/b")
    Traceback (most recent call last):
    ValueError: meter id 'a/b' may hold letters, digits, '-', '_' and '.', 64 at most, and begins with a letter or digit
    """
    if not re.fullmatch(ID_PATTERN, text):
        raise ValueError(
            f"{what} id {text!r} may hold letters, digits, '-', '_' and '.', 64 at most, "
            "and begins with a letter or digit"
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A name as officers say it and as engineers say it."""

    zh: str
    en: str
