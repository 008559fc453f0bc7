"""Plans beside every other plan there is on small maps, and beside rules of thumb on the maps of real meters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from collectors.meter_profile import Part, Profile, Register, Table, WordOrder, load_profile, profile_ids
from collectors.planner import Block, RequestCost, plan, total_cost_s

MAPS, SEED = 400, 6
COSTS = (RequestCost.rtu(9600), RequestCost.rtu(2400, bits_per_character=11), RequestCost.tcp())
Span = tuple[Table, int, int]


def cost_over_optimal() -> float:
    """The dearest plan of the random small maps over the cheapest there is for the same map; 1 is the best possible."""
    chance = random.Random(SEED)
    worst = 1.0
    for i in range(MAPS):
        registers = [_register(chance) for _ in range(chance.randint(1, 7))]
        holes = [(Table.HOLDING, chance.randrange(40)) for _ in range(chance.randint(0, 3))]
        cost, most = COSTS[i % len(COSTS)], chance.choice((4, 8, 20, 125))
        planned = total_cost_s(plan(registers, cost, max_registers=most, forbidden=holes), cost)
        worst = max(worst, planned / cheapest_s([_span(r) for r in registers], cost, most, holes))
    return worst


def _register(chance: random.Random) -> Register:
    of_type = chance.choice(("uint16", "uint32", "bcd48", "float64"))
    return Register("x", (Part(Table.HOLDING, chance.randrange(36), of_type, WordOrder.ABCD, Fraction(1)),))


def _span(register: Register) -> Span:
    parts = register.parts
    return parts[0].table, min(p.address for p in parts), max(p.address + p.length for p in parts)


def cheapest_s(spans: Sequence[Span], cost: RequestCost, most: int, holes: Sequence[tuple[Table, int]]) -> float:
    """The cheapest way to divide values into requests, all ways tried; a value's own registers are no hole."""
    own = {(t, a) for t, start, end in spans for a in range(start, end)}
    barred = [hole for hole in holes if hole not in own]
    best = float("inf")
    for groups in _partitions(list(spans)):
        blocks = [
            Block(g[0][0], min(s for _, s, _ in g), max(e for *_, e in g) - min(s for _, s, _ in g)) for g in groups
        ]
        if all(b.count <= most and not any(b.address <= a < b.end for _, a in barred) for b in blocks):
            best = min(best, total_cost_s(blocks, cost))
    return best


def _partitions(things: list[Span]) -> Iterator[list[list[Span]]]:
    if not things:
        yield []
        return
    for groups in _partitions(things[1:]):
        yield [[things[0]], *groups]
        for i in range(len(groups)):
            yield [*groups[:i], [things[0], *groups[i]], *groups[i + 1 :]]


# -- real maps --------------------------------------------------------------------------------------------------------


def of_profiles() -> dict[str, Any]:
    """For each profile at 9600 8N1: the plan's cost over that of the best rule of thumb, at most 1."""
    cost = COSTS[0]
    found: dict[str, Any] = {}
    for name in profile_ids():
        profile = load_profile(name)
        planned = total_cost_s(plan(profile.registers, cost, max_registers=profile.max_registers), cost)
        rules = [total_cost_s(rule(profile), cost) for rule in RULES.values()]
        found[f"plan_over_best_rule_{name}"] = round(planned / min(rules), 4)
        found[f"plan_requests_s_{name}"] = round(planned, 3)
    return found


def greedy(profile: Profile, gap: int) -> list[Block]:
    """From the lowest address on, as far as holes are no longer than `gap` and the meter returns so much at once."""
    blocks: list[Block] = []
    for table, start, end in sorted((_span(r) for r in profile.registers), key=lambda s: (s[0].value, s[1], s[2])):
        last = blocks[-1] if blocks else None
        joins = last is not None and last.table is table and start - last.end <= gap
        if joins and last is not None and max(end, last.end) - last.address <= profile.max_registers:
            blocks[-1] = Block(table, last.address, max(end, last.end) - last.address)
        else:
            blocks.append(Block(table, start, end - start))
    return blocks


def one_by_one(profile: Profile) -> list[Block]:
    return [Block(table, start, end - start) for table, start, end in (_span(r) for r in profile.registers)]


RULES: dict[str, Callable[[Profile], list[Block]]] = {
    "contiguous": partial(greedy, gap=0),
    "gap of 16": partial(greedy, gap=16),
    "gap of 50": partial(greedy, gap=50),
    "one by one": one_by_one,
}
