"""DL/T 645: what is believed to be an answer, and what is not."""

from __future__ import annotations

import pytest
from dlt645.protocol.protocol import DLT645Protocol
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from collectors.dlt645.frame import Frame, encode
from collectors.dlt645.questions import ReadAddress, ReadItem, ReadMore, error_words
from collectors.lines.question import Answered, Declined, More, NotTheAnswer
from collectors.station_address import address_bytes
from tests.collectors.frames import mutated

METER = "000000000161"
VOLTAGE = ReadItem(METER, bytes.fromhex("02010100"), frozenset((2,)))
ENERGY = ReadItem(METER, bytes.fromhex("00010000"), frozenset((4,)))
# Published replies of a meter 161: 100.1 V, and 0.26 kWh (a manual of DL/T 645-2007 on the web, with annotations).
VOLTS = bytes.fromhex("FE FE FE FE 68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16")
KWH = bytes.fromhex("FE FE FE FE 68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16")

addresses = st.from_regex(r"[0-9]{12}", fullmatch=True)
identifiers = st.binary(min_size=4, max_size=4)


def answer(address: str, identifier: bytes, data: bytes, control: int = 0x91) -> bytes:
    return encode(Frame(address_bytes(address), control, identifier[::-1] + data))


def test_the_questions_are_the_published_ones() -> None:
    first = ReadItem("000000000001", bytes.fromhex("00010000"), frozenset((4,)))

    assert first.request.hex(" ").upper() == "FE FE FE FE 68 01 00 00 00 00 00 68 11 04 33 33 34 33 B3 16"
    assert ReadAddress().request.hex(" ").upper() == "FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16"
    assert VOLTAGE.request == bytes.fromhex("FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 34 34 35 17 16")


def test_published_replies_are_understood_with_and_without_waking_bytes() -> None:
    assert VOLTAGE.judge(VOLTS) == Answered(bytes.fromhex("00 0110"))
    assert VOLTAGE.judge(VOLTS[4:]) == Answered(bytes.fromhex("00 0110"))
    assert ENERGY.judge(KWH) == Answered(bytes.fromhex("00 26000000"))


def test_an_answer_is_waited_for_until_its_last_byte_and_says_how_much_it_lacks() -> None:
    for length in range(len(VOLTS)):
        verdict = VOLTAGE.judge(VOLTS[:length])
        assert isinstance(verdict, More)
        assert verdict.at_least <= len(VOLTS) - length or length < 5
    assert VOLTAGE.judge(VOLTS[:16]) == More(6)


def test_an_echo_and_noise_before_the_answer_are_passed_over() -> None:
    assert VOLTAGE.judge(VOLTAGE.request + VOLTS) == Answered(bytes.fromhex("00 0110"))
    assert VOLTAGE.judge(b"\x00\x68\xff\x68" + VOLTS) == Answered(bytes.fromhex("00 0110"))
    assert isinstance(VOLTAGE.judge(VOLTAGE.request), More)


def test_a_late_answer_to_another_question_is_no_answer_to_this_one() -> None:
    assert isinstance(VOLTAGE.judge(KWH), More)
    assert VOLTAGE.judge(KWH + VOLTS) == Answered(bytes.fromhex("00 0110"))


def test_no_answer_is_taken_from_behind_what_may_have_been_the_answer_itself() -> None:
    broken = bytes((VOLTS[0],)) * 4 + b"\x68\x62" + VOLTS[6:]
    older = answer(METER, VOLTAGE.identifier, b"\x99\x19")

    assert VOLTAGE.judge(broken + older) == NotTheAnswer("18 bytes of nobody came before an answer")
    assert isinstance(VOLTAGE.judge(VOLTS[:-2] + b"\x11\x16" + older), NotTheAnswer)
    assert VOLTAGE.judge(b"\x55" * 11 + VOLTS) == Answered(bytes.fromhex("00 0110"))


def test_the_answer_of_another_meter_is_no_answer() -> None:
    assert isinstance(VOLTAGE.judge(answer("000000000162", VOLTAGE.identifier, b"\x01\x10")), More)


def test_a_wrong_checksum_length_or_end_is_told() -> None:
    broken = VOLTS[:-2] + bytes((VOLTS[-2] ^ 1,)) + VOLTS[-1:]
    assert VOLTAGE.judge(broken) == NotTheAnswer(
        "the answer of meter 000000000161 is broken: its checksum is 11, its bytes sum to 10"
    )
    assert VOLTAGE.judge(answer(METER, VOLTAGE.identifier, b"\x01\x10\x00")) == NotTheAnswer(
        "item 02010100 has 3 bytes, where 2 are due"
    )
    assert isinstance(VOLTAGE.judge(VOLTS[:-1] + b"\x17"), NotTheAnswer)


