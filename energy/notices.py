"""What is told to somebody by a channel, and what the channel said to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one person. `id` is the same whenever it is sent again; `link` is empty where there is none."""

    id: str
    address: str
    title: str
    text: str
    link: str = ""

    @property
    def whole(self) -> str:
        """Title, text and link as one text."""
        return "\n".join(part for part in (self.title, self.text, self.link) if part)


class Outcome(StrEnum):
    """What became of a notice by the word of the channel itself."""

    # The channel says that it has taken it.
    SENT = "sent"
    # Not now: too many, or no answer. It is asked again.
    LATER = "later"
    # The channel refuses it, and would again.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome, the channel's own words, and after how long it may be asked again."""

    outcome: Outcome
    answer: str = ""
    after_s: float | None = None
