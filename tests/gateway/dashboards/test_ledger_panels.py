"""What panels ask PostgreSQL is answered with the figures of the API: nodes, meters, quotas, contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import numpy as np
import pytest
import pytest_asyncio

from adapters.clocks import SteppedClock
from analytics.quotas.miss_file import read_misses
from energy.life import EventKind, MeterEvent
from energy.organisations import Basis
from energy.periods import Span
from energy.quantities import Medium
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import Point, to_ms
from energy.sites import Site
from gateway.contracts.answers import statement_words
from gateway.contracts.service import Contracts
from gateway.dashboards.campus import Campus
from gateway.dashboards.making import Known, dashboards
from gateway.dashboards.panels import Model, Words, uid_of
from gateway.dashboards.parts import Compositions
from gateway.dashboards.sources import LEDGER, RECORDS, Source, Sources
from gateway.ledger.books import Books
from gateway.ledger.scope import Node
from gateway.ledger.service import Range
from gateway.quotas import words as w
from gateway.quotas.answers import listed
from gateway.quotas.books import quota_books
from gateway.records.database import open_records
from tests.analytics.contracts.contract_files import SAVINGS, document
from tests.analytics.tariffs.files import tariff, version
from tests.databases import on_postgresql
from tests.gateway.billing import accounts
from tests.gateway.dashboards.asking import asked, let_read, question, rows
from tests.gateway.ledger.books import START, Rows, books, columns, quarters
from tests.gateway.ledger.sites import ENERGY, meter, organisation, place, point, share, site
from tests.gateway.ledger.test_build import troubled
from tests.postgresql import PostgresServer
from tests.working_days import CHINA

DAYS = 30
WATER = Point("well", "volume")
BOTH = Sources((Source(LEDGER, "here"), Source(RECORDS, "here")))
EN = Words("en")


def court(zone: str = "Asia/Shanghai") -> Site:
    """A house with a shared lift, a guest below its main, a meter that goes and one that moves, and a well."""
    made = site(
        meter("main", place="hall", organisation="office"),
        meter("sub", "main", place="annex", organisation="guest"),
        meter("lift", place="hall"),
        meter("old", place="annex", organisation="guest", removed_on=date(2026, 3, 12)),
        meter("wanderer", place="annex", organisation="office"),
        meter("well", medium=Medium.WATER, quantities=("volume",), place="hall", organisation="office"),
        meter("mute", place="hall", organisation="office"),
        places=[place("hall"), place("annex")],
        organisations=[organisation("office"), organisation("guest")],
        shares=[share(Basis.FIXED, ("office", "0.3"), ("guest", "0.7"), meter="lift")],
    )
    return replace(made, zone=zone)


EVENTS = (MeterEvent("wanderer", EventKind.MOVED, to_ms(START + timedelta(days=17, hours=5)), place="hall"),)
NODES = ("site/court", "place/hall", "place/annex", "organisation/office", "organisation/guest")


@dataclass
class Court:
    """The books over a ledger in PostgreSQL, and the dashboards made of what they know."""

    books: Books
    server: PostgresServer
    database: str
    zone: str

    def model(self, node: str) -> Model:
        known = self.books.kept
        campus = Campus(known.site, Compositions(known.site, known.events), EN)
        [found] = [m for m in campus.dashboards() if m["uid"] == campus.uid(Node.parse(node))]
        return found

    async def answer(self, sql: str, span: tuple[datetime, datetime], **chosen: str) -> list[tuple[object, ...]]:
        return await rows(self.server, self.database, asked(sql, span[0], span[1], **chosen))

    def range(self, span: tuple[datetime, datetime], by: Span) -> Range:
        return Range(*span, by, self.books.kept.site.zone_info)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["Asia/Shanghai", "Europe/Berlin"])
async def house(request: pytest.FixtureRequest, postgres: PostgresServer) -> AsyncIterator[Court]:
    database = postgres.copy("template1")
    async with books(court(request.param), EVENTS, ledger_at=postgres.address(database)) as (made, store):
        for i, name in enumerate(("main", "sub", "lift", "old", "wanderer")):
            await store.write(columns(troubled(DAYS, i), point(name)))
        await store.write(columns(quarters(DAYS * 96, 0.125), WATER))
        await made.catch_up()
        let_read(postgres, database, LEDGER)
        yield Court(made, postgres, database, request.param)


def span_of(zone: str) -> tuple[datetime, datetime]:
    """Whole local days, from before the first reading to after the last, across the end of winter time."""
    local = replace(court(), zone=zone).zone_info
    first, last = (datetime(2026, 3, 1, tzinfo=local), datetime(2026, 4, 3, tzinfo=local))
    return first.astimezone(UTC), last.astimezone(UTC)


def near(found: list[object], wanted: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert np.array([np.nan if v is None else v for v in found], float) == pytest.approx(wanted, abs=1e-9, nan_ok=True)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("by", [Span.DAY, Span.HOUR])
@pytest.mark.parametrize("node", NODES)
async def test_a_node_shows_what_the_api_says(house: Court, node: str, by: Span) -> None:
    span = span_of(house.zone)
    found = await house.books.consumption.of_node(Node.parse(node), house.range(span, by))
    model = house.model(node)

    for medium, name in ((Medium.ELECTRICITY, "Electricity"), (Medium.WATER, "Water")):
        if medium not in found:
            continue
        figures = found[medium].figures
        told = await house.answer(question(model, LEDGER, f"{name} by {by}"), span)
        assert len(told) == len(figures.amount)
        known = np.where(figures.known, 1.0, np.nan)
        near([row[2] for row in told], known * figures.estimated / 1e6)
        near([row[1] for row in told], known * (figures.amount - figures.estimated) / 1e6)
        assert np.nansum(known * figures.amount) > 0


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("node", NODES)
async def test_how_it_is_known_is_shown_as_it_is_and_missing_is_not_zero(house: Court, node: str) -> None:
    span = span_of(house.zone)
    found = await house.books.consumption.of_node(Node.parse(node), house.range(span, Span.DAY))
    told = await house.answer(question(house.model(node), LEDGER, "Electricity: how it is known"), span)

    figures = found[Medium.ELECTRICITY].figures
    for i, name in enumerate(("measured", "estimated_time", "manual", "disputed", "missing"), start=1):
        near([row[i] for row in told], getattr(figures, name))
    assert figures.missing[0] > 0.7 and figures.missing[10] < 0.6


@pytest.mark.asyncio(loop_scope="module")
async def test_a_day_that_is_shown_in_part_is_told_whole(house: Court) -> None:
    since, until = span_of(house.zone)
    sql = question(house.model("place/hall"), LEDGER, "Electricity by day")

    whole = await house.answer(sql, (since, until))
    part = await house.answer(sql, (since + timedelta(days=2, hours=7), until - timedelta(days=1, hours=7)))

    assert part == whole[2:-1]


@pytest.mark.asyncio(loop_scope="module")
async def test_who_uses_most_is_who_does_by_the_api(house: Court) -> None:
    span = span_of(house.zone)
    told = await house.answer(question(house.model("site/court"), LEDGER, "Electricity: who uses most"), span)

    whole = house.range(span, Span.DAY).whole
    wanted = {}
    for name in ("place/hall", "place/annex"):
        found = await house.books.consumption.of_node(Node.parse(name), whole, Medium.ELECTRICITY)
        figures = found[Medium.ELECTRICITY].figures
        wanted[name] = figures.amount[0] / 1e6, figures.estimated[0] / 1e6, figures.missing[0]
    ordered = sorted(wanted.values(), reverse=True)
    assert [row[1:] for row in told] == [pytest.approx(values, abs=1e-9) for values in ordered]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_meter_shows_what_the_api_says(house: Court) -> None:
    span = span_of(house.zone)
    [model] = [m for m in dashboards(Known(house.books.kept.site), BOTH, "en") if m["uid"] == uid_of("meters", "court")]
    for title, by in (("By hour", Span.HOUR), ("By day", Span.DAY)):
        figures = await house.books.consumption.of_point(point("main"), house.range(span, by))
        told = await house.answer(question(model, LEDGER, title), span, meter="main", counter=ENERGY)
        known = np.where(figures.known, 1.0, np.nan)
        near([row[1] for row in told], known * (figures.amount - figures.estimated) / 1e6)
        near([row[3] for row in told], figures.missing)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_role_of_grafana_reads_what_is_shown_and_nothing_else(house: Court) -> None:
    for forbidden in (
        "SELECT * FROM ledger.marks", "DELETE FROM ledger.days", "CREATE TABLE public.mine (x int)",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(house.server, house.database, forbidden)


# -- records ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The name of a new database with the tables of the records."""
    return on_postgresql(postgres)().partition("?")[0].rpartition("/")[2]


