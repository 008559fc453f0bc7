"""Edges as the API tells them."""

from __future__ import annotations

import msgspec

from gateway.api.words import EdgeStateWord, OngoingProblem


class EdgeWords(msgspec.Struct):
    """An edge: whether it is there, what waits in its outbox, and which of its meters do not answer."""

    edge: str
    state: EdgeStateWord
    since: int
    version: str | None
    outbox_batches: int | None
    outbox_dropped: int | None
    late_ticks: int | None
    meters: int | None
    meters_silent: list[str]


class EdgeMeterWords(msgspec.Struct):
    """How a meter answers its edge; `state` is reporting, silent or unread. `clock_drift_ms` is by how much its own
    clock is ahead of the edge's, null where it has none."""

    meter: str
    state: str
    since: int
    detail: str
    clock_drift_ms: int | None


class EdgeLineWords(msgspec.Struct):
    """How a line keeps its schedule: seconds of each second that its meters need, and readings that were skipped."""

    line: str
    load: float
    late_ticks: int


class EdgeClockWords(msgspec.Struct):
    """The clock of an edge: by how much it is ahead of the gateway's, as near as the way of messages tells; whether it
    has been set since the machine woke; its last step. Null what is not known."""

    offset_ms: int | None
    synchronized: bool | None
    stepped_at: int | None
    step_ms: int | None


class EdgeOutboxWords(msgspec.Struct):
    """What waits in the outbox of an edge. `lag_ms` is how old the oldest reading was that is not stored, 0 where none
    waits; `dropped` counts batches and `thinned` readings that were let go; `stopped` says that it is full and meters
    are not read."""

    batches: int | None
    bytes: int | None
    lag_ms: int | None
    dropped: int | None
    thinned: int | None
    full: bool
    stopped: bool


class EdgeSiteWords(msgspec.Struct):
    """The site file that an edge runs on, since when, the version that it was handed last, and why it did not take a
    newer one; null what is not known."""

    version: str | None
    since: int | None
    wanted: str | None
    refused_version: str | None
    refused: str | None


class FleetEdge(msgspec.Struct):
    """An edge in the fleet. Of one that is gone all but `state`, `since` and `problems` is what it said last.

    since : since when it is there, or gone. told_at : when it said that, by its own clock. uptime_ms : how long its
    process had run then; null where it is gone. certificate_until : until when it may come to the broker.
    """

    edge: str
    state: EdgeStateWord
    since: int
    version: str | None
    told_at: int | None
    heard_at: int | None
    uptime_ms: int | None
    outbox: EdgeOutboxWords
    clock: EdgeClockWords
    site: EdgeSiteWords
    meters: int | None
    meters_silent: list[str]
    late_ticks: int | None
    lines: list[EdgeLineWords]
    certificate_until: int | None
    problems: list[OngoingProblem]


class EdgesAnswer(msgspec.Struct):
    """All edges that have ever reported, at the gateway's time `at`."""

    at: int
    edges: list[FleetEdge]


class EdgeQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which edge."""

    edge: str


class TurnWords(msgspec.Struct):
    """From this instant on an edge was there, or gone."""

    at: int
    state: EdgeStateWord


class EdgeAnswer(msgspec.Struct):
    """One edge with all its meters, and when it came and went, newest first."""

    at: int
    edge: FleetEdge
    meters: list[EdgeMeterWords]
    turns: list[TurnWords]