def test_a_refusal_is_told_in_words() -> None:
    refusal = encode(Frame(address_bytes(METER), 0xD1, b"\x02"))

    assert VOLTAGE.judge(refusal) == Declined(2, "no such data")
    assert error_words(0x05) == "other error, wrong password or not allowed"
    assert error_words(0x80) == "error 80"


def test_what_follows_is_asked_for_and_counted() -> None:
    more = ReadMore(METER, VOLTAGE.identifier, 1, 4)
    first = answer(METER, VOLTAGE.identifier, b"\x01", 0xB1)

    assert VOLTAGE.judge(first) == Answered(b"\x01\x01")
    assert DLT645Protocol.deserialize(more.request).data == VOLTAGE.identifier[::-1] + b"\x01"
    assert more.judge(answer(METER, VOLTAGE.identifier, b"\x10\x01", 0x92)) == Answered(b"\x00\x10")
    assert isinstance(more.judge(answer(METER, VOLTAGE.identifier, b"\x10\x02", 0x92)), More)
    assert isinstance(more.judge(answer(METER, VOLTAGE.identifier, b"\x10\x10\x10\x10\x10\x01", 0x92)), NotTheAnswer)


def test_a_meter_whose_address_nobody_knows_tells_it() -> None:
    own = address_bytes("123456789012")

    assert ReadAddress().judge(encode(Frame(own, 0x93, own))) == Answered(own)
    assert isinstance(ReadAddress().judge(encode(Frame(own, 0x93, bytes(6)))), NotTheAnswer)


def test_a_question_to_any_meter_is_answered_by_the_one_that_is_there() -> None:
    anybody = ReadItem("AAAAAAAA0161", VOLTAGE.identifier, frozenset((2,)))

    assert anybody.judge(VOLTS) == Answered(bytes.fromhex("00 0110"))
    assert isinstance(anybody.judge(answer("000000000162", VOLTAGE.identifier, b"\x01\x10")), More)


@given(addresses, identifiers, st.binary(min_size=1, max_size=190))
def test_another_implementation_builds_the_same_frames_and_understands_ours(
    address: str, identifier: bytes, data: bytes
) -> None:
    question = ReadItem(address, identifier, frozenset((len(data),)))
    theirs = bytes(DLT645Protocol.build_frame(address_bytes(address), 0x91, identifier[::-1] + data))
    read = DLT645Protocol.deserialize(question.request)

    assert question.judge(theirs) == Answered(b"\x00" + data)
    assert theirs[4:] == answer(address, identifier, data)
    assert (bytes(read.addr), read.ctrl_code) == (address_bytes(address), 0x11)
    assert bytes(read.data) == identifier[::-1]


@pytest.mark.parametrize("question", [VOLTAGE, ENERGY, ReadMore(METER, VOLTAGE.identifier, 1, 4), ReadAddress()])
def test_mutated_frames_never_make_an_answer_unless_it_stands_in_them(
    question: ReadItem | ReadMore | ReadAddress,
) -> None:
    own = address_bytes(METER)
    frames = [VOLTS, KWH, encode(Frame(own, 0x93, own)), answer(METER, VOLTAGE.identifier, b"\x10\x01", 0x92)]
    frames += [VOLTAGE.request, encode(Frame(own, 0xD1, b"\x02")), answer("000000000162", VOLTAGE.identifier, b"\0\0")]
    logger.disable("dlt645")
    answered = 0
    for received in mutated(frames, 8000, seed=3):
        verdict = question.judge(received)
        if isinstance(verdict, Answered):
            answered += 1
            assert _stands_in(question, verdict.payload, received)

    assert answered > 300


def _stands_in(question: ReadItem | ReadMore | ReadAddress, payload: bytes, received: bytes) -> bool:
    """Whether another implementation finds a frame that says so, from whatever byte on."""
    return any(_says(question, payload, received[at:]) for at, byte in enumerate(received) if byte == 0x68)


def _says(question: ReadItem | ReadMore | ReadAddress, payload: bytes, received: bytes) -> bool:
    try:
        frame = DLT645Protocol.deserialize(received)
    except ValueError:
        return False
    data = bytes(frame.data)
    if isinstance(question, ReadAddress):
        return frame.ctrl_code == 0x93 and data == bytes(frame.addr) == payload
    rest = data[4:] if isinstance(question, ReadItem) else data[4:-1]
    mine = bytes(frame.addr) == address_bytes(METER) and data[:4] == question.identifier[::-1]
    return mine and frame.ctrl_code & 0x9F == question.control | 0x80 and rest == payload[1:]
