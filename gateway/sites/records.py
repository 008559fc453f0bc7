"""The site in the records: loaded, compared with what a file says, and changed, with who and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.documents import spelled
from energy.errors import ConfigurationError, StoreError, UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Site
from gateway.audit.append import append
from gateway.audit.asking import asking
from gateway.audit.chain import Action, Deed
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from gateway.sites.keeping import KEPT, kept_rows, write
from gateway.sites.rows import rows_of, site_of
from gateway.sites.tables import SiteRow


class MovedOn(StoreError):
    """The records are no longer what somebody was shown before he decided."""


class SiteRecords:
    """The sites that the records know."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    async def ids(self) -> list[str]:
        async with self._records.reading() as connection:
            return sorted((await connection.execute(select(SiteRow.id))).scalars())

    async def site(self, site_id: str) -> Site:
        """The site as it is; UnknownName where the records have none of this id."""
        async with self._records.reading() as connection:
            found = await _site(connection, site_id)
        if found is None:
            raise UnknownName(f"site {site_id!r} is not in the records")
        return found

    async def differences(self, wanted: Site) -> list[Change]:
        """What would have to change for the records to say what `wanted` says."""
        async with self._records.reading() as connection:
            return difference(await _site(connection, wanted.id), wanted)

    async def apply(
        self, site_id: str, changes: Sequence[Change], who: str, why: str = "", source: Mapping[str, Any] | None = None
    ) -> Site:
        """Make the changes, all or none, and log them; the site as it became.

        source : what is told of the file that they come from. MovedOn where a record is no longer what a change says
        it was; ConfigurationError where the site would not fit together.
        """
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            present = await _site(connection, site_id)
            _must_be_as_before(present, changes)
            await write(connection, site_id, changes)
            made = await _site(connection, site_id)
            if made is None:
                raise UnknownName(f"site {site_id!r} is not in the records")
            _must_fit(made)
            await log_changes(connection, changes, author, site_id)
            await append(connection, _sources(source, author, site_id))
        return made


def difference(now: Site | None, wanted: Site) -> list[Change]:
    """What differs, kind by kind: what is new or other in the order of `wanted`, then what is gone."""
    before = rows_of(now) if now is not None else {kind: [] for kind in KEPT}
    return [change for kind, rows in rows_of(wanted).items() for change in _of_kind(kind, before[kind], rows)]


def _sources(source: Mapping[str, Any] | None, author: Author, site_id: str) -> list[Deed]:
    if source is None:
        return []
    asked, detail = asking(), {"who": author.who, "why": author.why, **source}
    account = asked.account or author.who
    return [Deed(author.at_ms, Action.CHANGE, f"site_file/{site_id}", account, asked.address, detail=detail)]


async def _site(connection: AsyncConnection, site_id: str) -> Site | None:
    rows = await kept_rows(connection, site_id)
    return site_of(rows) if rows["site"] else None


def _of_kind(kind: str, now: Sequence[dict[str, object]], wanted: Sequence[dict[str, object]]) -> Iterator[Change]:
    key = KEPT[kind].key_of
    before, after = {key(row): row for row in now}, {key(row): row for row in wanted}
    for name, row in after.items():
        if before.get(name) != row:
            yield Change(kind, name, before.get(name), row)
    for name, row in before.items():
        if name not in after:
            yield Change(kind, name, row, None)


def _must_be_as_before(present: Site | None, changes: Sequence[Change]) -> None:
    rows = rows_of(present) if present is not None else {kind: [] for kind in KEPT}
    now = {(kind, KEPT[kind].key_of(row)): row for kind, found in rows.items() for row in found}
    for change in changes:
        if now.get((change.kind, change.key)) != change.before:
            raise MovedOn(f"{change.kind} {change.key} was changed by somebody else meanwhile; compare again")


def _must_fit(site: Site) -> None:
    faults = [f"{spelled(way)}: {text}" for way, text in site.faults()]
    if faults:
        hint = f"the records of site {site.id} would not fit together; `jieneng site import` shows what goes and comes"
        raise ConfigurationError([hint, *faults])
