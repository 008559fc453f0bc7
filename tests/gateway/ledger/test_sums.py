"""Sums are exact: of hours, of parts, of shares, of money, over random sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.life import EventKind, MeterEvent
from energy.organisations import Basis, FactName, Share
from energy.periods import Span
from energy.quantities import Medium
from energy.readings import to_ms
from energy.sites import Site
from gateway.ledger.answers import consumption
from gateway.ledger.books import Books
from gateway.ledger.periods import Figures
from gateway.ledger.scope import Node, NodeKind
from gateway.ledger.service import Range
from gateway.ledger.words import ConsumptionQuery
from tests.analytics.tariffs.files import tariff, version
from tests.gateway.ledger.books import NOBODY, Rows, books, columns, quarters
from tests.gateway.ledger.sites import account, fact, meter, organisation, place, point, share, site

# Three days over the turn of a year; what is dated changes at the second midnight.
START = datetime.fromisoformat("2025-12-30T00:00:00+08:00")
CHANGE = date(2025, 12, 31)
DAYS = 3
WHOLE = Range(START, START + timedelta(days=DAYS), Span.HOUR, NOBODY.zone_info)
BANDS = "time_of_use: {hours: {all_year: {every_day: {peak: [07:30-23:00], valley: [23:00-07:30]}}}}"
PAID = tariff(version("price: {peak: 1.234567, valley: 0.400001}", BANDS, since="2025-01-01"))
NODES = ("site/court", "place/p0", "place/p1", "organisation/o0", "organisation/o1", "organisation/o2", "item/01")
ORGANISATIONS = tuple(organisation(f"o{i}", "o0" if i == 2 else None) for i in range(3))
FACTS = (
    fact(FactName.AREA_M2, 700, until=CHANGE, organisation="o0"),
    fact(FactName.AREA_M2, 310.5, since=CHANGE, organisation="o0"),
    fact(FactName.AREA_M2, 99, organisation="o1"),
    fact(FactName.AREA_M2, 13.7, organisation="o2"),
)
MONEY = ("amount", "estimated", "cost", "unpriced")


@dataclass(frozen=True)
class Campus:
    site: Site
    moves: tuple[MeterEvent, ...]
    seed: int


@st.composite
def campuses(draw: st.DrawFn) -> Campus:
    """Trees of meters in places, of organisations and shared between them; no main meter is nobody's."""
    n = draw(st.integers(1, 7))
    parents = [draw(st.sampled_from([None, *range(i)])) for i in range(n)]
    shared = {i for i in range(n) if draw(st.integers(0, 3)) == 0}
    owners = [
        draw(st.sampled_from(["o0", "o1", "o2"] + ([None] if p is not None or i in shared else [])))
        for i, p in enumerate(parents)
    ]
    meters = [
        meter(
            f"m{i}",
            None if parent is None else f"m{parent}",
            organisation=owners[i],
            place=draw(st.sampled_from([None, "p0", "p1", "p2"])),
            item=draw(st.sampled_from([None, "A1", "B"])),
            account=draw(st.sampled_from([None, "1001"])),
            removed_on=draw(st.sampled_from([None, None, None, CHANGE])) if parent is not None else None,
        )
        for i, parent in enumerate(parents)
    ]
    shares = [s for i in sorted(shared) for s in draw(_shares_of(f"m{i}"))]
    if draw(st.booleans()):
        shares.append(share(Basis.FIXED, ("o0", "0.1"), ("o1", "0.9"), since=CHANGE, place="p1"))
    moved = draw(st.sampled_from([None, *range(n)]))
    moves = (MeterEvent(f"m{moved}", EventKind.MOVED, to_ms(START) + 30 * 3_600_000, place="p2"),) if moved else ()
    campus = site(
        *meters,
        places=[place("p0"), place("p1", "p0"), place("p2", "p1")],
        organisations=ORGANISATIONS,
        facts=FACTS,
        shares=shares,
        accounts=[account("1001", "t")],
    )
    return Campus(campus, moves, draw(st.integers(0, 10_000)))


@st.composite
def _shares_of(draw: st.DrawFn, name: str) -> list[Share]:
    """One share for all days, or one before and another after the change."""

    def one(**when: Any) -> Share:
        if draw(st.booleans()):
            return share(Basis.AREA, "o0", "o1", "o2", meter=name, **when)
        third = draw(st.sampled_from(["0.333333333", "0.0001", "0.5"]))
        return share(Basis.FIXED, ("o0", third), ("o2", str(1 - float(third))), meter=name, **when)

    return [one(until=CHANGE), one(since=CHANGE)] if draw(st.booleans()) else [one()]


