"""What is measured where, as the gateway knows it: the site, and meters that are known only by their readings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from energy.errors import UnknownName
from energy.quantities import medium_of
from energy.readings import Point
from energy.sites import Meter, Site, Text


class Directory:
    """The meters of the site and the imported ones beside them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.meters: dict[str, Meter] = {m.id: m for m in site.meters}
        self.mains = [m for m in site.meters if m.parent is None]

    def add_stored(self, points: Iterable[Point]) -> None:
        """Make meters known that have readings but are in no site file."""
        found: dict[str, list[str]] = defaultdict(list)
        for point in points:
            if point.meter not in self.meters:
                found[point.meter].append(point.quantity)
        for meter, names in found.items():
            self.meters[meter] = Meter(meter, Text(meter, meter), medium_of(names), quantities=tuple(names))

    def meter(self, meter: str) -> Meter:
        if meter not in self.meters:
            raise UnknownName(f"meter {meter!r} is not known")
        return self.meters[meter]

    def point(self, text: str) -> Point:
        """The point that is written so; UnknownName where there is no such meter or quantity."""
        point = Point.parse(text)
        self.meter(point.meter)
        return point

    @property
    def points(self) -> list[Point]:
        return [point for meter in self.meters.values() for point in meter.points]
