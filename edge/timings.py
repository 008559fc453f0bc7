"""How quickly each meter answers, kept over a restart, so that a full line need not be learnt anew.

It holds for the same profile, by the same unit or address, on the same line; what was kept long ago is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
import structlog

from adapters.learnt_files import LearntFiles
from collectors.lines.byte_line import ByteLine
from collectors.lines.latency import Timing
from collectors.lines.tcp_line import TcpLine
from energy.errors import StoreError
from energy.ports import Clock
from energy.sites import Meter

log = structlog.get_logger()

EVERY_S = 600.0
_HOLDS = timedelta(days=30)


class _Of(msgspec.Struct, forbid_unknown_fields=True):
    """The timing of a station that was read by a profile."""

    profile: str
    timing: Timing


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """The file of a line."""

    address: str
    kept_at: datetime
    stations: dict[str, _Of]


class Timings:
    """What the lines of an edge have learnt of their meters, in a file for each line."""

    def __init__(self, files: LearntFiles, clock: Clock) -> None:
        self._files, self._clock = files, clock
        self._lines: dict[str, tuple[ByteLine | TcpLine, dict[str, str]]] = {}

    def recall(self, line_id: str, line: ByteLine | TcpLine, meters: Iterable[Meter]) -> None:
        """Tell a line what was known of its meters, and follow it from now on."""
        profiles = {station_of(meter): meter.profile or "" for meter in meters}
        self._lines[line_id] = line, profiles
        kept = self._read(line_id)
        if kept is None or kept.address != str(line) or self._clock.now() - kept.kept_at > _HOLDS:
            return
        for station, of in kept.stations.items():
            if profiles.get(station) != of.profile:
                continue
            try:
                line.recall(station, of.timing)
            except ValueError as error:
                log.warning("timings.unreadable", line=line_id, station=station, cause=str(error))

    def follow(self, line_id: str, line: ByteLine | TcpLine, meters: Iterable[Meter]) -> None:
        """The line has other meters; what it has learnt it knows."""
        self._lines[line_id] = line, {station_of(meter): meter.profile or "" for meter in meters}

    def keep(self) -> None:
        """Write what is known now."""
        for line_id, (line, profiles) in self._lines.items():
            of = {name: _Of(profiles[name], timing) for name, timing in line.timings().items() if name in profiles}
            if not of:
                continue
            kept = _Kept(str(line), self._clock.now(), of)
            try:
                self._files.write(line_id, msgspec.json.format(msgspec.json.encode(kept)))
            except StoreError as error:
                log.warning("timings.unwritten", line=line_id, cause=str(error))

    async def run(self) -> None:
        """Keep it from time to time, and at the end."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                self.keep()
        finally:
            self.keep()

    def _read(self, line_id: str) -> _Kept | None:
        try:
            content = self._files.read(line_id)
            return None if content is None else msgspec.json.decode(content, type=_Kept)
        except (StoreError, msgspec.DecodeError) as error:
            log.warning("timings.unreadable", line=line_id, cause=str(error))
            return None


def station_of(meter: Meter) -> str:
    """How its line calls a meter."""
    return f"unit {meter.unit}" if meter.address is None else f"meter {meter.address}"
