"""Modbus TCP over pymodbus: the only module that touches it.

pymodbus keeps the connection and the framing, where the transaction id tells a late reply from the one that is awaited.
What it accepts too easily is checked here: a reply must be of the function asked and hold exactly the registers asked.
Its own retries and reconnection are off, since they would hold the line while other meters wait.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException

from collectors.lines.address import TcpAddress, parse_address
from collectors.lines.line import Line, NoAnswer, Refused, Reply, Unreachable, Untrusted
from collectors.meter_profile import Table
from collectors.planner import Block, RequestCost

# Failures are raised and told once by whoever reads; the library would repeat each of them.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class ModbusTcpLine:
    """A line behind a host and port; several units may answer there, one at a time."""

    def __init__(self, address: TcpAddress, *, now: Callable[[], datetime], timeout_s: float = 1.0) -> None:
        self.address = address
        self.cost = RequestCost.tcp()
        self._now = now
        self._timeout_s = timeout_s
        # Made at the first read: the library wants a running loop.
        self._client: AsyncModbusTcpClient | None = None

    async def read(self, unit: int, block: Block) -> Reply:
        """The registers of a block at a unit; a LineError says why there are none."""
        client = await self._connected()
        ask = client.read_holding_registers if block.table is Table.HOLDING else client.read_input_registers
        asked_at, began = self._now(), time.perf_counter()
        try:
            pdu = await ask(block.address, count=block.count, device_id=unit)
        except ConnectionException as error:
            raise Unreachable(f"{self}: {error.string}") from error
        except ModbusException as error:
            # After silence or nonsense the connection is not known to be in step: the next read makes a new one.
            client.close()
            raise NoAnswer(f"{self} unit {unit}: no answer within {self._timeout_s:g} s") from error
        except BaseException:
            # Whoever stops waiting leaves a question open, whose answer must not be taken for that of the next.
            client.close()
            raise
        took_s, answered_at = time.perf_counter() - began, self._now()
        if pdu.isError():
            raise Refused(pdu.exception_code)
        if pdu.function_code != block.table.function or len(pdu.registers) != block.count:
            client.close()
            raise Untrusted(
                f"{self} unit {unit}: asked function {block.table.function} for {block.count} registers, "
                f"got function {pdu.function_code} with {len(pdu.registers)}"
            )
        payload = struct.pack(f">{block.count}H", *pdu.registers)
        return Reply(payload, asked_at + (answered_at - asked_at) / 2, took_s)

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None:
            self._client = AsyncModbusTcpClient(
                self.address.host, port=self.address.port, timeout=self._timeout_s, retries=0, reconnect_delay=0
            )
        if not self._client.connected and not await self._client.connect():
            raise Unreachable(f"{self}: no connection within {self._timeout_s:g} s")
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __str__(self) -> str:
        return str(self.address)


def open_line(address: str, *, now: Callable[[], datetime], timeout_s: float = 1.0) -> Line:
    """The line at an address, `tcp://HOST[:PORT]`; connects at the first read."""
    return ModbusTcpLine(parse_address(address), now=now, timeout_s=timeout_s)
