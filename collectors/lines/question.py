"""What is asked on a wire, in whatever protocol: the bytes that go out, and what is made of those that come back.

A line knows silence, time and hush, a question one protocol; Modbus, DL/T 645 and CJ/T 188 differ only here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# The station of a question that any meter on the wire may answer.
ANYONE = "any station"


@dataclass(frozen=True, slots=True)
class More:
    """What came so far may become the answer; it lacks `at_least` bytes, 1 where that is not known yet."""

    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to what was asked, without its frame."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Declined:
    """The meter asked says why it does not answer: the code of its protocol."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class NotTheAnswer:
    """What came can never become the answer; why."""

    reason: str


Verdict = More | Answered | Declined | NotTheAnswer


class Question(Protocol):
    """A request to one meter, and how its answer is told from anything else."""

    @property
    def station(self) -> str:
        """Whom it is put to, as logs and learnt times name it: `unit 7`, `meter 000123456789`; ANYONE, if it is nobody.

        A late answer is kept from the next question to the same station alone: questions that one frame could answer
        must be of one station.
        """

    @property
    def request(self) -> bytes:
        """The bytes that go out."""

    @property
    def answer_length(self) -> int:
        """How many bytes the answer has, at most; what the wire needs for them follows."""

    def judge(self, received: bytes) -> Verdict:
        """What the bytes are that came since the request, echoes and preambles included. Pure; never raises."""
