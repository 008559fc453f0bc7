"""What answers of several subjects share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from energy.sites import Text

QualityWord = Literal["good", "uncertain", "bad"]
MeterStateWord = Literal["reporting", "late", "silent", "unknown"]
EdgeStateWord = Literal["online", "offline"]
# Who enters something. Where people sign in it is their account, whatever is said; elsewhere it must be said.
Who = Annotated[str, msgspec.Meta(max_length=200)]
# A name that has to be given, and a remark that may be.
Said = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]


class TextWords(msgspec.Struct):
    """A text in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> TextWords:
        return cls(text.zh, text.en)


class Download(msgspec.Struct):
    """A file, in place of JSON: it is sent as it is, to be saved under this name."""

    name: str
    content: bytes
    media_type: ClassVar[str] = "application/octet-stream"


class OngoingProblem(msgspec.Struct):
    """Something that is wrong now, since when, and what it means, in a sentence."""

    kind: str
    subject: str
    since: int
    text: TextWords
