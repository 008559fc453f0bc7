"""Packed decimals: exact both ways; fillers and broken digits are no numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.packed_decimal import NoNumber, Unmeasured, packed, unpacked


@given(st.integers(1, 8), st.booleans(), st.data())
def test_what_is_packed_is_unpacked(length: int, signed: bool, data: st.DataObject) -> None:
    largest = (8 if signed else 10) * 10 ** (2 * length - 1) - 1
    number = data.draw(st.integers(-largest if signed else 0, largest))

    assert unpacked(packed(number, length, signed=signed), signed=signed) == number


def test_the_lowest_digits_travel_first_and_the_sign_in_the_highest_bit() -> None:
    assert packed(123456, 3) == bytes.fromhex("563412")
    assert packed(-12, 3, signed=True) == bytes.fromhex("120080")
    assert unpacked(bytes.fromhex("9999 79"), signed=True) == 799999


@pytest.mark.parametrize("filler", ["FFFF", "EEEEEE"])
def test_a_filler_is_no_number(filler: str) -> None:
    with pytest.raises(Unmeasured):
        unpacked(bytes.fromhex(filler), signed=True)


@pytest.mark.parametrize("raw", ["0A00", "00A0", "FF00", ""])
def test_broken_digits_are_no_number(raw: str) -> None:
    with pytest.raises(NoNumber):
        unpacked(bytes.fromhex(raw))


def test_what_does_not_fit_is_refused() -> None:
    for number, signed in ((10000, False), (-1, False), (8000, True)):
        with pytest.raises(ValueError, match="does not fit into 2 bytes"):
            packed(number, 2, signed=signed)
