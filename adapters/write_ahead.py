"""What a store has taken and may yet lose: on our own disk until it is safe there.

Files of records, each with its length and checksum, on the disk when `keep` returns. A file is let go of when its last
record is old enough; a torn tail is what was never acknowledged, and is passed over.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from energy.errors import StoreError

log = structlog.get_logger()

_HEAD = struct.Struct("<II")
_SUFFIX = ".journal"


@dataclass(slots=True)
class _Open:
    path: Path
    descriptor: int
    until: float
    last: float = field(default=0.0)


class WriteAhead:
    """Records in a folder; `hold_s` is how long each is kept at least."""

    def __init__(self, folder: Path, hold_s: float) -> None:
        self._folder, self._hold_s = folder, hold_s
        self._closed: deque[tuple[Path, float]] = deque()
        self._open: _Open | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._left = sorted(folder.glob("*" + _SUFFIX))
        except OSError as error:
            raise StoreError(f"journal {folder}: {error.strerror}") from error
        self._number = max((int(p.stem) for p in self._left), default=0)

    def left_behind(self) -> Iterator[bytes]:
        """What an earlier process kept and may not have seen safe, oldest first."""
        for path in self._left:
            yield from _records(path)

    def forget_left_behind(self) -> None:
        """It has been handed over again, and is kept as long as any other: its files are let go of after that."""
        now = time.monotonic()
        self._closed.extendleft((path, now) for path in reversed(self._left))
        self._left = []

    def keep(self, record: bytes) -> None:
        """Put a record on the disk; StoreError where it cannot be."""
        now = time.monotonic()
        try:
            if self._open is None or now > self._open.until:
                self._turn(now)
            assert self._open is not None
            _write(self._open.descriptor, _HEAD.pack(len(record), zlib.crc32(record)) + record)
            os.fdatasync(self._open.descriptor)
            self._open.last = now
        except OSError as error:
            # What follows a torn record would not be found again.
            self._close(now)
            raise StoreError(f"journal {self._folder}: {error.strerror}") from error

    def arrived(self, now: float) -> None:
        """What was kept last has been handed over only now, and is held from now on."""
        if self._open is not None:
            self._open.last = now

    def _turn(self, now: float) -> None:
        """Begin a file, and let go of those that are old."""
        self._close(now)
        while self._closed and now - self._closed[0][1] > self._hold_s:
            self._closed.popleft()[0].unlink(missing_ok=True)
        self._number += 1
        path = self._folder / f"{self._number:012}{_SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._open = _Open(path, descriptor, now + self._hold_s / 2)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _close(self, now: float) -> None:
        if self._open is not None:
            os.close(self._open.descriptor)
            self._closed.append((self._open.path, self._open.last or now))
            self._open = None

    def close(self) -> None:
        self._close(time.monotonic())


def _write(descriptor: int, whole: bytes) -> None:
    while whole:
        whole = whole[os.write(descriptor, whole) :]


def _records(path: Path) -> Iterator[bytes]:
    content, at = path.read_bytes(), 0
    while at + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, at)
        record = content[at + _HEAD.size : at + _HEAD.size + length]
        if len(record) < length or zlib.crc32(record) != checksum:
            log.warning("journal.torn", file=path.name, bytes=len(content) - at)
            return
        yield record
        at += _HEAD.size + length
