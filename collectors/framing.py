"""How an answer is found among all that came: echoes, waking bytes and the frames of others are passed over.

Of what belongs to nobody less than a frame may stand before an answer. More of it may have been the answer itself,
broken on its way, and the whole frame behind it an older one that the meter said again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from collectors.lines.question import Answered, Declined, More, NotTheAnswer, Verdict

WAKING_BYTE = 0xFE


class Candidate(Protocol):
    """What may be a frame from some byte on."""

    @property
    def lacking(self) -> int:
        """How many bytes of it have not come."""

    @property
    def size(self) -> int:
        """How many bytes it takes, where it is a whole frame with a right checksum; else 0."""


C = TypeVar("C", bound=Candidate)


def judged(
    received: bytes,
    echo: bytes,
    candidate: Callable[[bytes], C | None],
    verdict: Callable[[C], Answered | Declined | NotTheAnswer | None],
    *,
    shortest: int,
    enough: int,
) -> Verdict:
    """What the bytes are that came since a request.

    echo : the request without its waking bytes. candidate : what may begin here. verdict : what it is to the question,
    None where it is somebody else's affair. shortest : bytes of the shortest frame. enough : more bytes than an answer
    with all that may come before it.
    """
    at = stray = 0
    lacking: list[int] = []
    while at < len(received):
        if received[at] == WAKING_BYTE:
            at += 1
            continue
        if received.startswith(echo, at):
            at += len(echo)
            continue
        found = candidate(received[at:])
        if found is not None and found.lacking:
            lacking.append(found.lacking)
        elif found is not None:
            said = verdict(found)
            if said is not None:
                return said if stray < shortest else NotTheAnswer(f"{stray} bytes of nobody came before an answer")
            if found.size:
                at += found.size
                continue
        at += 1
        stray += 1
    if len(received) > enough:
        return NotTheAnswer(f"{len(received)} bytes without an answer")
    return More(min(lacking, default=shortest))
