"""The site file that a gateway is started on, and the records: which of the two holds where they differ.

The records are the truth. The file is followed where nobody else has changed since what it speaks of; where both moved
on, the records stand, and the gateway says that the file is behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import delete, insert, select

from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Site
from gateway.records.database import Records
from gateway.sites.records import SiteRecords, difference
from gateway.sites.rows import Row, rows_of
from gateway.sites.tables import SiteFileRow

# What a site file of an edge need not speak of; where it says nothing, the records stay.
_UNSPOKEN = ("organisations", "facts", "shares", "virtual_points", "accounts", "memberships")
_LATER = ("edge", "sender")
_ALWAYS = frozenset({"site", "place", "line", "meter"})
_TABLE = SiteFileRow.__table__

Digests = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Started:
    """The site as the records have it.

    changes : how many records the file has changed. behind : in how many it says otherwise, and was not followed.
    """

    site: Site
    changes: int = 0
    behind: int = 0


async def load_or_import(records: Records, file: Site, clock: Clock) -> Started:
    """The site of the records, brought up to its file where that is newer.

    ConfigurationError where file and records would not fit together.
    """
    sites = SiteRecords(records, clock)
    present = await sites.site(file.id) if file.id in await sites.ids() else None
    if present is None:
        return await _imported(records, file, None, clock)
    changes = difference(present, _with_unspoken(file, present))
    if changes and not await _is_newer(records, file, present):
        return Started(present, behind=len(changes))
    return await _imported(records, file, present, clock)


def differing(file: Site, present: Site) -> int:
    """In how many records a file says otherwise than the site of the records; where it says nothing, it does not."""
    return len(difference(present, _with_unspoken(file, present)))


async def _imported(records: Records, file: Site, present: Site | None, clock: Clock) -> Started:
    wanted = file if present is None else _with_unspoken(file, present)
    changes, made = difference(present, wanted), present
    if changes or made is None:
        sites = SiteRecords(records, clock)
        made = await sites.apply(file.id, changes, "site file", "the gateway was started on it")
    await _remember(records, file, made, to_ms(clock.now()))
    return Started(made, changes=len(changes))


def _with_unspoken(file: Site, present: Site) -> Site:
    return replace(file, **{key: getattr(present, key) for key in _UNSPOKEN if not getattr(file, key)})


async def _is_newer(records: Records, file: Site, present: Site) -> bool:
    """Whether the file is another one than last time, and nobody has changed what it speaks of."""
    async with records.reading() as connection:
        last = (await connection.execute(select(_TABLE).where(_TABLE.c.site == file.id))).one_or_none()
    said = _digests(file)
    if last is None or last.file == said:
        return False
    spoken = {kind for kind, rows in rows_of(file).items() if rows} | _ALWAYS
    now = _digests(present)
    return all(now[kind] == last.records.get(kind) for kind in spoken)


async def _remember(records: Records, file: Site, made: Site, now_ms: int) -> None:
    """A crash before this is mended by the next start: the file then differs in nothing."""
    row = {"site": file.id, "file": dict(_digests(file)), "records": dict(_digests(made))}
    async with records.reading() as connection:
        last = (await connection.execute(select(_TABLE).where(_TABLE.c.site == file.id))).one_or_none()
    if last is not None and (last.file, last.records) == (row["file"], row["records"]):
        return
    async with records.writing() as connection:
        await connection.execute(delete(SiteFileRow).where(_TABLE.c.site == file.id))
        await connection.execute(insert(SiteFileRow).values(taken_at_ms=now_ms, **row))


def _digests(site: Site) -> Digests:
    """Of what a site says of each kind, in the order of its records."""
    return {kind: _digest(rows) for kind, rows in rows_of(site).items()}


def _digest(rows: Sequence[Row]) -> str:
    """Without what was not known when earlier digests were made, where nothing is said of it."""
    told = [{name: value for name, value in row.items() if value is not None or name not in _LATER} for row in rows]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()
