"""What was learnt of each counter from its own past, kept in the records: it takes long to learn, and is little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from energy.readings import Point
from gateway.findings.tables import LearntRow
from gateway.records.base import table_of
from gateway.records.database import Records

_TABLE = table_of(LearntRow)
# So many names fit into one question to any database.
_NAMES = 500


@dataclass(frozen=True, slots=True)
class Learnt:
    """Of a counter: its threshold, for how many hours an amount of it may stay the same, and up to when of its past."""

    threshold: float
    usual_run: float
    upto_ms: int


class LearntCounters:
    """What is known of the counters of a site by a method; what was learnt by another counts for nothing."""

    def __init__(self, records: Records, site: str, method: str) -> None:
        self._records, self._site, self._method = records, site, method

    async def all(self) -> dict[Point, Learnt]:
        """Of every counter that anything was learnt of."""
        wanted = select(_TABLE).where(_TABLE.c.site == self._site, _TABLE.c.method == self._method)
        async with self._records.reading() as connection:
            rows = (await connection.execute(wanted)).mappings().all()
        return {
            Point(row["meter"], row["quantity"]): Learnt(row["threshold"], row["usual_run"], row["upto_ms"])
            for row in rows
        }

    async def keep(self, learnt: Mapping[Point, Learnt]) -> None:
        """In place of what was known of these counters."""
        rows = [
            {
                "site": self._site,
                "meter": point.meter,
                "quantity": point.quantity,
                "threshold": one.threshold,
                "usual_run": one.usual_run,
                "upto_ms": one.upto_ms,
                "method": self._method,
            }
            for point, one in learnt.items()
        ]
        async with self._records.writing() as connection:
            for meters in _names(sorted({point.meter for point in learnt})):
                of_site = _TABLE.c.site == self._site
                await connection.execute(delete(_TABLE).where(of_site, _TABLE.c.meter.in_(meters)))
            if rows:
                await connection.execute(insert(_TABLE), rows)


def _names(meters: Sequence[str]) -> list[Sequence[str]]:
    return [meters[i : i + _NAMES] for i in range(0, len(meters), _NAMES)]
