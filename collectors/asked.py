"""What is asked of a meter each time it is read, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from collectors.decoder import BlockPlan, Decoded
from collectors.lines.line import Line, Reply
from collectors.packed_decimal import NoNumber, Unmeasured, unpacked
from energy.readings import Quality, Reason

Now = Callable[[], datetime]


class Asked(Protocol):
    """One thing that is asked of a meter, and how its answer is understood."""

    async def ask(self, line: Line) -> Reply:
        """The answer of the meter; a LineError says why there is none."""

    def decode(self, payload: bytes) -> Sequence[Decoded]:
        """What the payload of that answer says; ValueError where it cannot be of this answer."""


@dataclass(frozen=True, slots=True)
class BlockAsked:
    """A block of Modbus registers at a unit."""

    unit: int
    plan: BlockPlan

    async def ask(self, line: Line) -> Reply:
        return await line.read(self.unit, self.plan.block)

    def decode(self, payload: bytes) -> Sequence[Decoded]:
        return self.plan.decode(payload)


def number(name: str, raw: bytes, scale: Fraction, *, signed: bool, turned: bool) -> Decoded:
    """A number of packed digits in the unit of its quantity, rounded once; bad where it is none.

    turned : the meter is built in backwards, and counts what we take away.
    """
    try:
        whole = unpacked(raw, signed=signed)
    except Unmeasured:
        return Decoded(name, None, Quality.BAD, Reason.SENTINEL)
    except NoNumber:
        return Decoded(name, None, Quality.BAD, Reason.NOT_A_NUMBER)
    value = whole * scale.numerator / scale.denominator
    return Decoded(name, -value if turned and value else value, Quality.GOOD, Reason.NONE)
