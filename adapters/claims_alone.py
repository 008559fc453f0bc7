"""The claims of a process that is the only one: it holds all there is."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import structlog

from energy.errors import EnergyError
from energy.ports import Handover

log = structlog.get_logger()

_AGAIN_S = 1.0


class ClaimsAlone:
    """Fulfils `Claims`."""

    def __init__(self, name: str = "gateway") -> None:
        self._name = name
        self._parts: dict[str, frozenset[int]] = {}
        self._lost: dict[str, Handover | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        return self._name

    def take_part(self, kind: str, count: int, *, gained: Handover | None = None, lost: Handover | None = None) -> None:
        numbers = frozenset(range(count))
        self._lost[kind] = lost
        if gained is None:
            self._parts[kind] = numbers
            return
        task = asyncio.ensure_future(self._gain(kind, numbers, gained))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gain(self, kind: str, numbers: frozenset[int], gained: Handover) -> None:
        while True:
            try:
                await gained(numbers)
                break
            except EnergyError as error:
                log.error("claims.not_taken_up", kind=kind, numbers=len(numbers), cause=str(error))
                await asyncio.sleep(_AGAIN_S)
        self._parts[kind] = numbers

    async def close(self) -> None:
        """Let go of all."""
        for task in self._tasks:
            task.cancel()
        for kind, numbers in self._parts.items():
            if (lost := self._lost[kind]) is not None:
                await lost(numbers)
        self._parts.clear()

    def held(self, kind: str, number: int = 0) -> bool:
        return number in self._parts.get(kind, ())

    @contextmanager
    def work(self, kind: str, numbers: Collection[int]) -> Iterator[frozenset[int]]:
        yield self._parts.get(kind, frozenset()) & frozenset(numbers)

    def holder(self, kind: str, number: int = 0) -> str | None:
        return self._name if self.held(kind, number) else None

    def members(self, kind: str) -> Sequence[str]:
        return [self._name] if kind in self._lost else []
