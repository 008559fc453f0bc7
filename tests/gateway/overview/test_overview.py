"""A node on one page: figures equal to those that they open down to, and nothing of what is not seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.errors import EnergyError, UnknownName
from energy.periods import Span
from energy.readings import to_ms
from gateway.access.roles import Permission, Role
from gateway.ledger.answers import consumption
from gateway.ledger.words import ConsumptionQuery
from gateway.overview.answers import overview
from gateway.overview.spans import Running
from gateway.overview.words import NodeOverviewAnswer, NodeOverviewQuery
from gateway.services import Services
from tests.gateway.access.city import NOW, City, identity
from tests.gateway.access.city import city as made
from tests.gateway.ledger.books import NOBODY

NODES = ("site/court", "organisation/own-office", "organisation/own-bureau", "place/town", "meter/own-main")
ZONE = NOBODY.zone_info


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with made(tmp_path) as there:
        yield there


def seen_by(city: City, role: Role, of: str | None) -> Services:
    return city.services.seen_by(identity(role, of), Permission.READ)


async def told(services: Services, of: str | None = None) -> NodeOverviewAnswer:
    return await overview(services, NodeOverviewQuery(of))


async def test_every_figure_is_the_one_that_consumption_tells_of_the_same_node_and_time(city: City) -> None:
    for of in NODES:
        page = await told(city.services, of)
        assert [span.span for span in page.spans] == ["day", "month", "year"]
        for span in page.spans:
            asked = ConsumptionQuery(of, span.from_, span.to, span.series.by)
            opened = await consumption(city.services.books, asked)
            for mine, theirs in zip(span.media, opened.media, strict=True):
                assert (mine.total, mine.counters, mine.tariffs) == (theirs.total, theirs.counters, theirs.tariffs)
                assert (mine.last_year, mine.converted) == (theirs.last_year, theirs.converted)
            [curve], [medium] = span.series.media, opened.media
            values = [figure.value for figure in medium.periods]
            assert curve.values[: len(values)] == values
            assert set(curve.values[len(values) :]) <= {None}
            assert len(curve.values) == len(span.series.edges) - 1
            assert span.coal.kg == pytest.approx(sum(v for v in span.series.coal_kg if v is not None))


async def test_the_day_of_an_institution_is_what_it_used_until_the_last_full_hour(city: City) -> None:
    """The office uses 14 kWh an hour with all below it; it is 13:00."""
    page = await told(city.services, "organisation/own-office")

    [electricity] = page.spans[0].media
    assert (page.at, page.spans[0].to) == (to_ms(NOW), to_ms(NOW))
    assert electricity.total.value == 13 * 14
    assert page.spans[0].series.media[0].values == [14.0] * 13 + [None] * 11
    # No tariff is known, and of last year nothing.
    assert (page.spans[0].cost.yuan, page.spans[0].cost.left_out) == (None, ["electricity"])
    assert (page.spans[0].coal.last_year, page.spans[0].coal.change, page.spans[0].coal.known) == (None, None, 1.0)


async def test_what_is_open_is_that_of_the_node_and_of_all_below_it(city: City) -> None:
    whole, own = await told(city.services), await told(city.services, "organisation/own-office")

    assert [node.of for node in own.path] == ["site/court", "organisation/parent-office", "organisation/own-office"]
    assert {node.of for node in own.below} == {"organisation/child-office", "organisation/secret-office"}
    assert (whole.findings.open, own.findings.open) == (5, 3)
    assert {f.meter for f in own.findings.costliest} == {"own-main", "child-main", "secret-main"}
    # One alarm is about a meter of this office and of another.
    assert (whole.alarms.open, own.alarms.open, own.alarms.levels) == (6, 4, {"warning": 4})
    assert [c.contract.id for c in own.contracts.contracts] == ["child-contract", "own-contract", "secret-contract"]
    assert {c.newest.state for c in own.contracts.contracts if c.newest is not None} == {"frozen"}
    assert [q.quota.of for q in own.quotas.own] == ["organisation/own-office"]
    assert (sum(own.quotas.below.values()), sum(whole.quotas.below.values())) == (2, 5)
    assert own.filings is not None and whole.filings is not None
    assert (own.filings.month, own.filings.total, own.filings.late) == ("2026-02", 3, 3)
    assert (whole.filings.states, len(whole.filings.first_late)) == ({"draft": 5}, 5)


async def test_who_sees_a_part_is_told_of_that_part_from_its_top_on(city: City) -> None:
    services = seen_by(city, Role.FILLER, "own")

    page, place = await told(services), await told(services, "place/town")

    assert (page.of, [n.of for n in page.path]) == ("organisation/own-office", ["organisation/own-office"])
    assert [n.of for n in page.below] == ["organisation/child-office"]
    # Of what he sees: his main and the one below it.
    meters = [(await told(services, f"meter/{name}-main")).spans[2].media[0].total.value for name in ("own", "child")]
    assert None not in meters
    assert place.spans[2].media[0].total.value == sum(m for m in meters if m is not None)
    assert (page.findings.open, page.alarms.open, page.contracts.total) == (2, 2, 2)
    assert page.filings is not None and (page.filings.total, page.filings.late) == (2, 2)
    assert (len(page.quotas.own), sum(page.quotas.below.values())) == (1, 1)


async def test_what_is_hidden_is_in_no_count_and_what_is_not_seen_is_not_there(city: City) -> None:
    everything, partner = seen_by(city, Role.READER, None), seen_by(city, Role.PARTNER, "own")

    page, shown = await told(everything, "organisation/own-office"), await told(partner)

    assert (page.findings.open, page.contracts.total, page.alarms.open) == (2, 2, 3)
    assert page.filings is not None and page.filings.total == 2
    assert (shown.findings.open, shown.contracts.total, shown.filings) == (1, 1, None)
    for services, of in ((everything, "site/court"), (partner, "organisation/own-office"), (partner, "site/court")):
        with pytest.raises(UnknownName):
            await told(services, of)


async def test_what_is_no_node_is_refused_in_words(city: City) -> None:
    with pytest.raises(EnergyError, match="KIND/ID"):
        await told(city.services, "own-office")
    with pytest.raises(EnergyError, match="is not this one"):
        await told(city.services, "site/elsewhere")
    with pytest.raises(EnergyError, match="factor set"):
        await overview(city.services, NodeOverviewQuery(None, "of nobody"))


@pytest.mark.parametrize(
    ("now", "span", "start", "hours"),
    [
        ("2026-03-10T13:59", Span.DAY, "2026-03-10", 13),
        ("2026-03-10T00:20", Span.DAY, "2026-03-10", 1),
        ("2026-03-10T00:20", Span.MONTH, "2026-03-01", 9 * 24),
        ("2026-01-01T00:20", Span.YEAR, "2026-01-01", 1),
    ],
)
def test_a_span_reaches_to_the_last_full_hour_and_is_never_empty(now: str, span: Span, start: str, hours: int) -> None:
    running = Running.at(span, datetime.fromisoformat(now).replace(tzinfo=ZONE), ZONE)

    assert running.so_far.start == datetime.fromisoformat(start).replace(tzinfo=ZONE)
    assert running.so_far.end - running.so_far.start == timedelta(hours=hours)
    assert running.so_far.end.astimezone(UTC).minute == 0
