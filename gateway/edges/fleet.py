"""An edge as the fleet shows it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.edge_troubles import lag_ms
from adapters.wire import EdgeState
from gateway.api.words import OngoingProblem, TextWords
from gateway.edges import words as w
from gateway.edges.known import Known
from gateway.wording.chinese import said as said_of


def fleet_edge(
    name: str,
    known: Known,
    now_ms: int,
    problems: Sequence[OngoingProblem],
    *,
    wanted: str | None = None,
    certificate_until: int | None = None,
) -> w.FleetEdge:
    """What is known of it; `problems` are those of all edges."""
    said = known.last or known.state
    site = said.site
    return w.FleetEdge(
        edge=name,
        state=known.state.state,
        since=known.since_ms,
        version=said.version,
        told_at=said.told_at,
        heard_at=known.heard_at_ms,
        uptime_ms=_uptime(known, now_ms),
        lag_ms=lag_ms(said),
        outbox_batches=said.outbox_batches,
        outbox_bytes=said.outbox_bytes,
        outbox_dropped=said.outbox_dropped,
        outbox_thinned=said.outbox_thinned,
        outbox_damaged=said.outbox_damaged,
        outbox_waiting=said.outbox_waiting,
        outbox_full=said.outbox_full,
        reading_stopped=said.reading_stopped,
        late_ticks=said.late_ticks,
        meters=len(said.meters) or None,
        meters_silent=sorted(m for m, found in said.meters.items() if found.state == "silent"),
        lines=[w.EdgeLineWords(line, found.load, found.late_ticks) for line, found in sorted(said.lines.items())],
        clock=_clock(known, said),
        site_version=None if site is None else site.version,
        site_since=None if site is None else site.since,
        site_wanted=wanted,
        site_refused_version=None if site is None else site.refused_version,
        site_refused=refusal(said),
        certificate_until=certificate_until,
        problems=[p for p in problems if p.subject == name or p.subject.startswith(f"{name}/")],
    )


def refusal(said: EdgeState) -> TextWords | None:
    """Why an edge does not take its newest site file; None where it does."""
    return None if said.site is None or not said.site.refused else said_of(said.site.refused)


def edge_meters(known: Known) -> list[w.EdgeMeterWords]:
    """All meters that it has told of last, those that do not answer first."""
    said = (known.last or known.state).meters
    return [
        w.EdgeMeterWords(meter, found.state, found.since, said_of(found.detail), found.clock_drift_ms)
        for meter, found in sorted(said.items(), key=lambda one: (one[1].state != "silent", one[0]))
    ]


def _uptime(known: Known, now_ms: int) -> int | None:
    """By the edge's own clock where it tells that, by ours else."""
    said = known.state
    if said.state == "offline" or said.since is None:
        return None
    return max(0, (said.told_at if said.told_at is not None else now_ms) - said.since)


def _clock(known: Known, said: EdgeState) -> w.EdgeClockWords:
    told = said.clock
    if told is None:
        return w.EdgeClockWords(known.offset.ms, None, None, None)
    return w.EdgeClockWords(known.offset.ms, told.synchronized, told.stepped_at, told.step_ms)
