"""What a nameplate says is text, and a state is told by what it means."""

from __future__ import annotations

import pytest

from collectors.meter_profile import Marking, Table, WordOrder, load_profile
from collectors.nameplate import MarkingPlan, marking_plans
from collectors.planner import Block


def text(order: WordOrder, length: int, *, one_byte: bool = False) -> MarkingPlan:
    return MarkingPlan(Marking("model", Table.HOLDING, 49, "string", length, order, one_byte))


@pytest.mark.parametrize(
    ("order", "travels"), [("ABCD", b"EM34"), ("BADC", b"ME43"), ("CDAB", b"34EM"), ("DCBA", b"43ME")]
)
def test_a_string_is_read_in_each_order(order: str, travels: bytes) -> None:
    assert text(WordOrder(order), 2).text(travels) == "EM34"


def test_a_string_of_one_character_a_register() -> None:
    assert text(WordOrder.ABCD, 4, one_byte=True).text(b"\0E\0M\x003\x004") == "EM34"


@pytest.mark.parametrize(("padded", "said"), [(b"PM51\0\0", "PM51"), (b" PM51 ", "PM51"), (b"\0" * 6, "")])
def test_what_fills_a_string_is_left_out(padded: bytes, said: str) -> None:
    assert text(WordOrder.ABCD, 3).text(padded) == said


@pytest.mark.parametrize("nonsense", [b"PM\xff\xff\0\0", b"PM\x07\x01AB"])
def test_what_is_no_text_is_none(nonsense: bytes) -> None:
    assert text(WordOrder.ABCD, 3).text(nonsense) is None


def test_the_state_of_a_water_meter_is_told_in_words() -> None:
    pipe, valve = marking_plans(load_profile("xintai/electronic-water").status)

    assert (pipe.block, valve.block) == (Block(Table.HOLDING, 7, 1), Block(Table.HOLDING, 28, 1))
    # The low byte comes first in this meter.
    assert pipe.text(b"\xaa\x00") == "full"
    assert pipe.text(b"\x01\x00") == "1"
    assert valve.text(b"\x09\x00") == "open, battery low"
    assert valve.text(b"\x00\x00") == "none"


def test_a_serial_number_in_digits() -> None:
    [plan] = marking_plans(load_profile("bove/ultrasonic-water").nameplate)

    assert plan.text(bytes.fromhex("56781234")) == "12345678"
    assert plan.text(bytes.fromhex("ABCD1234")) is None
    with pytest.raises(ValueError, match="reply of 2 bytes to a request of 2 registers"):
        plan.text(b"\0\0")
