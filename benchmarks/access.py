"""What somebody may see: the matrix of routes and roles, and what a request pays for it in a city.

2,024 institutions below 22 bureaus with 40,480 meters, and 5,000 accounts: most of institutions, others of bureaus and
of contract partners, and some that see everything. Each request asks for its services as a route does.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from adapters.clocks import SteppedClock
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.reporting.check_file import read_rules
from analytics.reporting.form_file import read_forms
from energy.organisations import Organisation
from energy.quantities import Medium
from energy.sites import Meter, Place, Site, Text
from energy.working_days import WorkingDays
from gateway.access.door import LocalDoor
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.alerts.opening import open_alerts
from gateway.app import ROUTES
from gateway.billing.service import Bills
from gateway.closing.service import Closings
from gateway.contracts.service import Contracts
from gateway.edges.service import Edges
from gateway.findings.service import Findings
from gateway.ledger.books import Books, Kept
from gateway.life.service import Lives
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.quotas.books import quota_books
from gateway.records.database import Records, open_records
from gateway.reporting.service import Statistics
from gateway.services import Services
from gateway.sites.service import Directory
from gateway.stock.service import Stock
from gateway.tariffs.service import Tariffs
from tests.gateway.access.city import city
from tests.gateway.access.matrix import cases

INSTITUTIONS, METERS, BUREAUS, ACCOUNTS, REQUESTS = 2_024, 40_480, 22, 5_000, 100_000
ENERGY = "active_energy_import"


def run() -> dict[str, Any]:
    return {**asyncio.run(_matrix()), **asyncio.run(_city())}


async def _matrix() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with city(Path(folder)) as there:
            found = [case async for case in cases(there, ROUTES)]
    return {"route_role_cases": len(found), "leaks": sum(len(case.leaks) for case in found)}


async def _city() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_records(f"sqlite:{folder}/records.sqlite") as records, open_store("memory:") as store:
            services = _services(_site(), records, store)
            people = _people()
            began = time.perf_counter()
            services.seen_by(people[0], Permission.READ)
            first_ms = (time.perf_counter() - began) * 1000
            cold = _asked(services, people)
            drawn = random.Random(1).choices(people, k=REQUESTS)
            warm = _asked(services, drawn)
    return {
        "institutions": INSTITUTIONS,
        "meters": METERS,
        "accounts": len(people),
        "permission_ms_p99": float(np.percentile(warm, 99)),
        "permission_ms_max": float(warm.max()),
        "permission_first_ms_p50": float(np.percentile(cold, 50)),
        "permission_first_ms_p99": float(np.percentile(cold, 99)),
        "records_changed_ms": first_ms,
    }


def _asked(services: Services, people: list[Identity]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What each request took [ms]: whether it is permitted, and the services as they are seen."""
    took = []
    for who in people:
        began = time.perf_counter()
        assert who.may(Permission.READ)
        services.seen_by(who, Permission.READ)
        took.append((time.perf_counter() - began) * 1000)
    return np.array(took)


def _people() -> list[Identity]:
    """One of each institution, further ones of institutions, bureaus, partners, and who sees everything."""
    chance = random.Random(0)
    grants = [Grant(Role.FILLER, f"i{i:04d}") for i in range(INSTITUTIONS)]
    while len(grants) < ACCOUNTS:
        drawn, one = chance.random(), chance.randrange(INSTITUTIONS)
        if drawn < 0.6:
            grants.append(Grant(chance.choice((Role.APPROVER, Role.READER)), f"i{one:04d}"))
        elif drawn < 0.8:
            grants.append(Grant(Role.STATISTICIAN, f"b{one % BUREAUS:02d}"))
        elif drawn < 0.95:
            meters = tuple(f"m{chance.randrange(METERS):05d}" for _ in range(10))
            grants.append(Grant(Role.PARTNER, meters=meters))
        else:
            grants.append(Grant(Role.AUDITOR))
    return [Identity(f"account-{i}", (grant,)) for i, grant in enumerate(grants)]


def _site() -> Site:
    each = METERS // INSTITUTIONS
    name = Text("城市", "City")
    institutions = tuple(Organisation(f"i{i:04d}", name, parent=f"b{i % BUREAUS:02d}") for i in range(INSTITUTIONS))
    bureaus = tuple(Organisation(f"b{b:02d}", name, "bureau") for b in range(BUREAUS))

    def meter(i: int) -> Meter:
        of, main = i // each, i // each * each
        parent, organisation = (None, f"i{of:04d}") if i == main else (f"m{main:05d}", None)
        of_it = {"quantities": (ENERGY, "active_power"), "organisation": organisation, "parent": parent}
        return Meter(f"m{i:05d}", name, Medium.ELECTRICITY, place=f"p{of:04d}", **cast(Any, of_it))

    places = tuple(Place(f"p{i:04d}", name, "building") for i in range(INSTITUTIONS))
    meters = tuple(meter(i) for i in range(METERS))
    return Site("bench", name, "Asia/Shanghai", places=places, meters=meters, organisations=(*bureaus, *institutions))


def _services(site: Site, records: Records, store: Any) -> Services:
    clock, metrics = SteppedClock(datetime(2026, 3, 1, tzinfo=UTC)), Metrics()
    directory, edges = Directory(site), Edges(clock)
    present, hub = Present(store, directory, edges, clock), Hub(clock, metrics)
    books = Books(open_ledger(store), Kept(site), read_factors(Path("config/factors.yaml")))
    stock = Stock(records, clock)
    forms = read_forms(Path("config/statistics/forms"))
    rules = read_rules(Path("config/statistics/checks.yaml"), forms)
    alerts = open_alerts(records, clock, lambda: site, bytes(32), channels={"log": "log"})
    nobody = cast(Any, None)  # neither readings that were refused nor accounts are asked for
    return Services(
        clock,
        store,
        nobody,
        directory,
        edges,
        present,
        hub,
        metrics,
        lives=Lives(records, clock),
        books=books,
        tariffs=Tariffs(records, clock),
        bills=Bills(records, clock),
        stock=stock,
        closings=Closings(records, clock, books),
        findings=Findings(records, clock, site.id),
        working_days=WorkingDays(),
        statistics=Statistics(records, clock, books, stock, forms, rules),
        contracts=Contracts(records, clock, books, store),
        quotas=quota_books(records, clock, books),
        accounts=nobody,
        audit=nobody,
        door=LocalDoor(),
        alerts=alerts,
    )
