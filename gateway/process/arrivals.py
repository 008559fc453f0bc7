"""What was just stored, told within this process to whoever works with it."""

from __future__ import annotations

from collections.abc import Callable

from energy.readings import ReadingColumns

Came = Callable[[ReadingColumns, ReadingColumns], None]
Stored = Callable[[ReadingColumns], None]


class Arrivals:
    """Who takes readings tells it; who needs to know of them is called, quickly and without waiting."""

    def __init__(self) -> None:
        self._of_lanes: list[Came] = []
        self._of_all: list[Stored] = []

    def by_lane(self, take: Came) -> None:
        """Call with what is live and what had waited."""
        self._of_lanes.append(take)

    def all(self, take: Stored) -> None:
        """Call with all that was stored."""
        self._of_all.append(take)

    def came(self, live: ReadingColumns, waited: ReadingColumns) -> None:
        for take in self._of_lanes:
            take(live, waited)

    def stored(self, columns: ReadingColumns) -> None:
        for take in self._of_all:
            take(columns)
