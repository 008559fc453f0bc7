"""What a role is to its process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol

from energy.ports import Bus, Message
from gateway.api.words import OngoingProblem

# What is done for ever once it is called.
Task = Callable[[], Coroutine[Any, Any, None]]


class Role(Protocol):
    """One of the things that a gateway process is there for."""

    @property
    def subscriptions(self) -> Sequence[str]:
        """The topics whose messages it is to be given."""

    @property
    def will(self) -> Message | None:
        """What the broker says when the process is gone without a word."""

    def connected(self) -> None:
        """The broker was reached, or reached again."""

    def problems(self) -> Iterable[OngoingProblem]:
        """What is wrong with what it does."""

    async def begin(self, bus: Bus, stack: AsyncExitStack) -> Sequence[Task]:
        """What is to be done for ever, now that there is a bus; what must be ended goes into `stack`."""
