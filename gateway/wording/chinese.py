"""Sentences of what is wrong in Chinese: found by the template that they were made of (decision 042).

A value that was put in may be a sentence or a word of the field itself, and is told in Chinese then too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from gateway.api.words import TextWords
from gateway.wording import files, libraries, lines, measured, reported, requests
from gateway.wording.terms import TERMS

SENTENCES: dict[str, str] = {
    **requests.SENTENCES,
    **measured.SENTENCES,
    **reported.SENTENCES,
    **files.SENTENCES,
    **lines.SENTENCES,
    **lines.SYSTEM,
    **libraries.SENTENCES,
}
# Longer than anything that is said of a fault; more would be somebody's way to keep a process busy.
_LONGEST = 2_000
_QUOTED = re.compile(r"'([^']*)'")
# Three English words in a row that nobody quoted.
_PROSE = re.compile(r"(?<![“\w])[a-z]{2,} [a-z]{2,} [a-z]{2,}")
# Beside Chinese marks of quotation there is no space.
_SPACED = re.compile(r"(?<=[\u4e00-\u9fff]) (?=“)|(?<=”) (?=[\u4e00-\u9fff])")
_KEY = re.compile(r"[\w.\[\]]+")


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Templates as expressions; those that say most come first, so that the vaguest is taken last."""
    said = sorted(SENTENCES.items(), key=lambda item: -len(item[0].replace("{}", "")))
    return [(_pattern(english), chinese) for english, chinese in said]


def _pattern(english: str) -> re.Pattern[str]:
    """A value goes as far as its line, or as the accents it stands in."""
    text = re.escape(english).replace(r"`\{\}`", "`([^`]+)`").replace(r"\{\}", "(.*?)")
    return re.compile(text)


@lru_cache(4_096)
def in_chinese(sentence: str) -> str | None:
    """The Chinese of a sentence; None where it is no sentence that is known.

    >>> in_chinese("meter 'east' is not known")
    '表计“east”不存在'
    """
    if len(sentence) > _LONGEST:
        return None
    whole = (_filled(sentence, strict) for strict in (True, False))
    return next(whole) or next(_parted(sentence), None) or next(whole)


def said(sentence: str, before: str = "") -> TextWords:
    """A sentence in both languages; where its Chinese is not known, in English behind `before`."""
    return TextWords(in_chinese(sentence) or f"{before}{sentence}", sentence)


def _filled(sentence: str, strict: bool) -> str | None:
    """By the template that fits; `strict` takes no English sentence for a value, nor what stands before a colon."""
    for pattern, chinese in _patterns():
        if (match := pattern.fullmatch(sentence)) is not None:
            values = [_value(text) for text in match.groups()]
            placed = any(": " in text for text in match.groups()[:-1])
            if not strict or not (placed or any(map(_PROSE.search, values))):
                return _SPACED.sub("", chinese.format(*values))
    return None


def _parted(sentence: str) -> Iterator[str]:
    """A sentence of several: line by line, one behind the other, or with the place of the fault before it."""
    for between, joint in (("\n", "\n"), ("; ", "；")):
        parts = sentence.split(between)
        told = [in_chinese(part) for part in parts] if len(parts) > 1 else [None]
        if all(told):
            yield joint.join(filter(None, told))
    at = sentence.find(": ")
    if at > 0 and (rest := in_chinese(sentence[at + 2 :])) is not None:
        yield f"{_value(sentence[:at])}：{rest}"
    key, _, rest_of = sentence.partition(" ")
    if rest_of and _KEY.fullmatch(key) and (rest := in_chinese(rest_of)) is not None:
        yield f"{TERMS.get(key, key)} {rest}"


def _value(text: str) -> str:
    if (word := TERMS.get(text)) is not None:
        return word
    kind, _, name = text.partition(" ")
    if name.startswith("'") and name.endswith("'") and kind in TERMS:
        return f"{TERMS[kind]}{_value(name)}"
    told = in_chinese(text) if " " in text else None
    return told if told is not None else _QUOTED.sub(r"“\1”", text)
