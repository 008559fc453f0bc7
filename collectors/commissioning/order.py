"""In which order speeds are tried, and how long that takes at most: told before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.lines.address import Characters
from collectors.lines.byte_line import LATEST_S

MODBUS, DLT645, CJT188 = "modbus", "dlt645", "cjt188"
PROTOCOLS = (MODBUS, DLT645, CJT188)
# As meters are delivered, the most common first: the profiles and the Chinese standards name these.
BAUDS = (9600, 2400, 19200, 4800, 1200)
# The Chinese standards have even parity at 2400 baud; Modbus meters mostly leave parity out.
_EVEN_FIRST = 2400
_REQUEST_BYTES, _WILDCARD_BYTES = 8, 20
# Whoever was silent before is given less (`byte_line`).
_AGAIN_S = 0.12


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is looked for, and how patiently."""

    units: Sequence[int]
    protocols: Sequence[str] = PROTOCOLS
    timeout_s: float = 0.3
    pause_s: float = 0.02


def speeds(bauds: Sequence[int], parities: Sequence[str] = ("N", "E")) -> list[Characters]:
    """How characters may travel, the likeliest first.

    >>> [str(c) for c in speeds([2400])]
    ['baud=2400&parity=E&stop=1', 'baud=2400&parity=N&stop=1']
    """
    return [
        Characters(baud, parity)
        for baud in bauds
        for parity in sorted(parities, key=lambda p: (p == "N") == (baud <= _EVEN_FIRST))
    ]


def longest_s(asking: Asking, tried: Sequence[Characters]) -> float:
    """How long it takes if nobody answers; each meter that does adds what it takes to look at it."""
    return sum(_longest_at_s(asking, characters) for characters in tried)


def _longest_at_s(asking: Asking, characters: Characters) -> float:
    spent_s = 0.0
    if MODBUS in asking.protocols:
        each_s = 2 * (_REQUEST_BYTES * characters.seconds + asking.pause_s)
        spent_s += len(asking.units) * (each_s + asking.timeout_s + min(_AGAIN_S, asking.timeout_s))
    wildcards = [protocol for protocol in asking.protocols if protocol != MODBUS]
    return spent_s + len(wildcards) * (_WILDCARD_BYTES * characters.seconds + asking.timeout_s + LATEST_S)
