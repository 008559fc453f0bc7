"""What an edge remembers of its clock from one process to the next: a file beside the outbox."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

log = structlog.get_logger()


class UnsetClock(NamedTuple):
    """A wall clock before it is set: the boot of the machine, and when that began by this clock. Written `BOOT@MS`."""

    boot: str
    started_ms: int

    def __str__(self) -> str:
        return f"{self.boot}@{self.started_ms}"

    @classmethod
    def parse(cls, text: str) -> UnsetClock | None:
        """The clock that is written so; None where none is."""
        boot, _, started = text.rpartition("@")
        return cls(boot, int(started)) if started.lstrip("-").isdecimal() else None


class Remembered(msgspec.Struct, frozen=True):
    """How the wall clock stood to the steady one in a boot of the machine.

    started_ms : when the machine started, by the wall clock. setting : as in `ClockState`.
    given_until_ms : what the wall clock showed before each step. shown_ms : what the wall clock
    showed when this was written, if it was trusted then. doubted_until_s : until when readings are in doubt [s of the
    steady clock]. stepped : the last step, its instant and its length [ms].
    """

    boot: str
    started_ms: int
    setting: bool | None
    given_until_ms: list[int] = []
    shown_ms: int = 0
    doubted_until_s: float = 0.0
    stepped: tuple[int, int] | None = None


class ClockMemory:
    """The file; one that cannot be read or written costs the memory, not the readings."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Remembered | None:
        """What was written last; None where nothing was, or nothing that can be read."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("clock.memory_unreadable", file=str(self._file), cause=str(error))
            return None

    def write(self, what: Remembered) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".new")
            draft.write_bytes(msgspec.json.encode(what))
            draft.replace(self._file)
        except OSError as error:
            log.warning("clock.memory_unwritten", file=str(self._file), cause=str(error))
