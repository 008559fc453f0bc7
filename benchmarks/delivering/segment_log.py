"""The other way to keep an outbox: a log of segments, each record with its checksum (decision 023).

It has what must be measured and no more: records are appended and synced, letting go is a record of its own that is not
synced, a start reads all of it, and a torn tail is cut off.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct("<IIQQ")  # length, checksum, sequence, put_at_ms; length 0: let go of the sequence
_SEGMENT_BYTES = 8_000_000


class SegmentLog:
    """Batches by sequence, in memory where each begins."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.index: dict[int, tuple[int, int, int]] = {}
        self._last = 0
        self._segments = sorted(int(path.stem) for path in folder.glob("*.log")) or [1]
        for number in self._segments:
            self._scan(number)
        self._file = self._path(self._segments[-1]).open("ab")

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.log"

    def _scan(self, number: int) -> None:
        path = self._path(number)
        if not path.exists():
            return
        whole = 0
        for sequence, at, length in _records(path.read_bytes()):
            whole = at + length
            if length:
                self.index[sequence] = (number, at, length)
            else:
                self.index.pop(sequence, None)
            self._last = max(self._last, sequence)
        if whole < path.stat().st_size:
            os.truncate(path, whole)

    def put(self, put_at_ms: int, payload: bytes) -> int:
        self._last += 1
        at = self._append(_HEADER.pack(len(payload), zlib.crc32(payload), self._last, put_at_ms) + payload)
        os.fdatasync(self._file.fileno())
        self.index[self._last] = (self._segments[-1], at + _HEADER.size, len(payload))
        return self._last

    def forget(self, sequences: list[int]) -> None:
        for sequence in sequences:
            self._append(_HEADER.pack(0, 0, sequence, 0))
            self.index.pop(sequence, None)
        live = {number for number, _, _ in self.index.values()} | {self._segments[-1]}
        for number in [n for n in self._segments if n not in live]:
            self._segments.remove(number)
            self._path(number).unlink()

    def _append(self, record: bytes) -> int:
        at = self._file.tell()
        if at > _SEGMENT_BYTES:
            self._file.close()
            self._segments.append(self._segments[-1] + 1)
            self._file = self._path(self._segments[-1]).open("ab")
            at = 0
        self._file.write(record)
        self._file.flush()
        return at

    def close(self) -> None:
        self._file.close()


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Sequence, place and length of each whole record; what is torn ends it."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, crc, sequence, _ = _HEADER.unpack_from(data, at)
        payload = data[at + _HEADER.size : at + _HEADER.size + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return
        yield sequence, at + _HEADER.size, length
        at += _HEADER.size + length
