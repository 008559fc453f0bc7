"""The route of a node's page."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.route import Route
from gateway.overview.answers import overview
from gateway.overview.words import NodeOverviewAnswer, NodeOverviewQuery
from gateway.services import Services


async def node_overview(services: Services, query: NodeOverviewQuery) -> NodeOverviewAnswer:
    return await overview(services, query)


ROUTES = (
    Route(
        "/api/v1/nodes/overview",
        "A node on one page: today, month and year against last year and quota, and what is open about it",
        Permission.READ,
        NodeOverviewQuery,
        NodeOverviewAnswer,
        node_overview,
    ),
)
