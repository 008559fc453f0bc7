"""What was done to which request, so that whoever asked can be compared with what was truly said."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """A request and what became of it.

    at : when it ended, on the bus's clock. slave : who was asked; None where nobody felt addressed. answer : what an
    honest meter would have said; None where it was out of order. said : all that was put on the wire for it.
    did : the misbehaviours that took part.
    """

    at: float
    slave: str | None
    request: bytes
    answer: bytes | None
    said: bytes
    did: tuple[str, ...]

    def as_json(self) -> str:
        return json.dumps(
            {
                "at": round(self.at, 6),
                "slave": self.slave,
                "request": self.request.hex(" "),
                "answer": None if self.answer is None else self.answer.hex(" "),
                "said": self.said.hex(" "),
                "did": list(self.did),
            }
        )


class ServedLog:
    """Keeps the newest, counts all; `told` is given each as it happens."""

    def __init__(self, *, keep: int = 100_000, told: Callable[[Served], None] | None = None) -> None:
        self.newest: deque[Served] = deque(maxlen=keep)
        self.asked: Counter[str | None] = Counter()
        self.did: Counter[tuple[str, str]] = Counter()
        self._told = told

    def add(self, served: Served) -> None:
        self.newest.append(served)
        self.asked[served.slave] += 1
        if served.slave is not None:
            self.did.update((served.slave, kind) for kind in served.did)
        if self._told is not None:
            self._told(served)

    def of(self, slave: str) -> list[Served]:
        """What a meter was asked, oldest first."""
        return [s for s in self.newest if s.slave == slave]

    def counts(self, slaves: Iterable[str]) -> list[tuple[str, int, dict[str, int]]]:
        """By meter: how often it was asked, and how often it did what."""
        return [
            (name, self.asked[name], {kind: n for (of, kind), n in sorted(self.did.items()) if of == name})
            for name in slaves
        ]
