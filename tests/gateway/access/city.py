"""A small city with everything in it, every name of which tells whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from adapters.clocks import SteppedClock
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.wire import EdgeState, MeterState, encode
from analytics.alarms.rules import Level
from analytics.contracts.inputs import Adjustment
from analytics.quotas.pace import Bound
from energy.bills import SupplierBill
from energy.findings import Finding, FindingKind
from energy.life import EventKind, MeterEvent
from energy.organisations import Account, Basis, FactName, Membership, Organisation
from energy.ports import Refusal
from energy.quantities import Medium
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import Point, to_ms
from energy.sites import Meter, Place, Site, Text, VirtualPoint
from energy.stock import MoveKind, StockMove
from energy.validity import ALWAYS
from gateway.access.door import LocalDoor
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.accounts.passwords import Passwords
from gateway.accounts.secrecy import Seal
from gateway.accounts.service import Accounts
from gateway.alerts.alarm import Member, Raised
from gateway.alerts.alerts import Alerts
from gateway.backups.service import StoreCopies
from gateway.billing.service import Bills
from gateway.contracts.service import Contracts
from gateway.edges.service import Edges
from gateway.findings.looks import Look
from gateway.findings.worth import Valued
from gateway.ledger.books import Books
from gateway.life.service import Lives
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.process.others import Processes
from gateway.quotas.books import QuotaBooks
from gateway.records.database import Records, open_records
from gateway.services import Services
from gateway.sites.files import SiteFiles
from gateway.sites.records import SiteRecords, difference
from gateway.sites.service import Directory
from gateway.stock.service import Stock
from tests.databases import new_records
from tests.gateway.ledger.books import books, columns
from tests.gateway.ledger.sites import fact, share
from tests.gateway.opened import opened
from tests.gateway.process.test_others import state

ENERGY = "active_energy_import"
FIRST = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
NOW = datetime(2026, 3, 10, 5, tzinfo=UTC)
# Each has its own use of an hour, so that a figure tells whose it is.
USE = {"own": 3.0, "child": 5.0, "parent": 7.0, "foreign": 11.0, "secret": 0.7}
# The bureau `parent` has the office `own`; `child` is below `own`; `foreign` is beside. `secret` is below `own`
# too, and hidden; its main hangs behind that of `own`.
NODES = ("own", "child", "parent", "foreign", "secret")
# These belong to a department each, too.
OF_BUREAUS = ("own", "child", "foreign")
ABOVE = {"own": "parent", "child": "own", "parent": None, "foreign": None, "secret": "own"}
HIDDEN = {"secret": ALWAYS}


def text(name: str) -> Text:
    return Text(f"{name}名", f"{name} name")


def site() -> Site:
    """Each has a building with a main and a sub-meter, an account and a virtual point; own and foreign share a main."""
    meters = [meter for name in NODES for meter in _meters(name)]
    shared = Meter("shared-main", text("shared"), Medium.ELECTRICITY, place="hall", quantities=(ENERGY,))
    return Site(
        "court",
        Text("城", "city"),
        "Asia/Shanghai",
        places=(
            Place("town", text("town"), "campus"),
            Place("hall", text("hall"), "building", "town"),
            *(Place(f"{n}-place", text(f"{n}-place"), "building", "town") for n in NODES),
        ),
        meters=(*meters, shared),
        organisations=(
            *(
                Organisation(f"{n}-office", text(f"{n}-office"), parent=_office(ABOVE[n]), hidden=HIDDEN.get(n))
                for n in _down()
            ),
            *(Organisation(f"{n}-bureau", text(f"{n}-bureau"), "department") for n in OF_BUREAUS),
        ),
        memberships=tuple(Membership(f"{n}-office", f"{n}-bureau") for n in OF_BUREAUS),
        facts=tuple(fact(FactName.AREA_M2, 100 + i, organisation=f"{n}-office") for i, n in enumerate(NODES)),
        shares=(share(Basis.FIXED, ("own-office", "0.25"), ("foreign-office", "0.75"), meter="shared-main"),),
        virtual_points=tuple(
            VirtualPoint(f"{n}-virtual", text(f"{n}-virtual"), Medium.ELECTRICITY, ENERGY, f"{n}-main - {n}-sub")
            for n in NODES
        ),
        accounts=tuple(Account(f"{n}-account", Medium.ELECTRICITY, organisation=f"{n}-office") for n in NODES),
    )


def _down() -> tuple[str, ...]:
    return ("parent", "own", "child", "secret", "foreign")


def _office(name: str | None) -> str | None:
    return None if name is None else f"{name}-office"


def _meters(name: str) -> list[Meter]:
    main = Meter(
        f"{name}-main",
        text(f"{name}-main"),
        Medium.ELECTRICITY,
        place=f"{name}-place",
        quantities=(ENERGY, "active_power"),
        organisation=f"{name}-office",
        account=f"{name}-account",
        parent="own-main" if name in HIDDEN else None,
        interval_s=3600.0,
    )
    return [
        main,
        replace(main, id=f"{name}-sub", name=text(f"{name}-sub"), parent=main.id, organisation=None, account=None),
    ]


class Entered(NamedTuple):
    """The ids of what there is of a node; `token` and `grant` are those of its clerk."""

    event: int
    bill: int
    move: int
    token: int
    grant: int
    finding: int
    quota: int
    statement: int
    adjustment: int


@dataclass
class City:
    """The city, and what was entered of each node."""

    services: Services
    site: Site
    books: Books
    events: dict[str, int]
    bills: dict[str, int]
    moves: dict[str, int]
    tokens: dict[str, int]
    grants: dict[str, int]
    findings: dict[str, int]
    quotas: dict[str, int]
    statements: dict[str, int]
    adjustments: dict[str, int]

    def entered(self, node: str) -> Entered:
        """The ids of what there is of a node."""
        of = (self.events, self.bills, self.moves, self.tokens, self.grants, self.findings, self.quotas)
        return Entered(*(ids[node] for ids in (*of, self.statements, self.adjustments)))


def identity(role: Role, name: str | None = "own") -> Identity:
    """Somebody with a role of an office, or of everything; of the installation where that is all there is of it."""
    if role is Role.PARTNER:
        return Identity("who", (Grant(role, meters=(f"{name or 'own'}-main",)),))
    try:
        return Identity("who", (Grant(role, None if name is None else f"{name}-office"),))
    except ValueError:
        return Identity("who", (Grant(role),))


@asynccontextmanager
async def city(folder: Path) -> AsyncIterator[City]:
    clock, here = SteppedClock(NOW), site()
    async with open_records(new_records(folder / "records.sqlite")) as records:
        lives, bills, stock = Lives(records, clock), Bills(records, clock), Stock(records, clock)
        await SiteRecords(records, clock).apply(here.id, difference(None, here), "test")
        entered = {n: await _entered(n, lives, bills, stock) for n in NODES}
        told = [kept.event for kept in await lives.events()]
        async with books(here, told, bills=[kept.value for kept in await bills.entries()]) as (made, store):
            await _filled(store)
            await made.catch_up()
            services = await _services(made, store, clock, records, folder)
            await services.closings.close("2026-01", "clerk")
            of = [{n: e[i] for n, e in entered.items()} for i in range(3)]
            clerks = {n: await _clerk(n, services.accounts) for n in NODES}
            await services.accounts.add("who", services.accounts.author("test"))
            of += [{n: c[i] for n, c in clerks.items()} for i in range(2)]
            of += [await _findings(services), {n: await _with_quota(n, services.quotas) for n in NODES}]
            settled = {n: await _settled(n, services.contracts) for n in NODES}
            of += [{n: s[i] for n, s in settled.items()} for i in range(2)]
            yield City(services, here, made, *of)


async def _clerk(name: str, accounts: Accounts) -> tuple[int, int]:
    """An account that fills in for an office, and its token; the ids of token and grant."""
    author = accounts.author("test", f"{name}-reason")
    await accounts.add(f"{name}-clerk", author)
    person = await accounts.people.one(f"{name}-clerk")
    grant = await accounts.people.grant(person, Grant(Role.FILLER, f"{name}-office"), author)
    await accounts.tokens.make(person.account, f"{name}-token", {Permission.READ}, 30, author)
    [token] = await accounts.tokens.of(person.account)
    return token.id, grant


async def _entered(name: str, lives: Lives, bills: Bills, stock: Stock) -> tuple[int, int, int]:
    at = to_ms(FIRST + timedelta(days=40))
    event = MeterEvent(f"{name}-main", EventKind.FAULTY, at, until_ms=at + 3_600_000, note=f"{name}-note")
    bill = SupplierBill(
        f"{name}-account", date(2026, 1, 1), date(2026, 2, 1), Decimal(800), Decimal(440), f"{name}-bill"
    )
    move = StockMove(f"organisation/{name}-office", "diesel", MoveKind.PURCHASE, date(2026, 1, 5), Decimal(40), "L")
    added = [await lives.add([event], f"{name}-clerk")]
    others: list[Any] = [await bills.add([bill], f"{name}-clerk"), await stock.add([move], f"{name}-clerk")]
    return added[0].ids[0], others[0].ids[0], others[1].ids[0]


async def _findings(services: Services) -> dict[str, int]:
    begins = to_ms(FIRST + timedelta(days=20))
    of = [Point(f"{n}-main", ENERGY) for n in NODES]
    found = [Finding(p, FindingKind.HIGH, begins, begins + 7_200_000, False, 3.0, 2.0, 10**6, 3 * 10**6) for p in of]
    await services.findings.take(Look([Valued(one) for one in found], 0, "by hand"))
    kept = {k.finding.point.meter: k.id for k in await services.findings.found()}
    return {n: kept[f"{n}-main"] for n in NODES}


async def _with_quota(name: str, books: QuotaBooks) -> int:
    """Of 2026, and a bound of it that was crossed."""
    quota = Quota(
        f"organisation/{name}-office",
        QuotaOf.ELECTRICITY,
        2026,
        Decimal("100003.7"),
        Method.HANDED_DOWN,
        f"{name}-letter",
        date(2026, 1, 2),
    )
    added = await books.entries.add([quota], f"{name}-clerk")
    entry = await books.entries.entry(added.ids[0])
    await books.crossings.tell(entry, [((Bound.PACE, 0.8), 0.81, text(f"{name}-crossing"))], [])
    return added.ids[0]


async def _settled(name: str, contracts: Contracts) -> tuple[int, int]:
    """A contract of what the node's main measures, settled for January: ids of the statement and of an adjustment."""
    text = CONTRACT.format(name=name)
    await contracts.registry.bring({f"{name}-contract": text}, f"{name}-clerk")
    first, end = date(2026, 1, 1), date(2026, 2, 1)
    baseline = await contracts.agree(f"{name}-contract", "savings", Decimal(900), date(2025, 1, 1), first)
    await contracts.freeze_baseline(f"{name}-contract", baseline, f"{name}-clerk", "agreed")
    oven = Adjustment(0, "savings", first, first, 1_000_000, f"{name}-formula", f"{name}-evidence", "", "")
    adjusted = await contracts.adjust(f"{name}-contract", oven, f"{name}-clerk", "oven")
    return (await contracts.freeze(f"{name}-contract", first, end, f"{name}-clerk")).id, adjusted


