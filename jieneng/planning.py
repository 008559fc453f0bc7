"""How a meter would be read: its requests, what each costs on the line, and what other ways would cost."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collectors.decoder import Installed, installed_registers
from collectors.meter_profile import Profile, Register
from collectors.planner import Block, RequestCost, by_rules_of_thumb, plan, total_cost_s
from collectors.rates import TimedBlock, cost_per_s, plan_rates
from energy.quantities import Kind, quantity
from energy.sites import Meter


class BlockWords(msgspec.Struct):
    """A request: `bytes` asked and answered on the wire, `ms` on the line, every so many seconds."""

    table: str
    address: int
    registers: int
    quantities: list[str]
    bytes: int
    ms: float
    every_s: float


class OtherWords(msgspec.Struct):
    """Another way to read the same values in one cycle."""

    way: str
    requests: int
    ms: float


class PlanAnswer(msgspec.Struct):
    """A plan with its cost, as the edge reads: each rate by itself.

    break_even : the greatest hole that is worth reading over, in registers. together_share : the share of the line's
    time where slow values ride in faster requests when that is cheaper.
    """

    profile: str
    line: str
    fixed_ms: float
    register_ms: float
    break_even: float
    blocks: list[BlockWords]
    cycle_ms: float
    line_share: float
    together_share: float
    others: list[OtherWords]


def plan_meter(
    meter: Meter,
    profile: Profile,
    cost: RequestCost,
    line: str,
    *,
    frame_bytes: int,
    counters_every_s: float | None = None,
) -> PlanAnswer:
    """The plan of a meter, read at its interval; its counters at another where one is given.

    frame_bytes : the bytes of a request and its reply beside the registers, 13 with RTU, 21 with Modbus TCP.
    """
    installed = installed_registers(meter, profile)
    wanted = _wanted(meter, installed, counters_every_s)
    timed = [
        TimedBlock(every_s, block)
        for every_s, registers in sorted(wanted.items())
        for block in plan(registers, cost, max_registers=profile.max_registers)
    ]
    together = plan_rates(wanted, cost, max_registers=profile.max_registers)
    registers = [i.register for i in installed]
    others = by_rules_of_thumb(registers, profile.max_registers)
    cheapest = plan(registers, cost, max_registers=profile.max_registers)
    return PlanAnswer(
        profile.id,
        line,
        _ms(cost.fixed_s),
        _ms(cost.per_register_s),
        round(cost.break_even, 1),
        [_words(each, timed, installed, cost, frame_bytes) for each in timed],
        _ms(total_cost_s([each.block for each in timed], cost)),
        cost_per_s(timed, cost),
        cost_per_s(together, cost),
        [
            OtherWords(way, len(blocks), _ms(total_cost_s(blocks, cost)))
            for way, blocks in {"all in one cycle, as planned": cheapest, **others}.items()
        ],
    )


def _wanted(
    meter: Meter, installed: Sequence[Installed], counters_every_s: float | None
) -> dict[float, list[Register]]:
    """The registers by the seconds between their readings."""
    wanted: dict[float, list[Register]] = {}
    for name, _, register in installed:
        is_counter = quantity(name).kind is Kind.COUNTER
        own_s = meter.rates.get(name, meter.interval_s)
        wanted.setdefault(counters_every_s if is_counter and counters_every_s else own_s, []).append(register)
    return wanted


def _words(
    timed: TimedBlock, all_of_them: Sequence[TimedBlock], installed: Sequence[Installed], cost: RequestCost, frame: int
) -> BlockWords:
    block = timed.block
    before = [each.block for each in all_of_them[: all_of_them.index(timed)]]
    names = [i.quantity for i in installed if _holds(block, i) and not any(_holds(b, i) for b in before)]
    return BlockWords(
        block.table,
        block.address,
        block.count,
        names,
        frame + 2 * block.count,
        _ms(cost.of(block.count)),
        timed.every_s,
    )


def _holds(block: Block, installed: Installed) -> bool:
    return all(block.holds(piece) for piece in installed.register.pieces)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
