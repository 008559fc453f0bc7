"""What answers of several subjects share."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from energy.sites import Text

QualityWord = Literal["good", "uncertain", "bad"]
MeterStateWord = Literal["reporting", "late", "silent", "unknown"]
EdgeStateWord = Literal["online", "offline"]
# Who enters something. Where people sign in it is their account, whatever is said; elsewhere it must be said.
Who = Annotated[str, msgspec.Meta(max_length=200)]


class TextWords(msgspec.Struct):
    """A text in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> TextWords:
        return cls(text.zh, text.en)


class OngoingProblem(msgspec.Struct):
    """Something that is wrong now, since when, and what it means, in a sentence."""

    kind: str
    subject: str
    since: int
    text: TextWords
