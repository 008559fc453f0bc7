"""The present as far as it is seen: meters, edges, what is wrong, and what is pushed."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from energy.sites import Site
from gateway.access.seen_readings import not_of_all
from gateway.access.seen_site import seen_meter
from gateway.access.sight import Ownership, Sight
from gateway.api.words import OngoingProblem
from gateway.edges.service import Edges
from gateway.edges.words import EdgeMeterWords, EdgeWords, FleetEdge, TurnWords
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.sites.service import Directory

_OF_METERS = ("register.disputed", "balance.beyond")


def seen_directory(directory: Directory, site: Site, sight: Sight, own: Ownership) -> Directory:
    """The directory of a site in which there is nothing else; what it learnt is as of now."""
    seen = Directory(site)
    known = (directory.meters[m.id] for m in site.meters if m.id in directory.meters)
    seen.meters = {m.id: seen_meter(m, sight, own) for m in known}
    return seen


class SeenEdges(Edges):
    """What edges say of meters that are seen; of themselves nothing. Nothing of the base is set."""

    def __init__(self, edges: Edges, sight: Sight) -> None:
        self._edges, self._sight = edges, sight

    def is_silent(self, meter: str) -> bool:
        return self._sight.sees(meter) and self._edges.is_silent(meter)

    def silent_meters(self) -> dict[str, tuple[int, str]]:
        return {meter: told for meter, told in self._edges.silent_meters().items() if self._sight.sees(meter)}

    def words(self) -> list[EdgeWords]:
        return []

    def fleet(self) -> list[FleetEdge]:
        return []

    def one(self, edge: str) -> tuple[FleetEdge, list[EdgeMeterWords], list[TurnWords]]:
        raise not_of_all("edges")

    def problems(self) -> list[OngoingProblem]:
        return []


class ClosedEdges(Edges):
    """Edges for who does not operate all of them."""

    def __init__(self) -> None:
        pass

    def words(self) -> list[EdgeWords]:
        raise not_of_all("edges")

    def fleet(self) -> list[FleetEdge]:
        raise not_of_all("edges")

    def one(self, edge: str) -> tuple[FleetEdge, list[EdgeMeterWords], list[TurnWords]]:
        raise not_of_all("edges")


def seen_problems(present: Present, directory: Directory, own: Ownership) -> Callable[[], list[OngoingProblem]]:
    """What is wrong with meters that are seen; of a balance, where all of its meters are."""

    def problems() -> list[OngoingProblem]:
        found = []
        for problem in present.of_gateway():
            meter, _, _ = problem.subject.partition(":")
            needed = [meter, *own.below.get(meter, ())] if problem.kind == "balance.beyond" else [meter]
            if problem.kind in _OF_METERS and all(m in directory.meters for m in needed):
                found.append(problem)
        return found

    return problems


class SeenHub(Hub):
    """The hub for one who sees this; `again` tells what he sees now, since that changes while he listens."""

    def __init__(self, hub: Hub, sight: Sight, present: Present, again: Callable[[], Hub]) -> None:
        self._hub, self._sight, self._again = hub, sight, again
        self.overview = present.overview

    def hears(self, point: str) -> bool:
        return self._sight.sees(point.partition(":")[0])

    async def serve(self, request: web.Request, audience: Callable[[], Hub] | None = None) -> web.WebSocketResponse:
        return await self._hub.serve(request, audience or self._again)
