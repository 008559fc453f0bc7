"""Frames of Modbus: what is asked, and that nothing but its own answer is ever taken for one."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.lines.modbus_mbap import MbapRead, frame_length
from collectors.lines.modbus_rtu import RtuRead, crc16, is_whole
from collectors.lines.question import Answered, Declined, More, NotTheAnswer
from collectors.meter_profile import Table
from collectors.planner import Block

BLOCK = Block(Table.HOLDING, 107, 3)
# Modbus Application Protocol V1.1b3, 6.3: three registers from 107 on hold 555, 0 and 100.
WORDS = bytes.fromhex("022b00000064")


def whole(body: bytes) -> bytes:
    return body + crc16(body)


RIGHT = whole(b"\x11\x03\x06" + WORDS)
blocks = st.builds(Block, st.sampled_from(Table), st.integers(0, 0xFFFF - 125), st.integers(1, 125))
units = st.integers(0, 255)


@pytest.mark.parametrize(
    ("body", "crc"),
    [
        ("0207", "4112"),  # Modbus over Serial Line V1.02, 6.2.2
        ("01040000000a", "700d"),
        ("010300000001", "840a"),
        ("1103006b0003", "7687"),
    ],
)
def test_the_crc_is_the_published_one(body: str, crc: str) -> None:
    assert crc16(bytes.fromhex(body)).hex() == crc


def test_the_example_of_the_standard_is_asked_and_answered() -> None:
    rtu, tcp = RtuRead(17, BLOCK), MbapRead(5, 17, BLOCK)

    assert rtu.request.hex() == "1103006b00037687"
    assert rtu.judge(RIGHT) == Answered(WORDS)
    assert tcp.request.hex() == "0005000000061103006b0003"
    assert tcp.judge(bytes.fromhex("000500000009110306") + WORDS) == Answered(WORDS)


def test_a_refusal_is_told_with_its_words() -> None:
    assert RtuRead(17, BLOCK).judge(whole(b"\x11\x83\x02")) == Declined(2, "illegal data address")
    assert MbapRead(5, 17, BLOCK).judge(bytes.fromhex("000500000003118306")) == Declined(6, "device busy")


@pytest.mark.parametrize("cut", range(len(RIGHT)))
def test_a_part_of_the_answer_wants_the_rest(cut: int) -> None:
    found = RtuRead(17, BLOCK).judge(RIGHT[:cut])

    assert isinstance(found, More)
    assert found.at_least <= len(RIGHT) - cut


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (whole(b"\x12\x03\x06" + WORDS), "unit 18 answered instead of unit 17"),
        (whole(b"\x11\x04\x06" + WORDS), "asked function 3, got 4"),
        (whole(b"\x11\x03\x04" + WORDS[:4]), "asked 3 registers, got 4 bytes"),
        (whole(b"\x11\x03\x08" + WORDS + b"\x00\x01"), "asked 3 registers, got 8 bytes"),
        (whole(b"\x11\x84\x02"), "asked function 3, got 132"),
        (whole(b"\x12\x83\x02"), "unit 18 answered instead of unit 17"),
        (whole(b"\x11\x06\x00\x6b\x00\x03"), "asked function 3, got 6"),
    ],
)
def test_a_whole_frame_that_does_not_fit_says_why(frame: bytes, reason: str) -> None:
    found = RtuRead(17, BLOCK).judge(frame)

    assert isinstance(found, NotTheAnswer)
    assert reason in found.reason
    # The right one may follow.
    assert RtuRead(17, BLOCK).judge(frame + RIGHT) == Answered(WORDS)


@given(units, blocks, st.data())
def test_whole_frames_of_others_are_no_answer(unit: int, block: Block, data: st.DataObject) -> None:
    other = data.draw(st.tuples(units, st.sampled_from([1, 2, 3, 4, 0x83, 0x84]), st.integers(0, 250)))
    said = data.draw(st.binary(min_size=other[2], max_size=other[2]))
    body = bytes(other[:2]) + (said[:1] or b"\x02" if other[1] & 0x80 else bytes((len(said),)) + said)
    found = RtuRead(unit, block).judge(whole(body))

    fits = other[0] == unit and other[1] == block.table.function and other[2] == 2 * block.count
    refuses = other[0] == unit and other[1] == block.table.function | 0x80
    assert isinstance(found, Answered) == fits
    assert isinstance(found, Declined) == refuses


@given(units, blocks, st.data())
def test_an_answer_that_was_changed_on_its_way_is_none(unit: int, block: Block, data: st.DataObject) -> None:
    """Up to three wrong bits in a frame, or a burst of 16, are always found by the CRC."""
    payload = data.draw(st.binary(min_size=2 * block.count, max_size=2 * block.count))
    frame = bytearray(whole(bytes((unit, block.table.function, len(payload))) + payload))
    for bit in data.draw(st.sets(st.integers(0, 8 * len(frame) - 1), min_size=1, max_size=3)):
        frame[bit // 8] ^= 1 << bit % 8

    assert not isinstance(RtuRead(unit, block).judge(bytes(frame)), Answered)


@given(units, blocks, st.binary(max_size=40), st.binary(max_size=40))
def test_the_answer_is_found_amid_noise_and_judging_never_raises(
    unit: int, block: Block, before: bytes, behind: bytes
) -> None:
    question = RtuRead(unit, block)
    payload = bytes(i & 0xFF for i in range(2 * block.count))
    frame = whole(bytes((unit, block.table.function, len(payload))) + payload)
    found = question.judge(before + frame + behind)

    if isinstance(found, Answered):
        assert found.payload == payload
    else:
        # Noise may begin like a longer answer, or be a refusal; it is never a value.
        assert isinstance(found, Declined | More | NotTheAnswer)
    assert question.judge(question.request + frame) == Answered(payload)


@given(st.integers(0, 0xFFFF), units, blocks, st.binary(max_size=300))
def test_nothing_but_its_own_frame_answers_a_question_over_tcp(
    transaction: int, unit: int, block: Block, said: bytes
) -> None:
    question = MbapRead(transaction, unit, block)
    payload = bytes(2 * block.count)
    pdu = bytes((unit, block.table.function, len(payload))) + payload
    right = struct.pack(">HHH", transaction, 0, len(pdu)) + pdu
    late = struct.pack(">HHH", (transaction + 1) & 0xFFFF, 0, len(pdu)) + pdu

    assert question.judge(right) == Answered(payload)
    assert isinstance(question.judge(right[:-1]), More)
    assert question.judge(late + right) == Answered(payload)
    assert not isinstance(question.judge(late), Answered | Declined)
    assert not isinstance(question.judge(said), Answered) or said.startswith(right[:9])


@pytest.mark.parametrize(
    ("begin", "length"),
    [
        ("", 0),
        ("0001000000", 0),
        ("000100000003", 9),
        ("000100010003", None),
        ("000100000001", None),
        ("0001000000ff", None),
    ],
)
def test_a_frame_over_tcp_is_as_long_as_its_header_says_or_is_none(begin: str, length: int | None) -> None:
    assert frame_length(bytes.fromhex(begin)) == length


@pytest.mark.parametrize("block", [Block(Table.INPUT, 0, 0), Block(Table.INPUT, 0, 126), Block(Table.INPUT, 65530, 7)])
def test_what_no_meter_could_be_asked_is_refused_before_it_is_sent(block: Block) -> None:
    with pytest.raises(ValueError, match="no request can be"):
        RtuRead(1, block)


def test_a_frame_too_short_for_a_crc_is_not_whole() -> None:
    assert not is_whole(crc16(b""))
