"""One setting of one meter written: through the edge that runs on the data folder, else on a line opened for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from adapters.write_log import WriteLog
from collectors.lines.line import Unreachable, WritableLine
from collectors.lines.opening import open_line
from collectors.writing import NotWritten, Order, Outcome, carried_out, decoded, order_of, shown
from edge.control import Asked, Begun, Told, asked_of_edge, write_noted
from energy.ports import Clock
from jieneng.composition import load_installed


class Writer(Protocol):
    """Where an order is carried out; `where` says it in words."""

    where: str
    order: Order

    async def show(self) -> Decimal | None:
        """What stands there."""

    async def write(self) -> Outcome:
        """Carry it out; an EnergyError where nothing was written."""


class _ThroughEdge:
    def __init__(self, socket: Path, order: Order, text: str, who: str) -> None:
        self.where = "through the running edge"
        self.order, self._socket, self._text, self._who = order, socket, text, who

    async def asked(self, *, write: bool) -> Told | None:
        asked = Asked("write" if write else "show", self.order.meter, self.order.setting.name, self._text, self._who)
        told = await asked_of_edge(self._socket, asked)
        if told is not None and told.error is not None:
            raise NotWritten(told.error)
        return told

    async def show(self) -> Decimal | None:
        told = await self.asked(write=False)
        return None if told is None else told.old

    async def write(self) -> Outcome:
        told = await self.asked(write=True)
        if told is None or told.outcome is None:
            raise NotWritten("the edge has ended; nothing was written")
        return told.outcome


class _OnLine:
    def __init__(self, line: WritableLine, order: Order, who: str, notes: WriteLog, clock: Clock) -> None:
        self.where = f"on {line}"
        self.order, self._line, self._who, self._notes, self._clock = order, line, who, notes, clock

    async def show(self) -> Decimal | None:
        return decoded(self.order.setting, await shown(self._line, self.order.unit, self.order.setting))

    async def write(self) -> Outcome:
        async def once(order: Order, begun: Begun) -> Outcome:
            return await carried_out(order, self._line, begun)

        return await write_noted(once, self.order, self._who, self._notes, self._clock)


@asynccontextmanager
async def open_writer(
    site: Path, meter_id: str, setting: str, text: str, *, socket: Path, notes: WriteLog, who: str, clock: Clock
) -> AsyncIterator[tuple[Writer, Decimal | None]]:
    """Whoever can carry it out, and what stands there now. NotWritten where the site file does not allow it."""
    installed = load_installed(site)
    meter = installed.site.meter(meter_id)
    order = order_of(meter, installed.profiles.get(meter.profile or ""), setting, text)
    through = _ThroughEdge(socket, order, text, who)
    told = await through.asked(write=False)
    if told is not None:
        yield through, told.old
        return
    line = next((line for line in installed.site.lines if line.id == meter.line), None)
    if line is None:
        raise NotWritten(f"meter {meter_id!r} hangs on no line: somebody else reads it")
    async with open_line(line.address, now=clock.now, timeout_s=line.timeout_s) as opened:
        alone = _OnLine(opened, order, who, notes, clock)
        try:
            old = await alone.show()
        except Unreachable as error:
            raise NotWritten(
                f"{error}; where an edge reads this line, name its folder with --data and --edge"
            ) from error
        yield alone, old
