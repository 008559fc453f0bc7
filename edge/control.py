"""The way in to a running edge, for whoever may open a file of its data folder: a socket that takes orders to write.

One request a connection, a line of JSON, and one answer. The socket stands in a folder that only its owner enters.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from adapters.write_log import WriteLog
from collectors.writing import NotWritten, Order, Outcome, order_of
from edge.poll import LineWorker, Station
from energy.errors import EnergyError
from energy.ports import Clock

log = structlog.get_logger()

# What is asked and answered is short; who does not say it soon is not waited for.
_LONGEST, _WITHIN_S = 4096, 10.0
# How an outcome is noted: told of what stood there before anything is written.
Begun = Callable[[Decimal | None], None]


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """An order, or what stands where it would write; `value` as it was typed, `who` asks."""

    do: Literal["show", "write"]
    meter: str
    setting: str
    value: str
    who: str


class Told(msgspec.Struct):
    """What stood there, what became of an order, or why nothing was done."""

    old: Decimal | None = None
    outcome: Outcome | None = None
    error: str | None = None


def control_socket(data: Path, edge: str) -> Path:
    """Where the socket of an edge stands."""
    return data / "control" / f"{edge}.sock"


def write_log(data: Path, edge: str) -> WriteLog:
    """Where an edge notes what is written."""
    return WriteLog(data / "written" / f"{edge}.jsonl")


async def write_noted(
    write: Callable[[Order, Begun], Awaitable[Outcome]], order: Order, who: str, notes: WriteLog, clock: Clock
) -> Outcome:
    """Carry out an order between two lines of the log; what cannot be noted is not written."""
    about = {"who": who, "meter": order.meter, "setting": order.setting.name, "new": order.value}

    def begun(old: Decimal | None) -> None:
        notes.note(at=clock.now(), event="begun", **about, old=old)

    outcome = await write(order, begun)
    said = {"answer": outcome.answer, "read_back": outcome.read_back, "holds": outcome.holds, "detail": outcome.detail}
    notes.note(at=clock.now(), event="ended", **about, old=outcome.old, **said)
    told = log.info if outcome.holds else log.warning
    told("meter.written", **{k: str(v) for k, v in about.items()}, old=str(outcome.old), **_plain(said))
    return outcome


def _plain(said: Mapping[str, object]) -> dict[str, object]:
    return {key: value if isinstance(value, bool) else str(value) for key, value in said.items()}


class Control:
    """Serves the socket of an edge in its data folder. `workers` may change while it does."""

    def __init__(self, data: Path, edge: str, workers: Mapping[str, LineWorker], clock: Clock) -> None:
        self._socket, self._notes = control_socket(data, edge), write_log(data, edge)
        self._workers, self._clock = workers, clock

    async def run(self) -> None:
        """Serve for ever; an edge whose data folder cannot hold a socket goes on without."""
        try:
            self._socket.parent.mkdir(parents=True, exist_ok=True)
            self._socket.parent.chmod(0o700)
            server = await asyncio.start_unix_server(self._serve, self._socket, limit=_LONGEST)
            self._socket.chmod(0o600)
        except OSError as error:
            log.warning("edge.no_control", socket=str(self._socket), cause=str(error))
            return
        try:
            async with server:
                await server.serve_forever()
        finally:
            with suppress(FileNotFoundError):
                self._socket.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError):
            try:
                async with asyncio.timeout(_WITHIN_S):
                    asked = msgspec.json.decode(await reader.readline(), type=Asked)
                told = await self._done(asked)
            except (msgspec.DecodeError, ValueError) as error:
                told = Told(error=f"not understood: {error}")
            except EnergyError as error:
                told = Told(error=str(error))
            writer.write(msgspec.json.encode(told) + b"\n")
            await writer.drain()
        writer.close()

    async def _done(self, asked: Asked) -> Told:
        worker, station = self._found(asked.meter)
        make = None if station.asking is None else station.asking.profile
        order = order_of(station.meter, make, asked.setting, asked.value)
        if asked.do == "show":
            return Told(old=await worker.show(order))
        return Told(outcome=await write_noted(worker.write, order, asked.who, self._notes, self._clock))

    def _found(self, meter: str) -> tuple[LineWorker, Station]:
        for worker in self._workers.values():
            for station in worker.stations:
                if station.meter.id == meter:
                    return worker, station
        raise NotWritten(f"the running edge reads no meter {meter!r}")


async def asked_of_edge(socket: Path, asked: Asked) -> Told | None:
    """What a running edge answers; None where none runs on this data folder."""
    try:
        reader, writer = await asyncio.open_unix_connection(os.fspath(socket))
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise NotWritten(f"{socket}: {error.strerror or error}: the edge cannot be asked") from error
    writer.write(msgspec.json.encode(asked) + b"\n")
    line = await reader.readline()
    writer.close()
    if not line:
        raise NotWritten("the edge ended while it was asked: whether it wrote is not known; see its log")
    return msgspec.json.decode(line, type=Told)
