"""Addresses of meters that are known by the digits on their plate, lowest digits first on the wire."""

from __future__ import annotations

from collectors.lines.question import ANYONE

# A byte of an address that stands for any two digits.
ANY = 0xAA


def address_bytes(address: str) -> bytes:
    """An address as it travels; `A` in a pair `AA` stands for any digits.

    >>> address_bytes("000000000001").hex()
    '010000000000'
    """
    return bytes.fromhex(address)[::-1]


def address_text(raw: bytes) -> str:
    """The address that travelled, as it stands on the plate."""
    return raw[::-1].hex().upper()


def is_meant(asked: bytes, answering: bytes) -> bool:
    """Whether who answers is whom the question was put to."""
    return len(asked) == len(answering) and all(a in (ANY, b) for a, b in zip(asked, answering, strict=True))


def station_of(address: str) -> str:
    """Who is to be quiet before the next question to an address: its meter, or everybody where pairs stand for any."""
    return ANYONE if "AA" in address else f"meter {address}"
