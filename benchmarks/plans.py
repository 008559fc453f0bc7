"""Plans beside every plan there is and beside rules of thumb; understanding a reply of 100 registers."""

from __future__ import annotations

import random
import struct
import timeit
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from collectors.decoder import BlockPlan, compile_meter
from collectors.meter_profile import LENGTHS, Part, Profile, Register, Table, WordOrder, load_profile, profile_ids
from collectors.planner import RequestCost, by_rules_of_thumb, plan, total_cost_s
from energy.quantities import QUANTITIES, Medium
from energy.sites import Meter, Text

_MAPS, _LONGEST = 500, 20
_METER = Meter("meter", Text("表", "meter"), Medium.ELECTRICITY)
_LINE = RequestCost.serial(9600)


def run() -> dict[str, float | int]:
    """The figures."""
    return {**_plans(), **_decoding()}


def _plans() -> dict[str, float | int]:
    chance = random.Random(7)
    profiles = [load_profile(name) for name in profile_ids()]
    own = {p.id: total_cost_s(plan(p.registers, _LINE, max_registers=p.max_registers), _LINE) for p in profiles}
    others = [
        (way, total_cost_s(blocks, _LINE) / own[p.id])
        for p in profiles
        for way, blocks in by_rules_of_thumb(p.registers, p.max_registers).items()
    ]
    planned = timeit.repeat(
        lambda: [plan(p.registers, _LINE, max_registers=p.max_registers) for p in profiles], number=1
    )
    return {
        "plan_cost_over_optimal": max(_over_optimal(chance) for _ in range(_MAPS)),
        "one_per_value_over_planned": max(ratio for way, ratio in others if way == "one for each value"),
        "contiguous_over_planned": max(ratio for way, ratio in others if way == "contiguous"),
        "plan_ms_a_profile": 1000 * min(planned) / len(profiles),
    }


def _over_optimal(chance: random.Random) -> float:
    """The cost of the plan of a random map, over that of the best of all divisions into requests."""
    addresses = sorted(chance.sample(range(60), 9))
    wanted = [_register("active_power", a, "uint16") for a in addresses]
    cost = RequestCost(chance.choice([1.0, 5.0, 20.0]), 1.0)
    planned = total_cost_s(plan(wanted, cost, max_registers=_LONGEST), cost)
    return planned / min(_costs(addresses, cost))


def _costs(addresses: Sequence[int], cost: RequestCost) -> Iterator[float]:
    """What each division of ascending single registers into requests costs; those too long are none."""
    for cuts in range(2 ** (len(addresses) - 1)):
        edges = [0, *(i + 1 for i in range(len(addresses) - 1) if cuts >> i & 1), len(addresses)]
        spans = [addresses[end - 1] + 1 - addresses[start] for start, end in pairwise(edges)]
        if max(spans) <= _LONGEST:
            yield sum(cost.of(span) for span in spans)


def _decoding() -> dict[str, float]:
    return {
        f"decode_100_registers_us_{name}": _microseconds(_compiled(of_type, order, scale))
        for name, of_type, order, scale in (
            ("float32", "float32", WordOrder.ABCD, Fraction(1)),
            ("float32_cdab", "float32", WordOrder.CDAB, Fraction(1)),
            ("int32_scaled", "int32", WordOrder.ABCD, Fraction(1, 100)),
        )
    }


def _compiled(of_type: str, order: WordOrder, scale: Fraction) -> BlockPlan:
    length = LENGTHS[of_type]
    names = list(QUANTITIES)[: 100 // length]
    registers = tuple(_register(name, i * length, of_type, order, scale) for i, name in enumerate(names))
    profile = Profile("x/y", "x", "y", Medium.ELECTRICITY, ("benchmark",), (), 125, registers)
    [compiled] = compile_meter(_METER, profile, RequestCost.tcp())
    return compiled


def _register(
    name: str, address: int, of_type: str, order: WordOrder = WordOrder.ABCD, scale: Fraction = Fraction(1)
) -> Register:
    return Register(name, (Part(Table.HOLDING, address, of_type, order, scale),))


def _microseconds(compiled: BlockPlan) -> float:
    payload = struct.pack(f">{compiled.block.count}H", *([0x1234] * compiled.block.count))
    assert not compiled.values(payload).bad
    return min(timeit.repeat(lambda: compiled.values(payload), number=10_000, repeat=5)) * 100
