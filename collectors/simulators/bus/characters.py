"""How long characters take on a serial line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPELLED = re.compile(r"(?P<baud>\d+)(?:[ /-]?8(?P<parity>[NEO])(?P<stop>[12]))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Characters:
    """What a UART is set to: 8 data bits, a start bit, perhaps parity, one or two stop bits."""

    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1

    def __post_init__(self) -> None:
        if self.baud <= 0 or self.parity not in ("N", "E", "O") or self.stop_bits not in (1, 2):
            raise ValueError(f"{self}: baud is above 0, parity N, E or O, stop bits 1 or 2")

    @classmethod
    def spelled(cls, text: str) -> Characters:
        """As one writes it.

        >>> Characters.spelled("2400 8E1").bits
        11
        """
        found = _SPELLED.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no setting of a serial line; write 9600 8N1")
        return cls(int(found["baud"]), (found["parity"] or "N").upper(), int(found["stop"] or 1))

    @property
    def bits(self) -> int:
        return 1 + 8 + (self.parity != "N") + self.stop_bits

    @property
    def seconds(self) -> float:
        """What one character takes; 1.04 ms at 9600 8N1."""
        return self.bits / self.baud

    @property
    def silence_s(self) -> float:
        """What ends a frame of RTU: 3.5 characters, and 1.75 ms above 19 200 baud (Modbus over serial line 2.5.1.1)."""
        return 3.5 * self.seconds if self.baud <= 19200 else 1.75e-3

    def __str__(self) -> str:
        return f"{self.baud} 8{self.parity}{self.stop_bits}"
