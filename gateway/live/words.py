"""The present and the past of points as the API tells them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from energy.quantities import Kind, Medium
from energy.readings import LAST_MS
from gateway.api.words import OngoingProblem, QualityWord
from gateway.edges.words import EdgeWords

MAX_POINTS = 20
MAX_ROWS = 10_000
Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_MS)]


class LatestQuery(msgspec.Struct):
    """Which points; all where none is named."""

    point: list[str] = []


class LatestWords(msgspec.Struct):
    """The newest reading of a point."""

    point: str
    taken_at: int
    value: float | None
    quality: QualityWord
    reason: str | None


class LatestAnswer(msgspec.Struct):
    """The newest readings, at the gateway's time `at`."""

    at: int
    latest: list[LatestWords]


class SeriesQuery(msgspec.Struct, rename={"from_ms": "from", "to_ms": "to"}):
    """Points over [from, to), in at most `points` rows each."""

    point: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_POINTS)]
    from_ms: Instant
    to_ms: Instant
    points: Annotated[int, msgspec.Meta(ge=10, le=MAX_ROWS)] = 1000


class CurveWords(msgspec.Struct):
    """A point over time, oldest first, as columns of equal length.

    A gauge has `min`, `mean` and `max` of each step, a counter its register `first` and `last` in each; the other
    columns are empty. `t` begins the step. A row of nulls is a gap: nothing is known there.
    """

    point: str
    unit: str
    kind: Kind
    step_ms: int | None
    t: list[int]
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    first: list[float | None]
    last: list[float | None]
    uncertain: bool


class SeriesAnswer(msgspec.Struct, rename={"from_ms": "from", "to_ms": "to"}):
    """Curves in the order asked for; `step_ms` is null where all of them are raw readings."""

    from_ms: int
    to_ms: int
    step_ms: int | None
    series: list[CurveWords]


class Total(msgspec.Struct):
    """The sum of a medium over its main meters; complete where `reporting` equals `meters`."""

    medium: Medium
    quantity: str
    unit: str
    value: float | None
    reporting: int
    meters: int


class PlaceTotals(msgspec.Struct):
    """The totals of a place."""

    place: str
    media: list[Total]


class Overview(msgspec.Struct):
    """The campus at a glance, and what is wrong with it now."""

    at: int
    media: list[Total]
    places: list[PlaceTotals]
    edges: list[EdgeWords]
    problems: list[OngoingProblem]


class Hello(msgspec.Struct, tag_field="type", tag="hello"):
    """The first message of the gateway."""

    version: str
    at: int


class PushedReadings(msgspec.Struct, tag_field="type", tag="readings"):
    """Readings just stored: point, taken_at, value, quality."""

    readings: list[tuple[str, int, float | None, QualityWord]]


class Backfilled(msgspec.Struct, tag_field="type", tag="backfilled"):
    """Readings that had waited at an edge are stored: curves of these points have new rows in their past."""

    points: list[str]


class PushedOverview(msgspec.Struct, tag_field="type", tag="overview"):
    """The overview, when it has changed."""

    overview: Overview


class Beat(msgspec.Struct, tag_field="type", tag="beat"):
    """The connection is alive."""

    at: int


class Subscription(msgspec.Struct):
    """What a listener wants; replaces what it wanted before."""

    subscribe: Annotated[list[str], msgspec.Meta(max_length=2000)] = []
    overview: bool = False


PUSHED: tuple[type[msgspec.Struct], ...] = (Hello, PushedReadings, Backfilled, PushedOverview, Beat)
