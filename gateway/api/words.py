"""What answers of several subjects share."""

from __future__ import annotations

import msgspec

from energy.sites import Text


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
