"""pymodbus's own client on the same buses, as a collector on its own would use it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.collecting.buses import Bus, bus
from benchmarks.collecting.late import COUNT, LATENESS, TIMEOUT_S, late_bus, outcomes
from benchmarks.collecting.sweep import BLOCKS, UNITS, sweep_bus

# Failures are counted; the library would print each.
_QUIET = logging.getLogger("pymodbus.logging")


def can_be_asked() -> bool:
    """Whether pymodbus can open a serial port: it wants pyserial, which is in the extra `bench`."""
    return find_spec("serial") is not None


async def _client(made: Bus, **options: Any) -> Any:
    from pymodbus.client import AsyncModbusSerialClient

    _QUIET.setLevel(logging.CRITICAL)
    client = AsyncModbusSerialClient(str(made.terminal), baudrate=made.baud, **options)
    assert await client.connect()
    return client


async def _read(client: Any, unit: int, address: int, count: int) -> Sequence[int] | None:
    from pymodbus.exceptions import ModbusException

    try:
        answer = await client.read_holding_registers(address, count=count, device_id=unit)
    except ModbusException:
        if not client.connected:
            await client.connect()
        return None
    return None if answer.isError() else list(answer.registers)


async def peer_late(*, retries: int) -> list[Counter[str]]:
    """What it makes of the late meter, for each lateness."""
    found = []
    for by in LATENESS:
        options, deeds = late_bus(by)
        with bus(*options, deeds=deeds) as made:
            client = await _client(made, timeout=TIMEOUT_S, retries=retries)
            found.append(await outcomes(lambda address, c=client: _read(c, 1, address, COUNT)))  # type: ignore[misc]
            client.close()
    return found


async def peer_sweep_s(dead: Sequence[int], **options: Any) -> float:
    """A sweep over all units, by its defaults unless options say otherwise."""
    with sweep_bus(dead) as made:
        client = await _client(made, **options)
        await _read(client, 1, 0, 1)
        began = time.perf_counter()
        for unit in UNITS:
            for address, count in BLOCKS:
                await _read(client, unit, address, count)
        took_s = time.perf_counter() - began
        client.close()
        return took_s
