"""Faults that can be switched on while meters are played, and the log of when each was on.

The log is a small JSON file, `{"leaking-pipe": [["2026-11-02T08:00:00Z", null]]}`: another process writes it, the
running simulator reads it again when it has changed, and after a restart the counters are what they were.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from collectors.simulators.course import Window
from energy.errors import ConfigurationError, UnknownName
from energy.readings import to_ms
from energy.sites import Text


class FaultKind(StrEnum):
    """What can go wrong.

    leak : a constant flow is added. lights_left_on : the load never falls below a share of its peak.
    changed : the load is so many times what it was, for better or worse.
    stuck : all registers keep their last value. silent : nothing is answered.
    exchanged : from then on there is another meter, whose counters began at 0.
    """

    LEAK = "leak"
    LIGHTS_LEFT_ON = "lights_left_on"
    CHANGED = "changed"
    STUCK = "stuck"
    SILENT = "silent"
    EXCHANGED = "exchanged"


@dataclass(frozen=True, slots=True)
class Fault:
    """A named fault of a meter; `amount` is the flow of a leak [m3/h], the share of the peak, or how many times."""

    id: str
    kind: FaultKind
    name: Text
    meter: str
    amount: float = 0.0


_Times = dict[str, list[tuple[AwareDatetime, AwareDatetime | None]]]
_TIMES: TypeAdapter[_Times] = TypeAdapter(_Times)


class FaultLog:
    """Which faults there are and when each was on, in a file if a path is given."""

    def __init__(self, faults: Iterable[Fault], path: Path | None = None) -> None:
        self.faults: Mapping[str, Fault] = {fault.id: fault for fault in faults}
        self._path = path
        self._times: _Times = {}
        self._seen: tuple[int, int, int] | None = None
        self.refresh()

    def switch_on(self, fault_id: str, at: datetime) -> None:
        """Let a fault begin; nothing changes where it is on."""
        self.refresh()
        times = self._times.setdefault(self._known(fault_id), [])
        if not times or times[-1][1] is not None:
            times.append((at.astimezone(UTC), None))
            self._write()

    def switch_off(self, fault_id: str, at: datetime) -> None:
        """Let a fault end; nothing changes where it is off."""
        self.refresh()
        times = self._times.get(self._known(fault_id), [])
        if times and times[-1][1] is None:
            began = times[-1][0]
            times[-1] = (began, max(began, at.astimezone(UTC)))
            self._write()

    def enter(self, fault_id: str, start: datetime, end: datetime | None) -> None:
        """Let a fault have been on before anything was played; nothing changes where it has ever been on."""
        self.refresh()
        if not self._times.get(self._known(fault_id)):
            self._times[fault_id] = [(start.astimezone(UTC), None if end is None else end.astimezone(UTC))]
            self._write()

    def is_on(self, fault_id: str, at: datetime) -> bool:
        at_ms = to_ms(at)
        return any(on <= at_ms and (off is None or at_ms < off) for on, off in self.windows(fault_id))

    def windows(self, fault_id: str) -> tuple[Window, ...]:
        """When a fault was on: [from, to) in milliseconds since the epoch, oldest first."""
        times = self._times.get(self._known(fault_id), [])
        return tuple((to_ms(on), None if off is None else to_ms(off)) for on, off in times)

    def of_meter(self, meter_id: str, *kinds: FaultKind) -> list[tuple[Fault, tuple[Window, ...]]]:
        """The faults of these kinds that a meter has ever had."""
        mine = [f for f in self.faults.values() if f.meter == meter_id and f.kind in kinds]
        return [(fault, windows) for fault in mine if (windows := self.windows(fault.id))]

    def refresh(self) -> bool:
        """Read the file again if it is another than last time; whether it was."""
        seen = self._stamp()
        if self._path is None or seen == self._seen:
            return False
        self._times = self._read(self._path) if seen is not None else {}
        self._seen = seen
        return True

    def _known(self, fault_id: str) -> str:
        if fault_id not in self.faults:
            raise UnknownName(f"fault {fault_id!r} is not known; known are {', '.join(self.faults) or '(none)'}")
        return fault_id

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except FileNotFoundError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None

    @staticmethod
    def _read(path: Path) -> _Times:
        try:
            return _TIMES.validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigurationError([f"{path}: {'.'.join(str(s) for s in first['loc'])}: {first['msg']}"]) from error

    def _write(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        spoken = {name: [[_spoken(on), _spoken(off)] for on, off in times] for name, times in self._times.items()}
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        aside.write_text(json.dumps(spoken, indent=1) + "\n", encoding="utf-8")
        aside.replace(self._path)
        self._seen = self._stamp()


def _spoken(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
