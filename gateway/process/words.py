"""What the processes of a gateway tell of themselves: to each other over the bus, and to people."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.api.words import OngoingProblem
from gateway.process.role_names import RoleName

ProcessStateWord = Literal["running", "silent", "gone"]


class ProcessState(msgspec.Struct, kw_only=True):
    """How a process is, retained at the broker; `gone` is its will.

    run : tells one run of a process from another. since : when it began; told_at : when it said this; both by its own
    clock [ms]. listen : where it answers over HTTP. key : stands for its key file, which all must have the same.
    ledger_waiting_s : how long the oldest reading waits to be worked in; of a process that keeps the ledger.
    """

    state: Literal["running", "gone"]
    run: str
    roles: list[RoleName]
    version: str
    since: int
    told_at: int
    listen: str
    key: str
    ledger_waiting_s: float | None = None
    problems: list[OngoingProblem] = []


class ProcessWords(msgspec.Struct):
    """A process of the gateway: what it is there for, and how it is.

    state : running; silent, since it has told nothing for a while; gone, without a good-bye. since : when it began to
    run, or when it was missed first. problems : how many things are wrong that it told of.
    """

    process: str
    state: ProcessStateWord
    roles: list[RoleName]
    version: str
    since: int
    listen: str
    ledger_waiting_s: float | None
    problems: int
    answers: bool
    """Whether it is the one that answers."""
