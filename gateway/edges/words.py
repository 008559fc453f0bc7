"""Edges as the API tells them."""

from __future__ import annotations

import msgspec

from gateway.api.words import EdgeStateWord, OngoingProblem, TextWords
from gateway.process.words import ProcessWords


class EdgeWords(msgspec.Struct):
    """An edge: whether it is there, what waits in its outbox, and which of its meters do not answer.

    `site_version` is the version of its site file that it runs on, `site_wanted` the one that it was handed last, null
    where it was handed none; `site_refused` says why it did not take a newer one.
    """

    edge: str
    state: EdgeStateWord
    since: int
    version: str | None
    outbox_batches: int | None
    outbox_dropped: int | None
    late_ticks: int | None
    meters: int | None
    meters_silent: list[str]
    site_version: str | None
    site_wanted: str | None
    site_refused: TextWords | None


class EdgeMeterWords(msgspec.Struct):
    """How a meter answers its edge; `state` is reporting, silent or unread. `clock_drift_ms` is by how much its own
    clock is ahead of the edge's, null where it has none."""

    meter: str
    state: str
    since: int
    detail: TextWords
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


class FleetEdge(msgspec.Struct, kw_only=True):
    """An edge in the fleet. Of one that is gone all but `state`, `since` and `problems` is what it said last; null is
    what is not known.

    since : since when it is there, or gone. told_at : when it said what follows, by its own clock; heard_at : when
    that came. uptime_ms : how long its process had run then. lag_ms : how old the oldest reading was that is not
    stored, 0 where none waits. outbox_dropped, outbox_thinned : batches and readings that were let go;
    outbox_damaged : batches and files that could not be read; outbox_waiting : readings that the disk does not take.
    reading_stopped : its outbox is full and meters are not read. site_version : of the site file that it runs on,
    site_wanted : of the one that it was handed last, site_refused : why it did not take site_refused_version.
    certificate_until : until when it may come to the broker.
    """

    edge: str
    state: EdgeStateWord
    since: int
    version: str | None
    told_at: int | None
    heard_at: int | None
    uptime_ms: int | None
    lag_ms: int | None
    outbox_batches: int | None
    outbox_bytes: int | None
    outbox_dropped: int | None
    outbox_thinned: int | None
    outbox_damaged: int | None
    outbox_waiting: int | None
    outbox_full: bool
    reading_stopped: bool
    late_ticks: int | None
    meters: int | None
    meters_silent: list[str]
    lines: list[EdgeLineWords]
    clock: EdgeClockWords
    site_version: str | None
    site_since: int | None
    site_wanted: str | None
    site_refused_version: str | None
    site_refused: TextWords | None
    certificate_until: int | None
    problems: list[OngoingProblem]


class EdgesAnswer(msgspec.Struct):
    """All edges that have ever reported, at the gateway's time `at`, and the processes of the gateway: none where it is
    but one."""

    at: int
    edges: list[FleetEdge]
    processes: list[ProcessWords]


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
