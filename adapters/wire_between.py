"""What the processes of a gateway tell each other over the bus: what was stored, and messages that are handed on.

Readings travel as columns. A message holds no more than any broker passes on that we ship a configuration of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from energy.readings import Point, ReadingColumns

# With the longest names of meters so many rows are still well below a mebibyte.
_MOST_ROWS = 5000
# Of messages that are handed on, together; one alone may be as large as a message is.
_MOST_BYTES = 1 << 19
_I32, _I64, _F64 = np.dtype("<i4"), np.dtype("<i8"), np.dtype("<f8")


class StoredColumns(msgspec.Struct, array_like=True):
    """Readings that were stored just now: the first `live` rows live, those after them had waited.

    points : meter and quantity of each. index, taken_at_ms, value, quality, reason : the columns of `ReadingColumns`,
    little-endian.
    """

    live: int
    points: list[tuple[str, str]]
    index: bytes
    taken_at_ms: bytes
    value: bytes
    quality: bytes
    reason: bytes


class HandedMessage(msgspec.Struct, array_like=True):
    """A message of an edge as it came."""

    topic: str
    payload: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode_columns = msgspec.msgpack.Decoder(StoredColumns).decode
_decode_handed = msgspec.msgpack.Decoder(list[HandedMessage]).decode


def encode_columns(live: ReadingColumns, waited: ReadingColumns) -> Iterator[bytes]:
    """What was stored, as payloads of `between(process, STORED)`; none where nothing was.

    Rows of a point are told together, in the order in which they came: so a message that catches up names each once.
    """
    live, waited = _by_point(live), _by_point(waited)
    if not len(waited):
        both = live
    elif not len(live):
        both = waited
    else:
        both = _joined(live, waited)
    for first in range(0, len(both), _MOST_ROWS):
        rows = slice(first, first + _MOST_ROWS)
        used, index = np.unique(both.index[rows], return_inverse=True)
        points = [(p.meter, p.quantity) for p in map(both.points.__getitem__, used.tolist())]
        yield _encode(
            StoredColumns(
                min(max(len(live) - first, 0), _MOST_ROWS, len(both) - first),
                points,
                index.astype(_I32).tobytes(),
                both.taken_at_ms[rows].astype(_I64, copy=False).tobytes(),
                both.value[rows].astype(_F64, copy=False).tobytes(),
                both.quality[rows].tobytes(),
                both.reason[rows].tobytes(),
            )
        )


def decode_columns(payload: bytes) -> tuple[ReadingColumns, ReadingColumns]:
    """What another process stored, live and waited, over the same points; ValueError where it is not well formed."""
    told = _decode_columns(payload)
    columns = ReadingColumns(
        [Point(meter, quantity) for meter, quantity in told.points],
        np.frombuffer(told.index, _I32).astype(np.int32),
        np.frombuffer(told.taken_at_ms, _I64).astype(np.int64),
        np.frombuffer(told.value, _F64).astype(np.float64),
        np.frombuffer(told.quality, np.uint8),
        np.frombuffer(told.reason, np.uint8),
    )
    if not 0 <= told.live <= len(columns) or np.any(columns.index < 0) or np.any(columns.index >= len(told.points)):
        raise ValueError("rows of points that are not told")
    row = np.arange(len(columns))
    return columns.take(row[: told.live]), columns.take(row[told.live :])


def _by_point(columns: ReadingColumns) -> ReadingColumns:
    return columns.take(np.argsort(columns.index, kind="stable"))


def _joined(live: ReadingColumns, waited: ReadingColumns) -> ReadingColumns:
    """The rows of both, one after the other; they mostly share their points."""
    if live.points is waited.points:
        points, shift = live.points, 0
    else:
        points, shift = [*live.points, *waited.points], len(live.points)

    def both(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(live, name), getattr(waited, name)])

    index = np.concatenate([live.index, waited.index + np.int32(shift)])
    return ReadingColumns(points, index, *(both(n) for n in ("taken_at_ms", "value", "quality", "reason")))  # type: ignore[arg-type]


def encode_handed(messages: Sequence[tuple[str, bytes]]) -> Iterator[tuple[bytes, int]]:
    """Messages by topic and payload, as payloads of `between(process, HANDED)`, and how many are in each."""
    some: list[HandedMessage] = []
    size = 0
    for topic, payload in messages:
        if some and size + len(payload) > _MOST_BYTES:
            yield _encode(some), len(some)
            some, size = [], 0
        some.append(HandedMessage(topic, payload))
        size += len(payload)
    if some:
        yield _encode(some), len(some)


def decode_handed(payload: bytes) -> list[HandedMessage]:
    """Messages that another process handed on; ValueError where it is not well formed."""
    return _decode_handed(payload)