def readings(seed: int) -> Rows:
    """Amounts to the thousandth, with an outage of some hours."""
    rng = np.random.default_rng(seed)
    rows = quarters(96 * DAYS, rng.uniform(0, 5, 96 * DAYS).round(3).tolist(), start=START)
    at = list(rows)
    gone = int(rng.integers(1, len(at) - 60))
    return {t: v for i, (t, v) in enumerate(rows.items()) if not gone <= i < gone + int(seed % 50)}


async def filled(kept: Books, store: Any, campus: Campus) -> None:
    for i, one in enumerate(campus.site.meters):
        await store.write(columns(readings(campus.seed + i), point(one.id)))
    await kept.catch_up()


def total(figures: Figures, name: str) -> int:
    return int(getattr(figures, name).sum())


@settings(max_examples=15)
@given(campuses())
async def test_hours_add_up_to_days_months_years_and_to_the_whole(campus: Campus) -> None:
    async with books(campus.site, campus.moves, tariffs=[PAID]) as (kept, store):
        await filled(kept, store, campus)
        for name in NODES:
            of_hours = await kept.consumption.of_node(Node.parse(name), WHOLE)
            for medium, counted in of_hours.items():
                for by in (Span.DAY, Span.WEEK, Span.MONTH, Span.YEAR, None):
                    asked = Range(WHOLE.start, WHOLE.end, by, WHOLE.zone)
                    found = (await kept.consumption.of_node(Node.parse(name), asked))[medium].figures
                    for column in MONEY:
                        per_period = np.add.reduceat(
                            getattr(counted.figures, column), (asked.edges[:-1] - asked.edges[0]) // 2
                        )
                        assert getattr(found, column).tolist() == per_period.tolist(), (name, by, column)


@settings(max_examples=25)
@given(campuses())
async def test_what_organisations_use_is_the_whole_to_the_last_millionth(campus: Campus) -> None:
    """Amount, money, and what is not priced; whoever owns, shares, moves or takes away what."""
    async with books(campus.site, campus.moves, tariffs=[PAID]) as (kept, store):
        await filled(kept, store, campus)
        whole = (await kept.consumption.of_node(Node(NodeKind.SITE, "court"), WHOLE))[Medium.ELECTRICITY].figures
        used = await kept.consumption.of_organisations(WHOLE)

        for column in MONEY:
            parts = [total(own[Medium.ELECTRICITY], column) for own in used.values() if own]
            assert sum(parts) == total(whole, column), column


@settings(max_examples=25)
@given(campuses())
async def test_an_organisation_is_the_same_asked_alone_and_with_all(campus: Campus) -> None:
    async with books(campus.site, campus.moves, tariffs=[PAID]) as (kept, store):
        await filled(kept, store, campus)
        used = await kept.consumption.of_organisations(WHOLE)
        for name, below in (("o0", ("o0", "o2")), ("o1", ("o1",)), ("o2", ("o2",))):
            alone = await kept.consumption.of_node(Node(NodeKind.ORGANISATION, name), WHOLE.whole)
            with_all = [used[o][Medium.ELECTRICITY] for o in below if used.get(o)]

            for column in MONEY:
                own = total(alone[Medium.ELECTRICITY].figures, column) if alone else 0
                assert own == sum(total(f, column) for f in with_all), (name, column)


@settings(max_examples=15)
@given(campuses())
async def test_parts_and_their_rest_are_the_whole(campus: Campus) -> None:
    def micro(value: float | str | None) -> int:
        return round(float(value or 0) * 1e6)

    async with books(campus.site, campus.moves, tariffs=[PAID]) as (kept, store):
        await filled(kept, store, campus)
        for name in (*NODES, *(f"meter/{m.id}" for m in campus.site.meters if m.removed_on is None)):
            query = ConsumptionQuery(name, to_ms(WHOLE.start), to_ms(WHOLE.end), "day", parts=True, compare=False)
            for words in (await consumption(kept, query)).media:
                if words.rest is not None:
                    figures = [*(p.figure for p in words.parts), words.rest]
                    assert sum(micro(f.value) for f in figures) == micro(words.total.value)
                    assert sum(micro(f.unpriced) for f in figures) == micro(words.total.unpriced)


@settings(max_examples=15)
@given(campuses())
async def test_shares_of_time_are_parts_of_one(campus: Campus) -> None:
    async with books(campus.site, campus.moves, tariffs=[PAID]) as (kept, store):
        await filled(kept, store, campus)
        for name in NODES:
            for counted in (await kept.consumption.of_node(Node.parse(name), WHOLE)).values():
                f = counted.figures
                known = f.measured + f.estimated_time + f.manual + f.disputed
                assert np.all(known <= 1 + 1e-9), name
                assert known + f.missing == pytest.approx(1.0)
