"""Meters that count: a process whose registers show a higher number at each reading, and that writes down what it said.

Each stored value therefore names the answer that it came from. The journal has a line for each answer, written before
it is sent: `port connection unit number at_ns`. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from collectors.meter_profile import Table
from collectors.simulators.modbus_server import Answering, ModbusServer
from collectors.simulators.registers import Image, Images

PROFILE = "schneider/iem3155"
QUANTITIES = ("active_energy_import", "active_energy_export")
_FIRST = 3203
_NUMBERS = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: over which connection, from which meter, showing which number, and when."""

    connection: tuple[int, int]
    meter: str
    number: int
    at_ms: float


def meter_id(port: int, unit: int) -> str:
    return f"m{port}-{unit}"


def export_of(number: int) -> int:
    """What the second register shows: a reading whose halves do not agree was put together from two."""
    return 3 * number + 1


def journal(file: Path) -> Iterator[Served]:
    """What was said; a last line that is not whole was not."""
    for line in file.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            port, connection, unit, number, at_ns = map(int, line.split())
            yield Served((port, connection), meter_id(port, unit), number, at_ns / 1e6)


class _Counting:
    """A meter whose registers are counted up when they are looked at."""

    def __init__(self) -> None:
        self.number = 0

    def images(self) -> Images:
        self.number += 1
        return {Table.HOLDING: Image(_FIRST, _NUMBERS.pack(self.number, export_of(self.number)))}


async def _serve(ports: list[int], units: int, file: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)

    def told(port: int) -> Callable[[int, int, bytes, bytes], None]:
        def tell(connection: int, unit: int, _request: bytes, reply: bytes) -> None:
            number = _NUMBERS.unpack_from(reply, 2)[0]
            os.write(file, f"{port} {connection} {unit} {number} {time.time_ns()}\n".encode())

        return tell

    for port in ports:
        meters = {unit: Answering(_Counting().images) for unit in range(1, units + 1)}
        await ModbusServer(meters, port=port, told=told(port)).start()
    print("listening", flush=True)
    await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--units", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    given = parser.parse_args()
    file = os.open(given.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(_serve(given.ports, given.units, file))


if __name__ == "__main__":
    main()