CONTRACT = """
contracts:
- id: {name}-contract
  number: {name}-number
  name: {{zh: {name}-照明, en: {name}-lighting}}
  client: {{name: {name}-client, tax_id: 121100004000000014}}
  esco: {{name: {name}-esco, tax_id: 91110105MA00000012}}
  signed_on: 2025-12-20
  from: 2026-01-01
  to: 2030-12-31
  boundary:
  - {{point: "{name}-main:active_energy_import"}}
  clauses:
  - id: savings
    kind: shared_savings
    name: {{zh: 分享, en: Share}}
    price: {{agreed: [{{from: 2026-01-01, price: 0.80}}]}}
    tax: {{rate_percent: 6, included: true}}
    stages: [{{share_percent: 90}}]
"""


async def _filled(store: Any) -> None:
    hours = int((NOW - FIRST).total_seconds() // 3600) + 1
    for name, use in {**USE, "shared": 24.0}.items():
        for meter, part in ((f"{name}-main", 1.0), (f"{name}-sub", 0.25)):
            if meter != "shared-sub":
                rows = {FIRST + timedelta(hours=i): 1000.0 + i * use * part for i in range(hours)}
                await store.write(columns(rows, Point(meter, ENERGY)))
                if name != "shared":
                    await store.write(columns({NOW: use * part * 1.001}, Point(meter, "active_power")))


async def _services(made: Books, store: Any, clock: Any, records: Records, folder: Path) -> Services:
    edges, metrics = Edges(clock), Metrics()
    silent = {f"{n}-sub": MeterState("silent", to_ms(NOW), "no answer") for n in NODES}
    edges.take("foreign-edge", encode(EdgeState("online", meters=silent)))
    directory = Directory(made.kept.site)
    directory.learn(await store.points())
    present, hub = Present(store, directory, edges, clock), Hub(clock, metrics)
    hub.overview = present.overview
    quarantine = SqliteQuarantine(":memory:")
    await quarantine.put([Refusal(to_ms(NOW), "unknown meter", "no such meter", "foreign-edge", "foreign-x")])
    accounts = Accounts(records, clock, Seal(bytes(32)), passwords=Passwords(time_cost=1, memory_kib=8))
    accounts.organisations = lambda: made.kept.site.organisations
    frame = (clock, store, quarantine, directory, edges, present, hub, metrics)
    services = opened(frame, records, made, accounts, LocalDoor())
    copies = StoreCopies(store, folder / "copies", clock)
    sites, processes = SiteFiles(SiteRecords(records, clock), made.kept.site.id), Processes(clock, "api", alone=False)
    processes.take("foreign-worker", msgspec.json.encode(state("ingest")))
    services = replace(services, sites=sites, copies=copies, processes=processes)
    await _ringing(services.alerts)
    return services


async def _ringing(alerts: Alerts) -> None:
    """An alarm of one meter of each node, one over meters of several, and a message about each."""
    reach = "reach: [{channel: log, address: foreign-desk}]"
    persons = f"persons: [{{id: night-man, name: night-man, account: foreign-desk, {reach}}}]"
    await alerts.rules.save("rules: [{id: foreign-rule, kind: silence, name: {zh: 静, en: silent}, after: 5 min}]", "x")
    await alerts.duty.save(f"{persons}\notherwise: [night-man]", "somebody")
    alerts.alarms.roster = (await alerts.duty.roster()).roster
    alerts.alarms.book = (await alerts.rules.book())[1]
    raised = [_alarm(n, Member(f"{n}-main:active_power", to_ms(NOW))) for n in NODES]
    members = (Member("own-sub", to_ms(NOW)), Member("foreign-sub", to_ms(NOW)))
    await alerts.alarms.raise_all([*raised, _alarm("foreign", *members, cause="line/shared")])


def _alarm(name: str, *members: Member, cause: str = "") -> Raised:
    title, at = text(f"{name}-alarm"), to_ms(NOW)
    value = 7.007 if name in ("parent", "foreign") else 1.5
    return Raised(cause or f"limit/{name}", "limit", Level.WARNING, f"{name}-main", title, at, members, value=value)
