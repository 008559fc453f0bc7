"""CJ/T 188: what is believed to be an answer, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.cjt188.frame import Frame, encode
from collectors.cjt188.questions import ReadAddress, ReadData
from collectors.lines.question import Answered, Declined, More, NotTheAnswer
from collectors.station_address import address_bytes
from tests.collectors.frames import mutated

WATER = ReadData(0x10, "78330011223344", bytes.fromhex("1F90"), 0, 19)
# hftangyu.com/563.html prints the checksum 08, but the bytes sum to 13.
PUBLISHED = bytes.fromhex(
    "68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 08 16"
)
RIGHTED = PUBLISHED[:-2] + b"\x13\x16"
# A heat meter's reply as biecuoliao.com/pa/MD6jEe3.html has it; its checksum is right.
HEAT = ReadData(0x20, "00000040314132", bytes.fromhex("901F"), 1, 43)
HEATED = bytes.fromhex(
    "FE FE FE FE 68 20 32 41 31 40 00 00 00 81 2E 90 1F 01 08 02 00 00 00 08 02 00 00 00 17 00 00 00 00 35 00 00 00 00"
    "2C 34 10 00 00 35 25 00 66 25 00 00 00 00 53 00 12 10 07 15 20 00 00 31 16"
)

addresses = st.from_regex(r"[0-9]{14}", fullmatch=True)


def answer(question: ReadData, data: bytes, *, serial: int | None = None, control: int = 0x81) -> bytes:
    number = bytes((question.serial if serial is None else serial,))
    whom = address_bytes(question.address)
    return encode(Frame(question.meter_type, whom, control, question.identifier + number + data))


def test_the_questions_are_the_published_ones() -> None:
    assert WATER.request.hex(" ").upper() == "FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16"
    assert HEAT.request.hex(" ").upper() == "FE FE FE FE 68 20 32 41 31 40 00 00 00 01 03 90 1F 01 20 16"


def test_the_published_reply_whose_checksum_is_wrong_is_refused_and_is_taken_with_the_right_one() -> None:
    assert WATER.judge(PUBLISHED) == NotTheAnswer(
        "the answer of meter 78330011223344 is broken: its checksum is 08, its bytes sum to 13"
    )
    assert WATER.judge(RIGHTED) == Answered(RIGHTED[14:-2])


def test_the_published_reply_of_a_heat_meter_is_taken() -> None:
    assert HEAT.judge(HEATED) == Answered(HEATED[18:-2])


def test_an_answer_is_waited_for_until_its_last_byte() -> None:
    for length in range(len(RIGHTED)):
        assert isinstance(WATER.judge(RIGHTED[:length]), More)
    assert WATER.judge(RIGHTED[:20]) == More(len(RIGHTED) - 20)


def test_an_echo_noise_and_the_answers_of_others_are_passed_over() -> None:
    other = answer(ReadData(0x10, "78330011223345", WATER.identifier, 0, 19), bytes(19))

    assert isinstance(WATER.judge(WATER.request + other), More)
    assert WATER.judge(WATER.request + b"\x00\x68\x10" + other + RIGHTED) == Answered(RIGHTED[14:-2])


def test_a_late_answer_bears_an_earlier_number_and_is_no_answer() -> None:
    second = ReadData(0x10, WATER.address, WATER.identifier, 1, 19)

    assert isinstance(second.judge(RIGHTED), More)
    assert second.judge(RIGHTED + answer(second, bytes(19))) == Answered(bytes(19))


def test_another_length_is_told() -> None:
    assert WATER.judge(answer(WATER, bytes(18))) == NotTheAnswer("item 1F 90 has 18 bytes, where 19 are due")


def test_a_refusal_tells_the_status_of_the_meter() -> None:
    refusal = encode(Frame(0x10, address_bytes(WATER.address), 0xC1, b"\x00\x04\x00"))

    assert WATER.judge(refusal) == Declined(4, "the meter does not answer this; its status is 0004")


def test_a_meter_whose_address_nobody_knows_tells_it() -> None:
    own = address_bytes(WATER.address)
    said = encode(Frame(0x10, own, 0x83, bytes.fromhex("0A8100")))

    assert ReadAddress().judge(said) == Answered(b"\x10" + own)


@given(addresses, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=97), st.binary(min_size=2, max_size=2))
def test_what_is_framed_is_understood(address: str, meter_type: int, serial: int, data: bytes, item: bytes) -> None:
    question = ReadData(meter_type, address, item, serial, len(data))

    assert question.judge(question.request + answer(question, data)) == Answered(data)


@pytest.mark.parametrize("question", [WATER, HEAT, ReadAddress()])
def test_mutated_frames_never_make_an_answer_unless_it_stands_in_them(question: ReadData | ReadAddress) -> None:
    own = address_bytes(WATER.address)
    frames = [PUBLISHED, RIGHTED, HEATED, WATER.request, encode(Frame(0x10, own, 0x83, bytes.fromhex("0A8100")))]
    frames += [answer(WATER, bytes(19), serial=1), answer(WATER, bytes(18))]
    answered = 0
    for received in mutated(frames, 8000, seed=5):
        verdict = question.judge(received)
        if isinstance(verdict, Answered):
            answered += 1
            assert _stands_in(question, verdict.payload, received)

    assert answered > 300


def _stands_in(question: ReadData | ReadAddress, payload: bytes, received: bytes) -> bool:
    """Whether the only bytes that say so are there, checksum and all."""
    if isinstance(question, ReadAddress):
        head = b"\x68" + payload + bytes.fromhex("83 03 0A 81 00")
    else:
        start = bytes((0x68, question.meter_type)) + address_bytes(question.address)
        head = start + bytes((0x81, len(payload) + 3)) + question.identifier + bytes((question.serial,)) + payload
    return head + bytes((sum(head) % 256, 0x16)) in received
