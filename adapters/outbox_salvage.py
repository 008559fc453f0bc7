"""Salvage: what can still be read of a damaged outbox, from both ends of its table and from its single pages.

A batch is believed where its checksum fits. Of pages that were let go of, batches may come back that the gateway has
stored already; storing them again changes nothing.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from adapters.wire import decode_batch
from energy.readings import LAST_MS

_LEAF = 0x0D
_WAL_HEADER, _FRAME_HEADER = 32, 24
_WIDTHS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}


@dataclass(frozen=True, slots=True)
class Found:
    """A batch as it was put; `clock` as in the outbox."""

    sequence: int
    put_at_ms: int
    payload: bytes
    clock: str | None


@dataclass(slots=True)
class Salvaged:
    """What was found of an outbox: its id, its batches by sequence, and the counts it kept."""

    id: str | None = None
    batches: dict[int, Found] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def checksum(payload: bytes, clock: str | None = None) -> int:
    """What is kept beside a payload, and the clock that it is dated by, to know them by."""
    return zlib.crc32((clock or "").encode(), zlib.crc32(payload))


def lenient(text: bytes) -> str:
    """Text that may be none."""
    return text.decode("utf-8", "replace")


def instant(stored: object) -> int:
    """When something was put, if it is an instant [ms]."""
    return stored if isinstance(stored, int) and 0 <= stored <= LAST_MS else 0


class MalformedError(sqlite3.DatabaseError):
    """The database takes it for whole, and it is not."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is not what it was."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> Path:
    """Rename the file and its log; under which name it is kept."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    with suppress(FileNotFoundError):
        Path(f"{path}-wal").rename(f"{aside}-wal")
    Path(f"{path}-shm").unlink(missing_ok=True)
    return aside


def salvage(path: Path) -> Salvaged:
    """All that can be read of the file; it may be anything."""
    found = Salvaged()
    rising, falling, torn = _by_table(path, found)
    if torn:
        low, high = max(rising, default=-1), min(falling, default=1 << 62)
        for batch in _by_page(path):
            if low < batch.sequence < high:
                found.batches[batch.sequence] = batch
    return found


def _by_table(path: Path, found: Salvaged) -> tuple[list[int], list[int], bool]:
    """Read from both ends; the sequences met from each, and whether something between them could not be read."""
    met: tuple[list[int], list[int]] = ([], [])
    torn = False
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = lenient
        with suppress(sqlite3.Error, TypeError, ValueError):
            found.counts = {str(k): int(n) for k, n in db.execute("SELECT name, n FROM counts")}
        with suppress(sqlite3.Error):
            found.id = next((str(v) for (v,) in db.execute("SELECT value FROM meta WHERE name = 'id'")), None)
        rows = "SELECT sequence, put_at_ms, payload, crc, clock FROM batches ORDER BY sequence"
        for query, met_here in zip((rows, rows + " DESC"), met, strict=True):
            try:
                for sequence, put_at_ms, payload, crc, clock in db.execute(query):
                    met_here.append(sequence)
                    whole, of_clock = marked(payload, crc, clock)
                    if whole:
                        found.batches[sequence] = Found(sequence, instant(put_at_ms), payload, of_clock)
            except sqlite3.Error:
                torn = True
            if not torn:
                return *met, False
        return *met, True
    return *met, True


def is_whole(payload: object, crc: object, clock: object = None) -> bool:
    """Whether a batch is as it was put; without a checksum, whether it is a batch at all."""
    if not isinstance(payload, bytes):
        return False
    if isinstance(crc, int):
        return checksum(payload, clock if isinstance(clock, str) else None) == crc
    try:
        decode_batch(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def marked(payload: object, crc: object, clock: object) -> tuple[bool, str | None]:
    """Whether a batch is as it was put, and the clock that it was put with."""
    if isinstance(clock, str) and is_whole(payload, crc, clock):
        return True, clock
    return is_whole(payload, crc), None


# -- single pages ------------------------------------------------------------------------------------------------------


def _by_page(path: Path) -> Iterator[Found]:
    """Batches of every page that looks like a leaf, those of the log last: they are newer."""
    size = _page_size(path)
    logged = dict(_frames(Path(f"{path}-wal"), size))
    for number, page in _file_pages(path, size):
        yield from _cells(page, number, size, path, logged)
    for number, page in logged.items():
        yield from _cells(page, number, size, path, logged)


def _page_size(path: Path) -> int:
    with path.open("rb") as file:
        file.seek(16)
        size = int.from_bytes(file.read(2), "big")
    return size if size >= 512 and size & (size - 1) == 0 else 4096


def _file_pages(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        number = 0
        while len(page := file.read(size)) == size:
            number += 1
            yield number, page


def _frames(wal: Path, size: int) -> Iterator[tuple[int, bytes]]:
    if not wal.exists():
        return
    with wal.open("rb") as file:
        file.seek(_WAL_HEADER)
        while len(frame := file.read(_FRAME_HEADER + size)) == _FRAME_HEADER + size:
            yield int.from_bytes(frame[:4], "big"), frame[_FRAME_HEADER:]


def _cells(page: bytes, number: int, size: int, path: Path, logged: Mapping[int, bytes]) -> Iterator[Found]:
    start = 100 if number == 1 else 0
    if page[start] != _LEAF:
        return
    for i in range(min(int.from_bytes(page[start + 3 : start + 5], "big"), size // 4)):
        at = start + 8 + 2 * i
        with suppress(IndexError, ValueError, OSError):
            found = _cell(page, int.from_bytes(page[at : at + 2], "big"), size, path, logged)
            if found is not None:
                yield found


def _cell(page: bytes, at: int, size: int, path: Path, logged: Mapping[int, bytes]) -> Found | None:
    length, at = _varint(page, at)
    sequence, at = _varint(page, at)
    local = _local(length, size)
    record = page[at : at + local]
    if local < length:
        follow = int.from_bytes(page[at + local : at + local + 4], "big")
        record += _overflow(follow, length - local, size, path, logged)
    return _record(sequence, record)


def _local(length: int, size: int) -> int:
    """How much of a record of a table lies in its leaf: SQLite's file format, section 1.6."""
    most, least = size - 35, (size - 12) * 32 // 255 - 23
    if length <= most:
        return length
    fits = least + (length - least) % (size - 4)
    return fits if fits <= most else least