def steady(days: int, use: float, start: datetime) -> Rows:
    return quarters(days * 96, use, start=start)


async def test_a_quota_shows_used_and_allowed_as_the_api_does(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    now = datetime(2026, 3, 10, 4, tzinfo=UTC)
    new_year = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    months = tuple(Decimal(100 * m + 7) for m in range(1, 13))
    given = Quota(
        "organisation/office", QuotaOf.ELECTRICITY, 2026, sum(months, Decimal(0)), Method.HANDED_DOWN, "letter 7",
        date(2026, 1, 5), months,
    )  # fmt: skip
    here = site(meter("main", organisation="office"), organisations=[organisation("office")])
    async with (
        books(here, ledger_at=postgres.address(database)) as (made, store),
        open_records(postgres.address(database), tmp_path) as records,
    ):
        let_read(postgres, database, LEDGER, RECORDS)
        await store.write(columns(steady(69, 0.75, new_year)))
        await made.catch_up()
        quotas = quota_books(
            records, SteppedClock(now), made, None, read_misses(Path("config/forecast-misses.yaml")), CHINA
        )
        earlier = replace(given, amount=Decimal(5), months=None, dated=date(2026, 1, 4))
        taken_back = replace(given, amount=Decimal(6), months=None, dated=date(2026, 2, 4))
        ids = (await quotas.entries.add([earlier, given, taken_back], "officer")).ids
        await quotas.entries.withdraw(ids[-1], "officer", "a mistake")
        [pace] = (await listed(quotas, made, w.QuotasQuery("organisation/office"))).quotas

    [model] = [m for m in dashboards(Known(here, (), [given]), BOTH, "en") if "-quota-" in m["uid"]]
    span = new_year, datetime.fromisoformat("2026-03-10T00:00:00+08:00")
    title = "Electricity: used and allowed so far"
    used = await rows(postgres, database, asked(question(model, LEDGER, title), *span))
    allowed = await rows(postgres, database, asked(question(model, RECORDS, title), *span))
    [(amount,)] = await rows(
        postgres, database, asked(question(model, RECORDS, "Electricity: quota of the year"), *span)
    )

    assert len(used) == 31 + 28 + 9 and len(allowed) == 365
    # 68 days of 72 kWh.
    assert used[-1][1] == pytest.approx(pace.used) == pytest.approx(68 * 72)
    assert dict(allowed)[used[-1][0]] == pytest.approx(107 + 207 + 307 * 9 / 31)
    # The platform goes by weekdays within the month; at the end of each they agree.
    assert allowed[31 + 28 - 1][1] == pytest.approx(107 + 207)
    assert allowed[-1][1] == pytest.approx(float(given.amount)) == pytest.approx(float(amount))
    assert 107 + 207 < pace.allowed < 107 + 207 + 307


async def test_statements_show_what_was_frozen_and_what_was_taken_back(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    clock = SteppedClock(datetime.fromisoformat("2026-03-10T12:00:00+08:00").astimezone(UTC))
    january, february, march = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
    campus = accounts.site([accounts.meter("main", account="1100")])
    async with (
        books(campus, tariffs=[tariff(version(accounts.FLAT))]) as (kept, store),
        open_records(postgres.address(database), tmp_path) as records,
    ):
        let_read(postgres, database, RECORDS)
        await store.write(accounts.hourly("main", 60))
        await kept.catch_up()
        contracts = Contracts(records, clock, kept, store)
        await contracts.registry.bring({"lighting": document(SAVINGS, tmp_path)}, "li", "signed")
        await contracts.registry.bring_weather("54511", {january + timedelta(days=i): 2000 for i in range(70)}, "li")
        made = await contracts.agree("lighting", "savings", Decimal(30), date(2025, 1, 1), january)
        await contracts.freeze_baseline("lighting", made, "li", "both signed")
        wrong = await contracts.freeze("lighting", january, february, "li")
        await contracts.reverse(wrong.id, "li", "late")
        kept_ones = [
            await contracts.freeze("lighting", january, february, "li"),
            await contracts.freeze("lighting", february, march, "li"),
        ]
        answers = [statement_words(one, []) for one in kept_ones]

    [model] = [m for m in dashboards(Known(campus), BOTH, "en") if "-contracts-" in m["uid"]]
    span = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)

    async def shown(title: str) -> list[tuple[object, ...]]:
        return await rows(postgres, database, asked(question(model, RECORDS, title), *span, contract="lighting"))

    saved = [sum(Decimal(line.saving) for line in a.lines if line.saving is not None) for a in answers]
    # 930 - 744 and 840 - 672 kWh.
    assert saved == [186, 168]
    assert [row[1:] for row in await shown("Saved, by statement")] == [("saved kWh", 186.0), ("saved kWh", 168.0)]
    assert [row[1] for row in await shown("Due, by statement")] == [float(a.due) for a in answers]
    told = await shown("Statements")
    assert [(row[0], row[5]) for row in told] == [
        ("HT-2026-018-001", "taken back"),
        ("HT-2026-018-002", "takes back"),
        ("HT-2026-018-003", "holds"),
        ("HT-2026-018-004", "holds"),
    ]
    assert told[0][1:5] == (january, date(2026, 1, 31), 133.92, 186.0)
    for secret in ("users", "contracts", "changes"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)):
            await rows(postgres, database, f"SELECT * FROM {secret}")
