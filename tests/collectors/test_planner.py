"""Plans are the cheapest there are: against every other plan on small maps, against rules of thumb on real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.meter_profile import BITS, LENGTHS, Part, Profile, Register, Table, WordOrder, load_profile, profile_ids
from collectors.planner import Block, RequestCost, plan, total_cost_s

COSTS = {
    "tcp": RequestCost.tcp(),
    "rtu 2400 8E1": RequestCost.rtu(2400, bits_per_character=11),
    "rtu 9600 8N1": RequestCost.rtu(9600),
    "rtu 115200 8N1": RequestCost.rtu(115200),
}
PROFILES = [load_profile(name) for name in profile_ids()]


def register(*addresses: int, of_type: str = "uint16", table: Table = Table.HOLDING) -> Register:
    return Register("x", tuple(Part(table, a, of_type, WordOrder.ABCD, Fraction(1)) for a in addresses))


def span(of: Register) -> tuple[Table, int, int]:
    return of.parts[0].table, min(p.address for p in of.parts), max(p.address + p.length for p in of.parts)


# -- against every plan there is ------------------------------------------------------------------------------------


def partitions(things: Sequence[Register]) -> Iterator[list[list[Register]]]:
    """All ways to divide things into groups."""
    if not things:
        yield []
        return
    first, rest = things[0], things[1:]
    for groups in partitions(rest):
        yield [[first], *groups]
        for i in range(len(groups)):
            yield [*groups[:i], [first, *groups[i]], *groups[i + 1 :]]


def as_block(group: Sequence[Register]) -> Block | None:
    """The request that returns a group; None where no request does."""
    spans = [span(r) for r in group]
    if len({table for table, _, _ in spans}) > 1:
        return None
    start = min(s for _, s, _ in spans)
    return Block(spans[0][0], start, max(e for _, _, e in spans) - start)


def least_cost_s(
    wanted: Sequence[Register], cost: RequestCost, most: int, forbidden: Sequence[tuple[Table, int]]
) -> float:
    """The cost of the cheapest of all plans."""
    best = float("inf")
    for groups in partitions(wanted):
        blocks = [as_block(group) for group in groups]
        if all(
            b is not None and b.count <= most and not any(t is b.table and b.address <= a < b.end for t, a in forbidden)
            for b in blocks
        ):
            best = min(best, total_cost_s([b for b in blocks if b is not None], cost))
    return best


small_registers = st.builds(
    lambda addresses, of_type, table: register(*addresses, of_type=of_type, table=table),
    st.lists(st.integers(0, 24), min_size=1, max_size=2),
    st.sampled_from(["uint16", "uint32", "bcd48", "float64"]),
    st.sampled_from(list(Table)),
)
costs = st.builds(RequestCost, st.sampled_from([0.0, 1.0, 3.0, 10.0, 100.0]), st.sampled_from([0.0, 1.0, 2.0]))
holes = st.lists(st.tuples(st.sampled_from(list(Table)), st.integers(0, 30)), max_size=4)


@settings(max_examples=300)
@given(st.lists(small_registers, min_size=1, max_size=6), costs, st.integers(1, 30), holes)
# Two that overlap in part, and do not fit into one reply together.
@example([register(0, of_type="float64"), register(2, of_type="float64")], RequestCost(1, 1), 5, [])
# Two requests in which the overlap is read twice are cheaper than three.
@example(
    [register(0), register(1, 3), register(3, 5), register(6)],
    RequestCost(3, 1),
    5,
    [],
)
def test_no_plan_is_cheaper(
    wanted: list[Register], cost: RequestCost, most: int, forbidden: list[tuple[Table, int]]
) -> None:
    spans = [span(r) for r in wanted]
    # A wanted value is read wherever it lies; what is forbidden here lies beside all of them.
    forbidden = [(t, a) for t, a in forbidden if not any(t is s and low <= a < high for s, low, high in spans)]
    if any(high - low > most for _, low, high in spans):
        with pytest.raises(ValueError, match="one reply"):
            plan(wanted, cost, max_registers=most, forbidden=forbidden)
        return

    blocks = plan(wanted, cost, max_registers=most, forbidden=forbidden)

    assert total_cost_s(blocks, cost) == pytest.approx(least_cost_s(wanted, cost, most, forbidden), abs=1e-12)
    assert all(any(all(b.holds(p) for p in r.parts) for b in blocks) for r in wanted)
    assert all(b.count <= most for b in blocks)
    assert not any(t is b.table and b.address <= a < b.end for b in blocks for t, a in forbidden)


@given(st.lists(small_registers, min_size=1, max_size=8), costs)
def test_the_order_in_which_registers_are_named_changes_nothing(wanted: list[Register], cost: RequestCost) -> None:
    assert plan(wanted, cost) == plan(wanted[::-1], cost) == plan(wanted * 2, cost)


# -- against rules of thumb, on real meters --------------------------------------------------------------------------


def by_gap(profile: Profile, gap: int) -> list[Block]:
    """One request as long as no more than `gap` registers are unwanted between two values."""
    blocks: list[Block] = []
    for table, start, end in sorted(span(r) for r in profile.registers):
        last = blocks[-1] if blocks else None
        if (
            last is not None
            and last.table is table
            and start - last.end <= gap
            and max(end, last.end) - last.address <= profile.max_registers
        ):
            blocks[-1] = Block(table, last.address, max(end, last.end) - last.address)
        else:
            blocks.append(Block(table, start, end - start))
    return blocks


@pytest.mark.parametrize("line", COSTS)
@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.id)
def test_no_rule_of_thumb_is_cheaper_on_any_shipped_meter(profile: Profile, line: str) -> None:
    cost = COSTS[line]
    own_s = total_cost_s(plan(profile.registers, cost, max_registers=profile.max_registers), cost)

    one_per_value = [Block(*_counted(span(r))) for r in profile.registers]
    assert own_s <= total_cost_s(one_per_value, cost) + 1e-12
    for gap in (0, 16, 50):
        assert own_s <= total_cost_s(by_gap(profile, gap), cost) + 1e-12


def _counted(of: tuple[Table, int, int]) -> tuple[Table, int, int]:
    table, start, end = of
    return table, start, end - start


@pytest.mark.parametrize("line", COSTS)
@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.id)
def test_the_parts_of_a_value_always_come_from_one_reply(profile: Profile, line: str) -> None:
    blocks = plan(profile.registers, COSTS[line], max_registers=profile.max_registers)

    for wanted in profile.registers:
        assert any(all(b.holds(p) for p in wanted.parts) for b in blocks)
    assert all(b.count <= profile.max_registers for b in blocks)


@pytest.mark.parametrize("baud", [9600])
def test_a_full_sdm630_is_three_requests_at_9600_baud(baud: int) -> None:
    profile = load_profile("eastron/sdm630")

    blocks = plan(profile.registers, RequestCost.rtu(baud), max_registers=profile.max_registers)

    # 0..79 hold the instantaneous values and totals, 234..249 the distortion, 342..381 the energies of the phases.
    assert blocks == [
        Block(Table.INPUT, 0, 80),
        Block(Table.INPUT, 234, 16),
        Block(Table.INPUT, 342, 40),
    ]


# -- case by case ---------------------------------------------------------------------------------------------------


def test_a_hole_is_read_while_it_costs_less_than_another_request() -> None:
    cost = RequestCost(10, 1)

    assert plan([register(0), register(10)], cost) == [Block(Table.HOLDING, 0, 11)]
    assert plan([register(0), register(12)], cost) == [Block(Table.HOLDING, 0, 1), Block(Table.HOLDING, 12, 1)]


def test_a_forbidden_register_is_never_read_over() -> None:
    blocks = plan([register(0), register(2)], RequestCost(10, 1), forbidden=[(Table.HOLDING, 1)])

    assert blocks == [Block(Table.HOLDING, 0, 1), Block(Table.HOLDING, 2, 1)]


def test_a_forbidden_register_of_the_other_table_is_none_of_this_one() -> None:
    blocks = plan([register(0), register(2)], RequestCost(10, 1), forbidden=[(Table.INPUT, 1)])

    assert blocks == [Block(Table.HOLDING, 0, 3)]


def test_a_wanted_value_is_read_even_where_it_is_forbidden_to_others() -> None:
    assert plan([register(5)], RequestCost(10, 1), forbidden=[(Table.HOLDING, 5)]) == [Block(Table.HOLDING, 5, 1)]


def test_a_request_begins_anew_at_a_cut() -> None:
    blocks = plan([register(0), register(1), register(2)], RequestCost(10, 1), cuts=[(Table.HOLDING, 1)])

    assert blocks == [Block(Table.HOLDING, 0, 1), Block(Table.HOLDING, 1, 2)]


def test_the_tables_are_never_read_together() -> None:
    blocks = plan([register(0), register(1, table=Table.INPUT)], RequestCost(10, 1))

    assert sorted(blocks) == sorted([Block(Table.HOLDING, 0, 1), Block(Table.INPUT, 1, 1)])


def test_a_value_longer_than_a_reply_is_refused() -> None:
    with pytest.raises(ValueError, match=r"registers 0\.\.3 must come from one reply, but the meter returns 3 at most"):
        plan([register(0, of_type="float64")], RequestCost(10, 1), max_registers=3)


def test_nothing_wanted_is_nothing_asked() -> None:
    assert plan([], RequestCost.tcp()) == []


def test_no_reply_holds_more_than_the_standard_allows() -> None:
    blocks = plan([register(a) for a in range(0, 500, 2)], RequestCost.tcp())

    assert all(b.count <= 125 for b in blocks)
    assert len(blocks) == 4
    assert all(a.end <= b.address for a, b in pairwise(blocks))


def test_the_cost_of_a_line_follows_its_speed() -> None:
    # 9600 8N1: a character of 10 bits is 1.0417 ms; 13 of them and two silences of 3.5 are 20.83 ms; a register 2.08.
    cost = RequestCost.rtu(9600, latency_s=0)

    assert cost.fixed_s == pytest.approx(20.833e-3, rel=1e-4)
    assert cost.per_register_s == pytest.approx(2.0833e-3, rel=1e-4)
    assert cost.of(125) == pytest.approx(281.2e-3, rel=1e-3)


def test_every_type_has_the_length_of_its_words() -> None:
    # The bits stand at the end of a name; a byte takes a whole register.
    spelled = {t: int(t.removeprefix("mod10k").lstrip("abcdfilnotu")) for t in LENGTHS}

    assert spelled == BITS
    assert {t: max(1, bits // 16) for t, bits in BITS.items()} == LENGTHS


def test_a_serial_line_costs_what_its_characters_take() -> None:
    # 9600 8E1: 11 bits a character, 1.1458 ms; fixed 20 of them, a register two.
    even, two_stops = (RequestCost.serial(9600, parity="even", latency_s=0), RequestCost.serial(9600, stop_bits=2))

    assert even.fixed_s == pytest.approx(22.917e-3, rel=1e-4)
    assert even.per_register_s == two_stops.per_register_s == pytest.approx(2.2917e-3, rel=1e-4)
    assert RequestCost.serial(9600) == RequestCost.rtu(9600)
    # Above 19200 the silence is 1.75 ms whatever the speed: 13 characters of 0.0868 ms and two silences are 4.63 ms.
    assert RequestCost.serial(115200, latency_s=0).fixed_s == pytest.approx(4.6285e-3, rel=1e-4)


# (20 characters + latency) / 2 characters, at 0, 10, 20 and 50 ms; edges of the rule for reading over a hole.
BREAK_EVEN = {
    (2400, "even"): (10, 11, 12, 15),
    (9600, "none"): (10, 14, 19, 34),
    (19200, "none"): (10, 19, 29, 58),
    (38400, "none"): (13, 32, 51, 109),
    (115200, "none"): (26, 84, 141, 314),
}


@pytest.mark.parametrize("line", BREAK_EVEN, ids=str)
def test_a_hole_is_worth_reading_over_up_to_where_it_breaks_even(line: tuple[int, str]) -> None:
    baud, parity = line
    costs = [RequestCost.serial(baud, parity=parity, latency_s=ms / 1000) for ms in (0, 10, 20, 50)]

    assert tuple(int(cost.break_even + 1e-9) for cost in costs) == BREAK_EVEN[line]


# Seconds and requests of a full read at 9600 8N1 with 20 ms. Computed apart from this planner for the whole maps; four
# profiles leave out copies and nameplates, and so are quicker than their maps (iem3155 0.45, pm5000 0.52, bove 0.11,
# fuxin 0.08 s).
FULL_READS = {
    "eastron/sdm630": (0.41, 3),
    "eastron/sdm120": (0.22, 3),
    "schneider/pm5000": (0.35, 4),
    "schneider/iem3155": (0.41, 4),
    "acrel/adw300": (0.13, 2),
    "acrel/dtsd1352": (0.34, 3),
    "chint/dtsu666": (0.27, 2),
    "abb/b23": (0.34, 3),
    "janitza/umg96": (0.27, 2),
    "siemens/pac2200": (0.25, 2),
    "carlo-gavazzi/em340": (0.21, 1),
    "tuf/tuf-2000": (0.16, 2),
    "xintai/electronic-water": (0.10, 1),
    "bove/ultrasonic-water": (0.10, 1),
    "fuxin/gas-corrector": (0.07, 1),
}


@pytest.mark.parametrize("name", FULL_READS)
def test_a_full_read_takes_what_it_was_reckoned_to_take(name: str) -> None:
    profile, cost = load_profile(name), RequestCost.serial(9600)

    blocks = plan(profile.registers, cost, max_registers=profile.max_registers)

    assert (round(total_cost_s(blocks, cost), 2), len(blocks)) == FULL_READS[name]