def _overflow(number: int, wanted: int, size: int, path: Path, logged: Mapping[int, bytes]) -> bytes:
    found = bytearray()
    with path.open("rb") as file:
        while number and len(found) < wanted:
            page = logged.get(number)
            if page is None:
                file.seek((number - 1) * size)
                page = file.read(size)
            if len(page) < size:
                raise ValueError("the chain leaves the file")
            number = int.from_bytes(page[:4], "big")
            found += page[4:]
    return bytes(found[:wanted])


def _record(sequence: int, record: bytes) -> Found | None:
    """A row of `batches`, if it is one whose checksum fits."""
    ends, at = _varint(record, 0)
    kinds = []
    while at < ends:
        kind, at = _varint(record, at)
        kinds.append(kind)
    if len(kinds) < 3 or kinds[0] != 0 or kinds[2] < 12 or kinds[2] % 2:
        return None
    columns: list[bytes] = []
    for kind in kinds:
        width = _WIDTHS[kind] if kind < 10 else (kind - 12) // 2
        columns.append(record[at : at + width])
        at += width
    crc = _number(columns[3], kinds[3]) if len(kinds) > 3 and kinds[3] else None
    text = lenient(columns[4]) if len(kinds) > 4 and kinds[4] > 12 and kinds[4] % 2 else None
    whole, clock = marked(columns[2], crc, text)
    if not whole:
        return None
    return Found(sequence, instant(_number(columns[1], kinds[1])), columns[2], clock)


def _number(column: bytes, kind: int) -> int:
    return kind - 8 if kind in (8, 9) else int.from_bytes(column, "big", signed=True)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9
