"""What a meter refuses is found by asking less, and nothing that it answers is lost on the way."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.meter_profile import Part, Register, Table, WordOrder
from collectors.planner import Block, RequestCost, plan
from collectors.refusals import Learnt, Refusals, Unsupported

COST = RequestCost(20, 1)
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def register(name: str, address: int, of_type: str = "uint16") -> Register:
    return Register(name, (Part(Table.HOLDING, address, of_type, WordOrder.ABCD, Fraction(1)),))


class Slave:
    """A meter that refuses requests over some registers, or over too many at once."""

    def __init__(self, registers: list[Register], missing: set[int], longest: int = 125) -> None:
        self.registers, self.missing, self.longest = registers, missing, longest
        self.refusals = Refusals(registers)
        self.asked: list[Block] = []

    def takes(self, block: Block) -> bool:
        self.asked.append(block)
        return block.count <= self.longest and not any(a in self.missing for a in range(block.address, block.end))

    def cycle(self, now_ms: int = 0) -> set[str]:
        """One cycle as the edge makes it; the names of all that was read."""
        learnt = self.refusals.learnt
        wanted = [r for r in self.registers if r.quantity not in learnt.unsupported]
        most = learnt.longest or 125
        asks = deque(plan(wanted, COST, max_registers=most, forbidden=self.refusals.forbidden, cuts=learnt.cuts))
        for name in self.refusals.on_trial(now_ms):
            asks += plan([r for r in self.registers if r.quantity == name], COST)
        read: set[str] = set()
        while asks:
            block = asks.popleft()
            assert len(self.asked) < 500, "the search has no end"
            if self.takes(block):
                read |= {r.quantity for r in self.registers if all(block.holds(p) for p in r.parts)}
                asks += self.refusals.answered(block)
            else:
                asks += self.refusals.refused(block, now_ms)
        return read


# -- holes -----------------------------------------------------------------------------------------------------------


def test_a_hole_is_found_by_halving_and_never_touched_again() -> None:
    slave = Slave([register(str(a), a) for a in (0, 1, 2, 6, 7, 8)], missing={4})

    assert slave.cycle() == {"0", "1", "2", "6", "7", "8"}
    assert slave.refusals.learnt == Learnt(frozenset((Table.HOLDING, a) for a in (3, 4, 5)))

    slave.asked.clear()
    assert slave.cycle() == {"0", "1", "2", "6", "7", "8"}
    assert slave.asked == [Block(Table.HOLDING, 0, 3), Block(Table.HOLDING, 6, 3)]


def test_one_hole_among_sixty_values_takes_a_few_requests() -> None:
    slave = Slave([register(str(a), a) for a in range(0, 120, 2)], missing={31})

    assert len(slave.cycle()) == 60
    # Halved 6 times, two requests each, one over the hole at the end.
    assert len(slave.asked) <= 14


# -- points ----------------------------------------------------------------------------------------------------------


def test_a_point_that_the_meter_has_not_does_not_fail_its_neighbours() -> None:
    slave = Slave([register(str(a), a) for a in range(8)], missing={5})

    assert slave.cycle() == {str(a) for a in range(8)} - {"5"}
    assert slave.refusals.learnt.unsupported == {"5": Unsupported(0)}

    slave.asked.clear()
    slave.cycle(MINUTE_MS)
    assert all(not b.address <= 5 < b.end for b in slave.asked)


def test_a_value_half_of_whose_registers_are_missing_is_not_there() -> None:
    slave = Slave([register("a", 0, "uint32"), register("b", 2, "uint32"), register("c", 4)], missing={3})

    assert slave.cycle() == {"a", "c"}
    assert set(slave.refusals.learnt.unsupported) == {"b"}


def test_a_value_inside_one_that_is_refused_is_read_by_itself() -> None:
    slave = Slave([register("wide", 0, "uint64"), register("narrow", 1), register("far", 40)], missing={3})

    assert slave.cycle() == {"narrow", "far"}
    assert set(slave.refusals.learnt.unsupported) == {"wide"}


def test_an_unsupported_point_is_tried_again_after_ten_minutes_an_hour_and_then_daily() -> None:
    slave = Slave([register("a", 0), register("b", 1)], missing={1})
    slave.cycle(0)
    tried = []
    for minute in range(1, 3000):
        slave.asked.clear()
        slave.cycle(minute * MINUTE_MS)
        if Block(Table.HOLDING, 1, 1) in slave.asked:
            tried.append(minute)

    assert tried == [10, 70, 1510, 2950]


def test_a_refusal_that_a_wrong_clock_noted_in_the_future_does_not_wait_for_it() -> None:
    refused = Unsupported(since_ms=20 * 365 * 24 * 60 * MINUTE_MS)

    assert refused.is_due(MINUTE_MS)
    assert not refused.is_due(refused.since_ms + MINUTE_MS)


def test_a_point_that_came_is_read_with_its_neighbours_again() -> None:
    slave = Slave([register("a", 0), register("b", 1)], missing={1})
    slave.cycle()
    slave.missing.clear()

    assert slave.cycle(10 * MINUTE_MS) == {"a", "b"}
    slave.asked.clear()
    slave.cycle(11 * MINUTE_MS)
    assert slave.asked == [Block(Table.HOLDING, 0, 2)]
    assert slave.refusals.learnt == Learnt()


def test_a_meter_that_refuses_everything_says_nothing_of_its_points() -> None:
    slave = Slave([register(str(a), a) for a in range(4)], missing=set(range(4)))

    assert slave.cycle(0) == set()
    assert slave.refusals.learnt == Learnt()

    slave.asked.clear()
    slave.cycle(MINUTE_MS)
    assert len(slave.asked) == 1, "it is not asked in pieces each time"
    slave.missing.clear()
    assert slave.cycle(2 * MINUTE_MS) == {"0", "1", "2", "3"}


# -- length and cuts -------------------------------------------------------------------------------------------------


def test_a_meter_that_returns_fewer_than_its_profile_says_is_asked_for_fewer() -> None:
    slave = Slave([register(str(a), a) for a in range(80)], missing=set(), longest=60)
    for _ in range(4):
        assert len(slave.cycle()) == 80

    assert slave.refusals.learnt.longest == 60
    slave.asked.clear()
    slave.cycle()
    assert [b.count for b in slave.asked] == [60, 20]


def test_a_meter_that_answers_one_value_at_a_time_is_asked_so() -> None:
    values = [register("a", 0), register("b", 1, "uint32"), register("c", 3, "uint64"), register("d", 7)]

    class OneByOne(Slave):
        def takes(self, block: Block) -> bool:
            self.asked.append(block)
            return any(block.address == r.parts[0].address and block.count == r.parts[0].length for r in values)

    slave = OneByOne(values, missing=set())
    for _ in range(4):
        assert slave.cycle() == {"a", "b", "c", "d"}
    slave.asked.clear()
    slave.cycle()
    assert len(slave.asked) == 4


# -- anything --------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["uint16", "uint32", "uint64"])), min_size=1, max_size=10),
    st.sets(st.integers(0, 45), max_size=6),
    st.sampled_from([4, 7, 20, 125]),
)
def test_whatever_is_missing_all_the_rest_is_read_and_soon_without_a_refusal(
    values: list[tuple[int, str]], missing: set[int], longest: int
) -> None:
    registers = [register(f"{i}", address, of_type) for i, (address, of_type) in enumerate(values)]
    slave = Slave(registers, missing, longest)
    there = {r.quantity for r in registers if not set(range(r.parts[0].address, r.parts[0].end)) & missing}

    for minute in range(8):
        assert slave.cycle(minute * MINUTE_MS // 10) == there

    slave.asked.clear()
    assert slave.cycle() == there
    if there:
        assert all(
            b.count <= longest and not any(a in missing for a in range(b.address, b.end)) for b in slave.asked
        ), "it goes on asking what is refused"


@pytest.mark.parametrize("times", [1, 2])
def test_a_request_that_got_lost_on_the_way_changes_nothing(times: int) -> None:
    slave = Slave([register(str(a), a) for a in (0, 1, 5, 6)], missing={3})
    for _ in range(times):
        # The first half of the search is asked, then the line is gone.
        assert slave.refusals.refused(Block(Table.HOLDING, 0, 7), 0)

    assert slave.cycle() == {"0", "1", "5", "6"}
    assert (Table.HOLDING, 3) in slave.refusals.learnt.forbidden
