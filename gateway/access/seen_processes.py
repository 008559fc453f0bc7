"""Processes of the gateway for who does not operate all of it."""

from __future__ import annotations

from gateway.process.others import Processes
from gateway.process.words import ProcessWords


class ClosedProcesses(Processes):
    """Tells of none. Nothing of the base is set."""

    def __init__(self) -> None:
        pass

    def all(self) -> list[ProcessWords]:
        return []


CLOSED_PROCESSES = ClosedProcesses()
