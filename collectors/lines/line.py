"""What every line promises, whatever wire it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from collectors.planner import Block, RequestCost
from energy.errors import LineError


class NoAnswer(LineError):
    """Nothing came within the time that the meter has."""


class Refused(LineError):
    """The meter answered with a Modbus exception."""

    WORDS = {
        1: "illegal function",
        2: "illegal data address",
        3: "illegal data value",
        4: "device failure",
        5: "acknowledge",
        6: "device busy",
        10: "gateway path unavailable",
        11: "gateway target does not respond",
    }

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}: {self.WORDS.get(code, 'not defined by the standard')}")
        self.code = code


class Untrusted(LineError):
    """Something came that is no answer to what was asked."""


class Unreachable(LineError):
    """There is no connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The registers of a block as they travelled, 2 bytes each, and the midpoint of request and reply."""

    payload: bytes
    taken_at: datetime
    took_s: float


class Line(Protocol):
    """A wire to meters."""

    cost: RequestCost

    async def read(self, unit: int, block: Block) -> Reply:
        """The registers of a block at a unit; a LineError says why there are none. Never a wrong answer."""

    async def close(self) -> None:
        """Let go of the wire."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
