"""Writes as the standard prints them, and nothing but their own answer is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.lines.modbus_mbap import MbapReadCoils, MbapWrite
from collectors.lines.modbus_rtu import RtuReadCoils, RtuWrite, crc16
from collectors.lines.modbus_writing import COIL, COILS, REGISTER, REGISTERS, Coils, Writing
from collectors.lines.question import Answered, Declined, More, NotTheAnswer

# Modbus Application Protocol V1.1b3, the examples of 6.5, 6.6, 6.11 and 6.12: what is written, request, answer.
PRINTED = [
    (Writing(COIL, 0x00AC, 1, b"\x01"), "05 00AC FF00", "05 00AC FF00"),
    (Writing(REGISTER, 1, 1, b"\x00\x03"), "06 0001 0003", "06 0001 0003"),
    (Writing(COILS, 0x0013, 10, b"\xcd\x01"), "0F 0013 000A 02 CD01", "0F 0013 000A"),
    (Writing(REGISTERS, 1, 2, bytes.fromhex("000A0102")), "10 0001 0002 04 000A0102", "10 0001 0002"),
]
ONE = PRINTED[1][0]


def whole(body: str) -> bytes:
    return bytes.fromhex(body) + crc16(bytes.fromhex(body))


@pytest.mark.parametrize(("writing", "request_", "answer"), PRINTED, ids=["coil", "register", "coils", "registers"])
def test_the_examples_of_the_standard_are_written_and_answered(writing: Writing, request_: str, answer: str) -> None:
    rtu, tcp = RtuWrite(17, writing, echoes=False), MbapWrite(5, 17, writing)

    assert rtu.request == whole(f"11 {request_}")
    assert rtu.judge(whole(f"11 {answer}")) == Answered(b"")
    assert tcp.request[6:] == bytes.fromhex(f"11 {request_}")
    assert isinstance(tcp.judge(bytes.fromhex(f"0005 0000 0006 11 {answer}")), Answered)


def test_coils_are_read_as_the_standard_prints() -> None:
    question = RtuReadCoils(17, Coils(0x13, 0x13))

    assert question.request == whole("11 01 0013 0013")
    assert question.judge(whole("11 01 03 CD6B05")) == Answered(bytes.fromhex("CD6B05"))
    assert MbapReadCoils(5, 17, Coils(0x13, 0x13)).judge(bytes.fromhex("0005 0000 0006 11 01 03 CD6B05")) == Answered(
        bytes.fromhex("CD6B05")
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("12 06 0001 0003", "unit 18 answered instead of unit 17"),
        ("11 10 0001 0002", "asked function 6, got 16"),
        ("11 06 0002 0003", "wrote address 1 value 3, the answer says address 2 value 3"),
        ("11 06 0001 0004", "wrote address 1 value 3, the answer says address 1 value 4"),
    ],
)
def test_an_answer_that_repeats_anything_else_is_none(said: str, reason: str) -> None:
    assert RtuWrite(17, ONE, echoes=False).judge(whole(said)) == NotTheAnswer(reason)
    tcp = bytes.fromhex("0005 0000 0006" + said)
    assert MbapWrite(5, 17, ONE).judge(tcp) == NotTheAnswer(reason)


def test_a_wrong_checksum_is_no_answer_and_a_refusal_is_told() -> None:
    question = RtuWrite(17, ONE, echoes=False)

    assert not isinstance(question.judge(whole("11 06 0001 0003")[:-1] + b"\0"), Answered)
    assert question.judge(whole("11 86 02")) == Declined(2, "illegal data address")
    assert MbapWrite(5, 17, ONE).judge(bytes.fromhex("0005 0000 0003 11 86 03")) == Declined(3, "illegal data value")


def test_on_a_line_that_echoes_the_echo_of_a_write_is_not_its_answer() -> None:
    question = RtuWrite(17, ONE, echoes=True)

    assert isinstance(question.judge(question.request), More)
    assert question.judge(question.request + whole("11 06 0001 0003")) == Answered(b"")


@given(st.binary(max_size=30))
def test_whatever_comes_a_write_never_raises(said: bytes) -> None:
    for question in (RtuWrite(17, PRINTED[3][0], echoes=False), RtuReadCoils(17, Coils(3)), MbapWrite(5, 17, ONE)):
        question.judge(said)


@pytest.mark.parametrize(
    ("function", "address", "count", "data"),
    [
        (3, 0, 1, b"\0\0"),
        (REGISTER, 0, 2, b"\0" * 4),
        (REGISTERS, 0, 124, b"\0" * 248),
        (REGISTERS, 0xFFFF, 2, b"\0" * 4),
        (REGISTERS, 0, 2, b"\0" * 3),
        (COILS, 0, 9, b"\0"),
    ],
)
def test_what_no_request_can_hold_is_no_writing(function: int, address: int, count: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"function|bytes"):
        Writing(function, address, count, data)
