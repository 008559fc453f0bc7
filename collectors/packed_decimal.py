"""Packed decimals as Chinese meters send them: two digits a byte, lowest byte first, the sign in the highest bit."""

from __future__ import annotations

from energy.errors import EnergyError

# A register that a meter does not fill, or has not measured yet.
_FILLERS = (0xFF, 0xEE)


class Unmeasured(EnergyError):
    """The meter sent a filler where a number should stand."""


class NoNumber(EnergyError):
    """What was sent is no decimal number."""


def unpacked(raw: bytes, *, signed: bool = False) -> int:
    """The number that packed digits spell.

    Unmeasured where all bytes are FF or all EE, NoNumber where a digit is none.

    >>> unpacked(bytes.fromhex("0123 80"), signed=True)
    -2301
    """
    if raw and raw[0] in _FILLERS and raw.count(raw[0]) == len(raw):
        raise Unmeasured(f"filled with {raw[0]:02X}")
    negative = signed and bool(raw) and raw[-1] >= 0x80
    digits = raw[::-1].hex() if not negative else bytes((raw[-1] & 0x7F, *raw[-2::-1])).hex()
    if not digits.isdecimal():
        raise NoNumber(f"{raw.hex(' ').upper()} are no decimal digits")
    return -int(digits) if negative else int(digits)


def packed(number: int, length: int, *, signed: bool = False) -> bytes:
    """A number as packed digits; ValueError where it does not fit.

    >>> packed(-2301, 3, signed=True).hex()
    '012380'
    """
    largest = (8 if signed else 10) * 10 ** (2 * length - 1) - 1
    if not (-largest if signed else 0) <= number <= largest:
        raise ValueError(f"{number} does not fit into {length} bytes of digits")
    raw = bytearray(bytes.fromhex(f"{abs(number):0{2 * length}d}")[::-1])
    if number < 0:
        raw[-1] |= 0x80
    return bytes(raw)
