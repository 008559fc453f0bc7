"""How long characters take on a serial line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Characters:
    """What a UART is set to: 8 data bits, a start bit, parity N, E or O, one or two stop bits."""

    baud: int = 9600
    parity: str = "N"
    stop: int = 1

    @property
    def bits(self) -> int:
        return 9 + (self.parity != "N") + self.stop

    @property
    def seconds(self) -> float:
        """What one character takes; 1.04 ms at 9600 8N1."""
        return self.bits / self.baud

    @property
    def silence_s(self) -> float:
        """What ends a frame of RTU: 3.5 characters, and 1.75 ms above 19 200 baud (Modbus over serial line 2.5.1.1)."""
        return 3.5 * self.seconds if self.baud <= 19200 else 1.75e-3
