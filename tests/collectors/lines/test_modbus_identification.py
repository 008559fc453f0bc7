"""What a meter says of itself is believed whole and with its checksum, or not at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.lines.modbus_identification import MbapIdentification, RtuIdentification, follows, named, objects
from collectors.lines.modbus_rtu import crc16
from collectors.lines.question import Answered, Declined, More, NotTheAnswer

# Unit 7: basic objects, conformity 1, nothing follows, two objects: "ABC" and "X1".
PDU = bytes.fromhex("2B 0E 01 01 00 00 02 00 03 414243 01 02 5831")
FRAME = b"\x07" + PDU + crc16(b"\x07" + PDU)


def test_an_answer_is_found_behind_the_echo_and_has_names() -> None:
    asked = RtuIdentification(7)
    verdict = asked.judge(asked.request + FRAME)

    assert verdict == Answered(PDU)
    assert named(objects(PDU)) == {"vendor": "ABC", "product": "X1"}
    assert follows(PDU) is None


def test_more_is_awaited_until_the_last_object_and_its_checksum() -> None:
    asked = RtuIdentification(7)

    assert all(isinstance(asked.judge(FRAME[:length]), More) for length in range(len(FRAME)))


def test_a_meter_that_does_not_know_the_function_says_so() -> None:
    said = bytes.fromhex("07 AB 01")

    assert RtuIdentification(7).judge(said + crc16(said)) == Declined(1, "illegal function")
    assert MbapIdentification(9, 7).judge(bytes.fromhex("0009 0000 0003 07 AB 01")) == Declined(1, "illegal function")


def test_who_says_that_more_follows_is_asked_on_from_there() -> None:
    assert follows(bytes.fromhex("2B 0E 01 01 FF 02 01 00 01 41")) == 2


def test_another_unit_does_not_answer_for_this_one() -> None:
    assert isinstance(RtuIdentification(8).judge(FRAME), NotTheAnswer)


@given(st.binary(max_size=300), st.integers(1, 247))
def test_whatever_comes_is_judged_and_nothing_raises(received: bytes, unit: int) -> None:
    assert not isinstance(RtuIdentification(unit).judge(received), Answered)
    assert not isinstance(MbapIdentification(1, unit).judge(received), Answered)


@given(st.integers(0, len(FRAME) - 1), st.integers(1, 255))
def test_a_garbled_answer_is_none(place: int, turned: int) -> None:
    garbled = bytearray(FRAME)
    garbled[place] ^= turned

    assert not isinstance(RtuIdentification(7).judge(bytes(garbled)), Answered)
