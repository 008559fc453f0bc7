"""What is measured where, as the gateway knows it: the site, and meters that are known only by their readings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from energy.errors import UnknownName
from energy.numbering import UNKNOWN, OwnNumbers
from energy.quantities import medium_of
from energy.readings import Point, ReadingColumns
from energy.sites import Meter, Site, Text

_KNOWN = 0


class Directory:
    """The meters of the site and the imported ones beside them."""

    def __init__(self, site: Site) -> None:
        # Counts what was learnt: another number says that some meter is known otherwise.
        self.revision = 0
        self._learnt: dict[Point, None] = {}
        self._tell(site)

    def _tell(self, site: Site) -> None:
        self.site = site
        self.meters: dict[str, Meter] = {m.id: m for m in site.meters}
        self._known = OwnNumbers(lambda points: [_KNOWN if self._knows(point) else UNKNOWN for point in points])

    def take(self, site: Site) -> None:
        """The records say otherwise of the site; what readings taught stays known."""
        self._tell(site)
        self.revision += 1
        self.learn(list(self._learnt))

    @property
    def mains(self) -> list[Meter]:
        """The meters of the site that no other one stands above."""
        return [self.meters[m.id] for m in self.site.meters if m.parent is None]

    @property
    def of_places(self) -> list[Meter]:
        """The meters that together measure their places, none of them twice.

        A meter with sub-meters elsewhere measures more than its place, such as the main of a campus.
        """
        place = {m.id: m.place for m in self.site.meters}
        beyond = {m.parent for m in self.site.meters if m.parent and m.place != place.get(m.parent)}
        within = {m.id: m for m in self.site.meters if m.id not in beyond}
        return [
            self.meters[m.id] for m in within.values() if m.parent not in within or place.get(m.parent or "") != m.place
        ]

    def learn(self, points: Iterable[Point]) -> None:
        """Make points known that have readings: meters that are in no site file, and what they or others measure."""
        found: dict[str, list[str]] = defaultdict(list)
        for point in dict.fromkeys(p for p in points if not self._knows(p)):
            self._learnt[point] = None
            found[point.meter].append(point.quantity)
        for meter, names in found.items():
            known = self.meters.get(meter) or Meter(meter, Text(meter, meter), medium_of(names))
            self.meters[meter] = replace(known, quantities=(*known.quantities, *names))
            self.revision += 1

    def hear(self, columns: ReadingColumns) -> None:
        """Readings were stored: their points are known from now on."""
        strange = columns.index[self._known.rows(columns) == UNKNOWN]
        self.learn(columns.points[i] for i in np.unique(strange).tolist())

    def _knows(self, point: Point) -> bool:
        meter = self.meters.get(point.meter)
        return meter is not None and point.quantity in meter.quantities

    def meter(self, meter: str) -> Meter:
        if meter not in self.meters:
            raise UnknownName(f"meter {meter!r} is not known")
        return self.meters[meter]

    def point(self, text: str) -> Point:
        """The point that is written so; UnknownName where there is no such meter or quantity."""
        point = Point.parse(text)
        self.meter(point.meter)
        return point
