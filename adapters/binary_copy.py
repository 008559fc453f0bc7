"""Columns of numpy to and from PostgreSQL's binary COPY, without a Python object for each value.

Rows whose columns are never NULL are all of one length, so a table is one structured array
(https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format").
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = _SIGNATURE + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)

# What a column is in the table, by the type of its array.
Columns = Mapping[str, npt.NDArray[Any]]


def packed(columns: Columns) -> BytesIO:
    """Columns of equal length n, integers or floats of 2 to 8 bytes, as what COPY FROM reads."""
    layout = _layout({name: column.dtype for name, column in columns.items()})
    rows = np.empty(len(next(iter(columns.values()))), layout)
    rows["fields"] = len(columns)
    for name, column in columns.items():
        rows["length of " + name] = column.dtype.itemsize
        rows[name] = column
    return BytesIO(_HEADER + rows.tobytes() + _TRAILER)


def unpacked(answer: bytes, columns: Mapping[str, type[np.generic]]) -> dict[str, npt.NDArray[Any]]:
    """What COPY TO wrote, as columns (n,) of these types; ValueError where it is of other types, or has a NULL."""
    layout = _layout({name: np.dtype(kind) for name, kind in columns.items()})
    extension = struct.unpack_from(">i", answer, len(_SIGNATURE) + 4)[0]
    begin, end = len(_HEADER) + extension, len(answer) - len(_TRAILER)
    if not answer.startswith(_SIGNATURE) or answer[end:] != _TRAILER or (end - begin) % layout.itemsize:
        raise ValueError(f"an answer of {len(answer)} bytes is not made of rows of {layout.itemsize}")
    rows = np.frombuffer(answer, layout, offset=begin, count=(end - begin) // layout.itemsize)
    for name, kind in columns.items():
        if np.any(rows["length of " + name] != np.dtype(kind).itemsize):
            raise ValueError(f"{name} is not {np.dtype(kind).itemsize} bytes long everywhere")
    return {name: rows[name].astype(kind) for name, kind in columns.items()}


async def copy_in(connection: Any, table: str, columns: Columns, schema: str) -> None:
    """Add rows to a table."""
    source = await asyncio.to_thread(packed, columns)
    await connection.copy_to_table(table, source=source, columns=list(columns), format="binary", schema_name=schema)


async def copy_out(connection: Any, query: str, kinds: Mapping[str, type[np.generic]]) -> dict[str, npt.NDArray[Any]]:
    """What a query answers, whose columns are of these types and never NULL."""
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    await connection.copy_from_query(query, output=take, format="binary")
    return await asyncio.to_thread(lambda: unpacked(b"".join(parts), kinds))


def _layout(kinds: Mapping[str, np.dtype[Any]]) -> np.dtype[Any]:
    fields = [("fields", ">i2")]
    for name, kind in kinds.items():
        fields += [("length of " + name, ">i4"), (name, kind.newbyteorder(">").str)]
    return np.dtype(fields)
