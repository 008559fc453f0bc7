"""How an answer is found among all that came: echoes, waking bytes and the frames of others are passed over.

Of what belongs to nobody less than a frame may stand before an answer. More of it may have been the answer itself,
broken on its way, and the whole frame behind it an older one that the meter said again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from collectors.lines.question import Answered, Declined, More, NotTheAnswer, Verdict

START, END = 0x68, 0x16
WAKING_BYTE = 0xFE
WAKING = bytes((WAKING_BYTE,)) * 4


class Candidate(Protocol):
    """What may be a frame from some byte on."""

    @property
    def lacking(self) -> int:
        """How many bytes of it have not come."""

    @property
    def size(self) -> int:
        """How many bytes it takes, where it is a whole frame with a right checksum; else 0."""


C = TypeVar("C", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Framing(Generic[C]):
    """How frames of a protocol are found.

    candidate : what may begin here. shortest : bytes of the shortest frame. enough : more bytes than an answer with all
    that may come before it.
    """

    candidate: Callable[[bytes], C | None]
    shortest: int
    enough: int

    def judged(
        self, received: bytes, request: bytes, verdict: Callable[[C], Answered | Declined | NotTheAnswer | None]
    ) -> Verdict:
        """What the bytes are that came since a request.

        verdict : what a candidate is to the question, None where it is somebody else's affair.
        """
        echo = request.removeprefix(WAKING)
        at = stray = 0
        lacking: list[int] = []
        while at < len(received):
            if received[at] == WAKING_BYTE:
                at += 1
                continue
            if received.startswith(echo, at):
                at += len(echo)
                continue
            found = self.candidate(received[at:])
            if found is not None and found.lacking:
                lacking.append(found.lacking)
            elif found is not None:
                said = verdict(found)
                if said is not None and stray >= self.shortest:
                    return NotTheAnswer(f"{stray} bytes of nobody came before an answer")
                if said is not None:
                    return said
                if found.size:
                    at += found.size
                    continue
            at += 1
            stray += 1
        if len(received) > self.enough:
            return NotTheAnswer(f"{len(received)} bytes without an answer")
        return More(min(lacking, default=self.shortest))


def fault_of(received: bytes, data_end: int) -> str:
    """What is wrong with a frame that came whole, by checksum and end behind its data; empty where nothing is."""
    total = sum(received[:data_end]) & 0xFF
    if received[data_end] != total:
        return f"its checksum is {received[data_end]:02X}, its bytes sum to {total:02X}"
    return "" if received[data_end + 1] == END else f"it ends in {received[data_end + 1]:02X}, not 16"
