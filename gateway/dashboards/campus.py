"""Dashboards of nodes: what the site, a place or an organisation uses, by medium."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from energy.names import Text
from energy.quantities import Medium, quantity
from energy.sites import Site
from gateway.dashboards.hours_sql import Asked, by_node, by_time, shares_by_time
from gateway.dashboards.panels import BARS, FILLED, Model, Panel, Question, Words, dashboard, uid_of
from gateway.dashboards.parts import Compositions, Made
from gateway.dashboards.sources import LEDGER
from gateway.ledger.scope import Node, NodeKind

_MEDIA = {
    Medium.ELECTRICITY: Text("电", "Electricity"),
    Medium.WATER: Text("水", "Water"),
    Medium.GAS: Text("燃气", "Gas"),
    Medium.HEAT: Text("热", "Heat"),
}


def medium_name(medium: Medium) -> Text:
    """How a medium is called on a dashboard."""
    return _MEDIA.get(medium, Text(str(medium), str(medium)))


class Campus:
    """Makes a dashboard of each node that any counter belongs to."""

    def __init__(self, site: Site, compositions: Compositions, words: Words) -> None:
        self._site, self._compositions, self._words = site, compositions, words
        self._names = node_names(site, words)

    def dashboards(self) -> Iterator[Model]:
        top = Node(NodeKind.SITE, self._site.id)
        yield from self._of(top)
        for place in self._site.places:
            yield from self._of(Node(NodeKind.PLACE, place.id))
        for organisation in self._site.organisations:
            yield from self._of(Node(NodeKind.ORGANISATION, organisation.id))

    def _of(self, node: Node) -> Iterator[Model]:
        made = self._counted(node)
        if not made:
            return
        panels = [panel for medium, of in made.items() for panel in self._panels(node, medium, of)]
        title = self._words("用能：", "Consumption: ") + self._name(node)
        links = [(self._name(n), self.uid(n)) for n in self._compositions.last.parts(node) if self._linked(n)]
        note = self._words(
            "水、电、气、热的小时账，与平台同一口径", "Hours of the ledger, reckoned as the platform does"
        )
        yield dashboard(
            self.uid(node), title, self._site.id, self._site.zone, panels, links=links[:40], since="now-30d", note=note
        )

    def uid(self, node: Node) -> str:
        return uid_of("campus", self._site.id, str(node))

    def _linked(self, node: Node) -> bool:
        return node.kind is not NodeKind.METER and bool(self._counted(node))

    def _counted(self, node: Node) -> Mapping[Medium, Made]:
        return {m: made for m, made in self._compositions.of(node).items() if made.parts}

    def _panels(self, node: Node, medium: Medium, made: Made) -> Iterator[Panel]:
        say, name = self._words, self._words.name(medium_name(medium))
        unit = unit_of(made)
        days, hours = Asked("day", self._site.zone), Asked("hour", self._site.zone)
        yield Panel(
            say(f"{name}：每日用量", f"{name} by day"), "timeseries",
            [Question(LEDGER, by_time(made, days, say))], unit, custom=BARS,
            note=say("估算单独标出；全无数据的日不画", "Estimates are apart; days without any data are empty"),
        )  # fmt: skip
        yield Panel(
            say(f"{name}：每小时用量", f"{name} by hour"), "timeseries",
            [Question(LEDGER, by_time(made, hours, say))], unit, custom=BARS,
        )  # fmt: skip
        yield Panel(
            say(f"{name}：数据完整性", f"{name}: how it is known"), "timeseries",
            [Question(LEDGER, shares_by_time(made, days, say))], "percentunit", custom=FILLED,
            note=say("各计量点时间的占比；缺失不等于零", "Shares of the time of all counters; missing is not zero"),
        )  # fmt: skip
        below = self._below(node, medium)
        if below:
            yield Panel(
                say(f"{name}：用量排名", f"{name}: who uses most"), "table",
                [Question(LEDGER, by_node(below, days, say, unit), table=True)],
                note=say("按所示各整日合计", "Summed over the days that are shown"),
            )  # fmt: skip

    def _below(self, node: Node, medium: Medium) -> Mapping[str, Made]:
        found: dict[str, Made] = {}
        for part in self._compositions.last.parts(node):
            made = self._compositions.of(part).get(medium)
            if made is not None and made.parts:
                name = self._name(part)
                found[name if name not in found else f"{name} ({part.id})"] = made
        return found

    def _name(self, node: Node) -> str:
        return self._names.get(str(node), node.id)


def unit_of(made: Made) -> str:
    """The unit of what is counted."""
    return quantity(made.parts[0].point.quantity).unit


def node_names(site: Site, words: Words) -> Mapping[str, str]:
    """The names of all nodes; one that several have is told apart by the id, since titles in a folder differ."""
    nodes = [(f"site/{site.id}", site.name)]
    nodes += [(f"place/{p.id}", p.name) for p in site.places]
    nodes += [(f"organisation/{o.id}", o.name) for o in site.organisations]
    named = {node: words.name(name) for node, name in nodes}
    shared = Counter(named.values())
    told = {node: name if shared[name] == 1 else f"{name} ({node})" for node, name in named.items()}
    return told | {f"meter/{m.id}": words.name(m.name) for m in site.meters}
