"""What Modbus asks and answers, whatever frames it: reading registers, and the exceptions of a meter.

Modbus Application Protocol V1.1b3, 6.3 and 6.4; writing stands in `modbus_writing`.
"""

from __future__ import annotations

import struct

from collectors.planner import Block

EXCEPTION = 0x80
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
}
_REQUEST = struct.Struct(">BBHH")


def exception_words(code: int) -> str:
    """What an exception code says."""
    return EXCEPTIONS.get(code, "not defined by the standard")


def read_request(unit: int, block: Block) -> bytes:
    """Unit, function, address and count."""
    if not (1 <= block.count <= 125 and block.address >= 0 and block.end <= 0x10000 and 0 <= unit <= 255):
        raise ValueError(f"no request can be for {block.count} registers from {block.address} on at unit {unit}")
    return _REQUEST.pack(unit, block.table.function, block.address, block.count)


def answer_head(unit: int, block: Block) -> bytes:
    """How the only answer begins: unit, function and number of bytes."""
    return bytes((unit, block.table.function, 2 * block.count))


def misfit(unit: int, block: Block, got: bytes) -> str:
    """Why a frame that is whole is not the answer; `got` is from its unit on."""
    if got[:1] != bytes((unit,)):
        return f"unit {got[0]} answered instead of unit {unit}" if got else "an empty frame came"
    if len(got) < 2 or got[1] != block.table.function:
        return f"asked function {block.table.function}, got {got[1] if len(got) > 1 else 'none'}"
    told = got[2] if len(got) > 2 else 0
    return f"asked {block.count} registers, got {len(got) - 3} bytes that say they were {told}"
