"""Readings in InfluxDB 2.

InfluxDB answers a write when it is on its disk and can be asked for. But it puts a second value of an instant in the
place of the first: so late rows are looked up before they are written (see `SeriesStore`). What it refuses of a batch,
such as what is older than its bucket keeps, is found and told; all else of the batch is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from adapters.batches import Deduplicated
from adapters.influx_client import InfluxAddress, InfluxClient
from adapters.influx_series import LAST_KNOWN_MS, Answer, export_query, lines_of, newest_query
from adapters.series_store import Rows, SeriesStore, chunks
from energy.readings import Point

# Points that are asked for together.
_TOGETHER = 100


@asynccontextmanager
async def open_influx(address: str) -> AsyncIterator[InfluxReadings]:
    """The store at an address; StoreError where the server cannot be asked."""
    client = InfluxClient(InfluxAddress.parse(address))
    try:
        store = InfluxReadings(client)
        await store.begin()
        yield store
    finally:
        await client.close()


class InfluxReadings(SeriesStore):
    """Fulfils `RegisterStore`."""

    def __init__(self, client: InfluxClient) -> None:
        super().__init__()
        self._client, self._bucket, self._name = client, client.at.bucket, client.at.name

    async def begin(self) -> None:
        """Learn which points there are, and the newest reading of each."""
        found = await self._asked_for(newest_query(self._bucket, self._name))
        self._remembered({point: rows.last() for point, rows in found.items()})

    async def learn(self, meters: Sequence[str]) -> None:
        if meters:
            await self.begin()

    async def _put(self, fresh: Deduplicated) -> Mapping[int, str]:
        lines = await asyncio.to_thread(lines_of, self._name, self._points, fresh)
        return await self._client.put(lines)

    async def _rows(self, points: Sequence[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        from_ms, to_ms = max(from_ms, 0), min(to_ms, LAST_KNOWN_MS)
        found: dict[Point, Rows] = {}
        if from_ms >= to_ms:
            return found
        for some in chunks(sorted(set(points)), _TOGETHER):
            found |= await self._asked_for(export_query(self._bucket, self._name, some, from_ms, to_ms))
        return found

    async def _asked_for(self, flux: str) -> dict[Point, Rows]:
        answer = Answer()
        await self._client.ask(flux, answer.take)
        return await asyncio.to_thread(answer.rows)
