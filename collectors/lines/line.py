"""What every line promises, whatever wire it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from collectors.lines.modbus_pdu import exception_words
from collectors.lines.modbus_writing import Coils, Writing
from collectors.lines.question import Question
from collectors.planner import Block, RequestCost
from energy.errors import LineError


class NoAnswer(LineError):
    """Nothing came within the time that the meter has."""

    def __init__(self, text: str, *, again_in_s: float = 0.0) -> None:
        super().__init__(text)
        # Until then whoever asks the same station again waits: its answer may still be on the way.
        self.again_in_s = again_in_s


class Refused(LineError):
    """The meter answered that it will not: the code of its protocol, a Modbus exception unless a reason is given."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        super().__init__(f"exception {code}: {exception_words(code) if reason is None else reason}")
        self.code = code


class Untrusted(NoAnswer):
    """Something came that is no answer to what was asked."""


class Unreachable(LineError):
    """There is no connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered: a block's registers as they travelled, 2 bytes each; the midpoint of request and reply."""

    payload: bytes
    taken_at: datetime
    took_s: float


class Line(Protocol):
    """A wire to meters: one request in flight, whoever asks.

    `cost` is what a request costs on it with what has been learnt of its meters.
    """

    @property
    def cost(self) -> RequestCost: ...

    async def read(self, unit: int, block: Block) -> Reply:
        """The registers of a block at a unit; a LineError says why there are none. Never a wrong answer."""

    async def ask(self, question: Question) -> Reply:
        """The answer to a question of any protocol that the wire carries; a LineError says why there is none."""

    async def close(self) -> None:
        """Let go of the wire."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Closing(ABC):
    """A line of which the end of its block lets go."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the wire."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


@runtime_checkable
class WritableLine(Line, Protocol):
    """A line on which Modbus meters can be written to. What is written goes out once, whatever comes back."""

    async def read_coils(self, unit: int, coils: Coils) -> Reply:
        """Coils at a unit, the first in the lowest bit."""

    async def write(self, unit: int, writing: Writing) -> Reply:
        """Write once; the meter repeated it, or a LineError says what is known. Never asked again by itself."""
