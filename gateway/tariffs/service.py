"""The tariffs that the records know, and every document that they ever were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.tariffs.tariff import Tariff
from energy.errors import StoreError, UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from gateway.tariffs.documents import keys_of, tariff_of
from gateway.tariffs.tables import TariffRow

KIND = "tariff"


@dataclass(frozen=True, slots=True)
class KeptTariff:
    """A tariff as it was entered; `superseded_at_ms` is None for the one that holds."""

    tariff: Tariff
    document: str
    who: str
    why: str
    entered_at_ms: int
    superseded_at_ms: int | None = None


class Tariffs:
    """The tariffs in the records."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    async def tariffs(self) -> list[Tariff]:
        """Those that hold, by id."""
        return [kept.tariff for kept in await self.kept()]

    async def kept(self, *, superseded: bool = False) -> list[KeptTariff]:
        """Those that hold, by id, with who entered them; those that they took the place of too, if asked, oldest
        first."""
        wanted = select(TariffRow.__table__).order_by(TariffRow.number)
        async with self._records.reading() as connection:
            found = await _found(connection, wanted if superseded else _holding(wanted))
        # Sorted here: databases differ in how they sort letters.
        return sorted(found, key=lambda kept: kept.tariff.id)

    async def one(self, tariff_id: str) -> KeptTariff:
        """The one of this id that holds; UnknownName where there is none."""
        for kept in await self.kept():
            if kept.tariff.id == tariff_id:
                return kept
        raise UnknownName(f"tariff {tariff_id!r} is not in the records")

    async def differences(self, documents: Mapping[str, str]) -> list[Change]:
        """What is new or other in documents by id, key by key; tariffs they do not speak of stay."""
        async with self._records.reading() as connection:
            return _differences(await _texts(connection), documents)

    async def apply(self, documents: Mapping[str, str], changes: Sequence[Change], who: str, why: str = "") -> None:
        """Let the documents that the changes name hold from now on, all or none.

        StoreError where the records are no longer what the changes say they were.
        """
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            if _differences(await _texts(connection), documents) != list(changes):
                raise StoreError("the tariffs were changed by somebody else meanwhile; compare again")
            for change in changes:
                await _supersede(connection, change.key, documents[change.key], author)
            await log_changes(connection, changes, author)


def _differences(now: Mapping[str, str], documents: Mapping[str, str]) -> list[Change]:
    changes = []
    for name, text in documents.items():
        before = keys_of(now[name]) if name in now else None
        if before != (after := keys_of(text)):
            changes.append(Change(KIND, name, before, after))
    return changes


async def _supersede(connection: AsyncConnection, tariff_id: str, text: str, author: Author) -> None:
    old = update(TariffRow).where(TariffRow.id == tariff_id, TariffRow.superseded_at_ms.is_(None))
    await connection.execute(old.values(superseded_at_ms=author.at_ms))
    said = {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms}
    await connection.execute(insert(TariffRow).values(id=tariff_id, document=text, **said))


def _holding(wanted: Select[Any]) -> Select[Any]:
    return wanted.where(TariffRow.superseded_at_ms.is_(None))


async def _texts(connection: AsyncConnection) -> dict[str, str]:
    rows = await connection.execute(_holding(select(TariffRow.__table__)))
    return {row["id"]: row["document"] for row in rows.mappings()}


async def _found(connection: AsyncConnection, wanted: Select[Any]) -> list[KeptTariff]:
    return [_kept(row) for row in (await connection.execute(wanted)).mappings()]


def _kept(row: RowMapping) -> KeptTariff:
    made = tariff_of(row["id"], row["document"])
    said = (row["who"], row["why"], row["entered_at_ms"], row["superseded_at_ms"])
    return KeptTariff(made, row["document"], *said)
