"""Routes of the edges."""

from __future__ import annotations

from energy.readings import to_ms
from gateway.access.roles import Permission
from gateway.api.route import NoQuery, Route
from gateway.edges.words import EdgeAnswer, EdgeQuery, EdgesAnswer
from gateway.services import Services


async def edges(services: Services, _query: NoQuery) -> EdgesAnswer:
    return EdgesAnswer(to_ms(services.clock.now()), services.edges.fleet(), services.processes.all())


async def edge(services: Services, query: EdgeQuery) -> EdgeAnswer:
    found, meters, turns = services.edges.one(query.edge)
    return EdgeAnswer(to_ms(services.clock.now()), found, meters, turns)


_OPERATE = Permission.OPERATE
ROUTES = (
    Route("/api/v1/edges", "The edges and how their meters answer", _OPERATE, NoQuery, EdgesAnswer, edges),
    Route("/api/v1/edges/{edge}", "One edge with its meters", _OPERATE, EdgeQuery, EdgeAnswer, edge),
)
