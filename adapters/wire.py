"""What travels over MQTT, version 1 (docs/mqtt.md): topics, and payloads as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from energy.readings import LAST_MS, to_ms

ROOT = "jieneng/v1"
READINGS = "readings"
STATE = "state"
STORED = "stored"
SITE = "site"
WANTED = "wanted"

# Between the processes of a gateway: nobody else hears or says it.
BETWEEN = "jieneng-gateway/v1"
# What is handed on to the process that answers for its sender.
HANDED = "readings"

# Why readings never come: the outbox was full and let go of its oldest, or of what lies between the hours; they were
# too old; a file was damaged; the disk refused them for too long; they were answered as stored before; the outbox is no
# longer there.
Cause = Literal["full", "thinned", "old", "damaged", "disk", "stored", "replaced"]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_MS)]
OutboxId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Flag(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Why a value is not good."""

    quality: Literal["uncertain", "bad"]
    reason: str = ""


class MeterReadings(msgspec.Struct, omit_defaults=True):
    """What a meter said at one instant: `taken_at` in ms since the epoch, or ISO 8601 with an offset."""

    meter: str
    taken_at: int | str
    values: dict[str, float | None]
    flags: dict[str, Flag] = {}

    def taken_at_ms(self) -> int:
        """The instant; ValueError where it is not written as one, or lies beyond any calendar."""
        t_ms = to_ms(datetime.fromisoformat(self.taken_at)) if isinstance(self.taken_at, str) else self.taken_at
        if not 0 <= t_ms <= LAST_MS:
            raise ValueError("not within the years 1970 to 9999")
        return t_ms


class Lost(msgspec.Struct, omit_defaults=True):
    """Batches that an edge no longer has: sequences `first` to `last`, with so many readings taken in [from, to]."""

    first: Sequence
    last: Sequence
    cause: Cause
    readings: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    from_ms: Instant | None = msgspec.field(default=None, name="from")
    to_ms: Instant | None = msgspec.field(default=None, name="to")


class Batch(msgspec.Struct, omit_defaults=True):
    """Readings of an edge. `boot` and `sequence` name the batch; who gives them is told when it is stored.

    outbox : the numbering that `sequence` counts in, and that the gateway looks for gaps in. held_from : the least
    sequence that the sender still holds. history : the batch has waited; newer readings may have gone before it.
    lost : what never comes. corrected_ms : by how much the times of all its readings were moved, since they were taken
    under a clock that was not set; + later.
    """

    readings: list[MeterReadings]
    boot: str | None = None
    sequence: int | None = None
    outbox: OutboxId | None = None
    held_from: Sequence | None = None
    history: bool = False
    lost: list[Lost] = []
    corrected_ms: int | None = None


class Stored(msgspec.Struct, omit_defaults=True):
    """The gateway to an edge: these batches are committed."""

    boot: str
    sequences: list[int]
    outbox: str | None = None


class Wanted(msgspec.Struct):
    """The gateway to an edge: these sequences of an outbox have not come; none of them: the gateway is there."""

    outbox: str
    ranges: list[tuple[int, int]]


class MeterState(msgspec.Struct, omit_defaults=True):
    """How a meter answers; `clock_drift_ms` is by how much its own clock is ahead of the edge's, where it has one."""

    state: Literal["reporting", "silent", "unread"]
    since: int
    detail: str = ""
    clock_drift_ms: int | None = None


class LineState(msgspec.Struct, omit_defaults=True):
    """How a line keeps its schedule.

    `load` is how many seconds of each second its meters need; above 1 it cannot keep up, and `baud` is then the speed
    at which it could, if there is one. `late_ticks` are readings skipped because it was busy.
    """

    load: float
    late_ticks: int = 0
    baud: int | None = None


class ClockState(msgspec.Struct, omit_defaults=True):
    """The wall clock of an edge: whether it has been set since the machine woke, and its last step [ms, + forwards]."""

    synchronized: bool | None = None
    stepped_at: int | None = None
    step_ms: int | None = None


class SiteState(msgspec.Struct, omit_defaults=True):
    """The site file that an edge runs on; `refused` says why a newer one, `refused_version`, was not taken."""

    version: str
    since: int
    refused_version: str | None = None
    refused: str = ""


class EdgeState(msgspec.Struct, omit_defaults=True):
    """The state of an edge, retained; published by its will as offline when it is gone.

    `told_at` is when it was said, by the edge's clock; `oldest_at` when the oldest reading was taken that the gateway
    has not stored; `outbox_thinned` counts readings that were let go between others, `reading_stopped` says that the
    outbox is full and the meters are not read. `outbox_damaged` counts batches and files that could not be read and
    were set aside; `outbox_failing` says why the disk takes nothing now, `outbox_waiting` how many readings wait in
    memory for it.
    """

    state: Literal["online", "offline"]
    since: int | None = None
    boot: str | None = None
    version: str | None = None
    outbox_batches: int | None = None
    outbox_bytes: int | None = None
    outbox_dropped: int | None = None
    outbox_full: bool = False
    outbox_thinned: int | None = None
    reading_stopped: bool = False
    outbox_damaged: int | None = None
    outbox_failing: str = ""
    outbox_waiting: int | None = None
    oldest_at: int | None = None
    told_at: int | None = None
    clock: ClockState | None = None
    site: SiteState | None = None
    late_ticks: int | None = None
    meters: dict[str, MeterState] = {}
    lines: dict[str, LineState] = {}


def topic(edge: str, leaf: str) -> str:
    """The topic of an edge.

    >>> topic("demo", READINGS)
    'jieneng/v1/demo/readings'
    """
    return f"{ROOT}/{edge}/{leaf}"


def between(process: str, leaf: str) -> str:
    """The topic of a process of the gateway: `HANDED`, `STORED` or `STATE`.

    >>> between("server-1", STORED)
    'jieneng-gateway/v1/server-1/stored'
    """
    return f"{BETWEEN}/{process}/{leaf}"


def edge_and_leaf(of_topic: str) -> tuple[str, str]:
    """The edge and the last level of a topic of ours.

    >>> edge_and_leaf("jieneng/v1/demo/state")
    ('demo', 'state')
    """
    edge, _, leaf = of_topic.removeprefix(ROOT + "/").partition("/")
    return edge, leaf


encode = msgspec.json.Encoder().encode
decode_batch = msgspec.json.Decoder(Batch).decode
decode_stored = msgspec.json.Decoder(Stored).decode
decode_wanted = msgspec.json.Decoder(Wanted).decode
decode_state = msgspec.json.Decoder(EdgeState).decode
