"""Routes of the edges."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.route import NoQuery, Route
from gateway.edges.words import EdgesAnswer
from gateway.services import Services


async def edges(services: Services, _query: NoQuery) -> EdgesAnswer:
    return EdgesAnswer(services.edges.words())


ROUTES = (
    Route("/api/v1/edges", "The edges and how their meters answer", Permission.OPERATE, NoQuery, EdgesAnswer, edges),
)
