"""The quotas that were entered, and the bounds that were crossed, in the records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update

from analytics.quotas.pace import Bound, Mark
from energy.ports import Clock
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import to_ms
from energy.sites import Text
from gateway.quotas.tables import QuotaCrossingRow, QuotaRow
from gateway.records.base import table_of
from gateway.records.database import Records
from gateway.records.entries import Entries, Entry, Keeping

_NAMES = 500


class Quotas(Entries[Quota]):
    """The quotas of all organisations. Two of one day for one year contradict each other; a later one replaces."""

    def __init__(self, records: Records, clock: Clock) -> None:
        super().__init__(records, clock, _KEEPING)

    async def holding(self, owners: Iterable[str] | None = None) -> list[Entry[Quota]]:
        """Those that hold, one for each organisation, medium and year: the one dated last."""
        last: dict[tuple[str, QuotaOf, int], Entry[Quota]] = {}
        for entry in await self.entries(owners):
            name = entry.value.of, entry.value.limited, entry.value.year
            if name not in last or last[name].value.dated < entry.value.dated:
                last[name] = entry
        return [last[name] for name in sorted(last)]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A bound of a quota that was crossed, told once: when, how far, and in which words.

    What turns warnings into messages reads these: `of` is whom it concerns, `level` how grave, `raised_at_ms` since
    when; it stands while `cleared_at_ms` is None.
    """

    id: int
    quota_id: int
    of: str
    mark: Mark
    share: float
    raised_at_ms: int
    cleared_at_ms: int | None
    text: Text


class Crossings:
    """The bounds that were crossed, in the records. A job writes them; nobody enters any."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    async def crossings(
        self, owners: Collection[str] | None = None, *, standing: bool = False, after: int = 0
    ) -> list[Crossing]:
        """Of these owners, or of all, oldest first: those that stand, or all; those after an id."""
        table = table_of(QuotaCrossingRow)
        wanted = select(table).where(table.c.id > after).order_by(table.c.id)
        if standing:
            wanted = wanted.where(table.c.cleared_at_ms.is_(None))
        async with self._records.reading() as connection:
            rows = (await connection.execute(wanted)).mappings().all()
        return [_crossing(row) for row in rows if owners is None or row["of"] in owners]

    async def tell(
        self, entry: Entry[Quota], new: Sequence[tuple[Mark, float, Text]], over: Sequence[Mark]
    ) -> list[Crossing]:
        """Keep what is crossed, each with how far and in which words, and end what is over."""
        table, now = table_of(QuotaCrossingRow), to_ms(self._clock.now())
        rows = [
            {
                "quota_id": entry.id,
                "of": entry.value.of,
                "bound": str(bound),
                "level": level,
                "share": share,
                "raised_at_ms": now,
                "zh": text.zh,
                "en": text.en,
            }
            for (bound, level), share, text in new
        ]
        async with self._records.writing() as connection:
            for bound, level in over:
                ended = update(table).where(
                    table.c.quota_id == entry.id,
                    table.c.bound == str(bound),
                    table.c.level == level,
                    table.c.cleared_at_ms.is_(None),
                )
                await connection.execute(ended.values(cleared_at_ms=now))
            if rows:
                await connection.execute(insert(table), rows)
        return [c for c in await self.crossings([entry.value.of], standing=True) if c.raised_at_ms == now]

    async def end(self, quota_ids: Collection[int]) -> None:
        """End what stands of quotas that hold no longer."""
        table, now = table_of(QuotaCrossingRow), to_ms(self._clock.now())
        names = sorted(quota_ids)
        async with self._records.writing() as connection:
            for i in range(0, len(names), _NAMES):
                own = table.c.quota_id.in_(names[i : i + _NAMES])
                ended = update(table).where(own, table.c.cleared_at_ms.is_(None))
                await connection.execute(ended.values(cleared_at_ms=now))


def _crossing(row: Mapping[Any, Any]) -> Crossing:
    mark = Bound(row["bound"]), float(row["level"])
    times = row["raised_at_ms"], row["cleared_at_ms"]
    return Crossing(row["id"], row["quota_id"], row["of"], mark, row["share"], *times, Text(row["zh"], row["en"]))


def _row(quota: Quota) -> dict[str, Any]:
    same = {n: getattr(quota, n) for n in ("of", "year", "document", "dated", "standard", "factor_set", "note")}
    months = None if quota.months is None else [str(m) for m in quota.months]
    told = {"limited": str(quota.limited), "method": str(quota.method), "amount": str(quota.amount)}
    return {**same, **told, "months": months}


def _quota(row: Mapping[str, Any]) -> Quota:
    months = None if row["months"] is None else tuple(Decimal(m) for m in row["months"])
    return Quota(
        row["of"],
        QuotaOf(row["limited"]),
        row["year"],
        Decimal(row["amount"]),
        Method(row["method"]),
        row["document"],
        row["dated"],
        months,
        row["standard"],
        row["factor_set"],
        row["note"],
    )


_KEEPING: Keeping[Quota] = Keeping(
    "quota",
    table_of(QuotaRow),
    "of",
    _row,
    _quota,
    group=lambda quota: (quota.of, quota.limited, quota.year),
    clash=lambda one, other: one.dated == other.dated,
    substance=lambda quota: replace(quota, note=""),
)
