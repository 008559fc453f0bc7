"""One meter that answers every third request late, asked forty times: what is right, what fails, what is wrong."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.collecting.buses import Bus, bus, ours
from collectors.meter_profile import Table
from collectors.planner import Block
from collectors.simulators.bus.contents import telling
from energy.errors import LineError

READS, COUNT, TIMEOUT_S = 40, 10, 0.3
# Of four blocks in turn, so that the answer of one is plausible for the next.
ADDRESSES = (0, 100, 200, 300)
# 60 to 110 ms past the timeout. On four strands, where a late answer always arrives whole: nothing is harder.
LATENESS = ("330ms", "350ms")

Read = Callable[[int], Awaitable[Sequence[int] | None]]


def expected(address: int) -> list[int]:
    return [telling(1, Table.HOLDING, address + i) for i in range(COUNT)]


def late_bus(by: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Options and misbehaviour of the bus."""
    return ("--no-collisions",), (f"late:every=3,by={by}",)


async def outcomes(read: Read) -> Counter[str]:
    """How many of the reads were right, failed, or wrong; `read` gives registers at an address, None if it failed."""
    found: Counter[str] = Counter(right=0, failed=0, wrong=0)
    for i in range(READS):
        address = ADDRESSES[i % len(ADDRESSES)]
        registers = await read(address)
        found["failed" if registers is None else "right" if list(registers) == expected(address) else "wrong"] += 1
    return found


async def ours_late() -> Counter[str]:
    """Ours, over all latenesses."""
    found: Counter[str] = Counter()
    for by in LATENESS:
        options, deeds = late_bus(by)
        with bus(*options, deeds=deeds) as made:
            found += await _ours(made)
    return found


async def _ours(made: Bus) -> Counter[str]:
    async with ours(made, timeout_s=TIMEOUT_S) as line:

        async def read(address: int) -> Sequence[int] | None:
            try:
                reply = await line.read(1, Block(Table.HOLDING, address, COUNT))
            except LineError:
                return None
            return struct.unpack(f">{COUNT}H", reply.payload)

        return await outcomes(read)
