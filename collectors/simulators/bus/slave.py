"""What a meter on a bus is, whatever it speaks."""

from __future__ import annotations

from random import Random
from typing import Protocol

from collectors.simulators.bus.misbehaviour import Misbehaviour


class Slave(Protocol):
    """A meter: bytes in, bytes out. It knows no time; when it speaks is the bus's affair."""

    @property
    def name(self) -> str:
        """Whom the log calls it: `unit 7`, `meter 000123456789`."""

    @property
    def unit(self) -> int:
        """By what number misbehaviours name it."""

    def answer(self, burst: bytes) -> bytes | None:
        """What it says to the bytes that came between two silences; None where they are not for it or make no sense."""

    def twisted(self, misbehaviour: Misbehaviour, request: bytes, reply: bytes, chance: Random) -> bytes:
        """Its reply as a meter says it that has a misbehaviour of its protocol: a whole frame with a right checksum.

        The reply itself where its protocol has no such thing.
        """

    def reboot(self) -> None:
        """Begin anew, counters at 0."""
