"""A node on one page, put together."""

from __future__ import annotations

from energy.errors import EnergyError
from energy.readings import to_ms
from gateway.ledger.scope import Node, NodeKind
from gateway.overview.matters import Matters
from gateway.overview.path import below, way_to
from gateway.overview.spans import spans
from gateway.overview.words import NodeOverviewAnswer, NodeOverviewQuery
from gateway.services import Services


async def overview(services: Services, query: NodeOverviewQuery) -> NodeOverviewAnswer:
    """The page of a node, or of the topmost that is seen."""
    books, now = services.books, services.clock.now()
    site = books.kept.site
    node = books.top() if query.of is None else Node.parse(query.of)
    if node.kind is NodeKind.SITE and node.id != site.id:
        raise EnergyError(f"site {node.id!r} is not this one, which is {site.id!r}")
    day = now.astimezone(site.zone_info).date()
    factors = services.statistics.factors(query.factors).id
    told = await spans(books, node, now, factors)
    way, matters = way_to(books, node, day), Matters(services, node, day)
    return NodeOverviewAnswer(
        str(node),
        way[-1].name,
        site.zone,
        to_ms(now),
        books.pending,
        factors,
        way,
        below(books, node, day),
        told,
        await matters.quotas(),
        await matters.alarms(),
        await matters.findings(),
        await matters.contracts(),
        await matters.filings(),
    )
