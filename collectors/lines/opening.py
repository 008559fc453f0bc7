"""Which line an address opens, and why it is built as it is. Nothing else chooses.

| address        | line       | framing and checks     | a late answer is kept from the next question by |
|----------------|------------|------------------------|--------------------------------------------------|
| `tcp://`       | `TcpLine`  | our own (`modbus_mbap`) | its transaction id                               |
| `rtu+tcp://`   | `ByteLine` | our own (`modbus_rtu`)  | a hush after every question without an answer    |
| `serial:`      | `ByteLine` | our own (`modbus_rtu`)  | the same                                         |

No client of a library stands here. pymodbus hands a late RTU answer to the next question, and on TCP costs several
times the processor time of a bare asyncio protocol; its server is the counterpart in tests. Figures: decision 021.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from collectors.lines.address import TcpAddress, parse_address
from collectors.lines.byte_line import ByteLine
from collectors.lines.tcp_line import TcpLine


def open_line(address: str, *, now: Callable[[], datetime], timeout_s: float = 1.0) -> ByteLine | TcpLine:
    """The line at an address; opens its wire at the first question.

    timeout_s : the longest that a first byte is waited for, and a connection; less is learnt per meter [s].
    """
    parsed = parse_address(address)
    if isinstance(parsed, TcpAddress):
        return TcpLine(parsed, now=now, timeout_s=timeout_s)
    return ByteLine(parsed, now=now, timeout_s=timeout_s)
