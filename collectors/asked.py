"""What is asked of a meter each time it is read, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from collectors.decoder import BlockPlan, Decoded
from collectors.lines.line import Line, Reply
from collectors.packed_decimal import NoNumber, Unmeasured, unpacked
from collectors.planner import RequestCost, total_cost_s
from energy.readings import Quality, Reason

Now = Callable[[], datetime]


class Asked(Protocol):
    """One thing that is asked of a meter by its address, and how its answer is understood."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is asked for, as it is called at this meter."""

    @property
    def lengths(self) -> tuple[int, int]:
        """Bytes of the question and of its answer."""

    async def ask(self, line: Line) -> Reply:
        """The answer of the meter; a LineError says why there is none."""

    def decode(self, payload: bytes) -> Sequence[Decoded]:
        """What the payload of that answer says; ValueError where it cannot be of this answer."""


# What is asked of a meter: a block of Modbus registers, or whatever another protocol asks for.
Plan = BlockPlan | Asked


async def ask(plan: Plan, line: Line, unit: int) -> Reply:
    """The answer to what is asked of a meter; a LineError says why there is none. Only Modbus needs the unit."""
    return await line.read(unit, plan.block) if isinstance(plan, BlockPlan) else await plan.ask(line)


def cost_s(plan: Plan, cost: RequestCost) -> float:
    """What it takes of the time of a serial line whose requests of RTU cost so much [s]."""
    if isinstance(plan, BlockPlan):
        return total_cost_s([plan.block], cost)
    # RTU's own bytes, 8 of the request and 5 of the answer, are in the fixed cost already; a register is two bytes.
    return cost.fixed_s + cost.per_register_s * max(0, sum(plan.lengths) - 13) / 2


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
