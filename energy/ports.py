"""Ports: what the processes need from the world. A port promises behaviour; adapters fulfil it (see `adapters/`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from energy.hours import Doubt, Hours, Small, Sums, Whole
from energy.notices import Notice, Receipt
from energy.readings import Point, ReadingColumns
from energy.series import Curve, Floats

# Points by their number in the store.
Numbers = npt.NDArray[np.integer] | Sequence[int]


class Clock(Protocol):
    """Time as the process sees it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def steady(self) -> float:
        """Seconds since an instant that stays the same while the machine runs, its sleep included. It never steps, and
        so all intervals are reckoned by it [s]."""

    async def sleep_until(self, instant: datetime) -> None:
        """Return at the instant, or at once if it has passed."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds of this clock."""


class MachineClock(Clock, Protocol):
    """The clock of a machine that somebody may set: `now` may step, `steady` may not."""

    @property
    def boot(self) -> str:
        """Names the time over which `steady` counts: from the start of the machine to its end."""

    @property
    def earliest(self) -> datetime:
        """What it shows before that it shows because it was never set."""

    def synchronized(self) -> bool | None:
        """Whether the clock is disciplined by a source of time; None where the machine cannot be asked."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the rows of a batch.

    stored : rows that are in the store now and were not before.
    repeated : rows that were there already, equal in value and quality; the store is as it was.
    conflicting : positions in the batch of rows that are not stored: their instant is taken by another value.
    refused : positions of rows that the store will never take, and why.
    """

    stored: int
    repeated: int
    conflicting: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spans:
    """How far readings of points reach: of those that have any, in the order of the points; (n,) each.

    index : position of the point in what was asked. n : how many readings. first_ms, last_ms : the instants.
    """

    index: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    first_ms: npt.NDArray[np.int64]
    last_ms: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Marks:
    """Points with readings that the ledger does not hold yet: (n,) each; `last` tells how far the marks were read."""

    last: int
    point: npt.NDArray[np.int64]
    from_ms: npt.NDArray[np.int64]


# The points of a ledger that several processes make, by what is left of their number: each part is made by one of them.
LEDGER_PARTS = 64


@dataclass(frozen=True, slots=True)
class Revision:
    """What another process has changed in the ledger: hours of points; (n,) and (m,), none else and not all of them."""

    points: Whole
    hours: Whole


@dataclass(frozen=True, slots=True)
class Revisions:
    """What other processes have changed since a look.

    upto : to be given at the next look. made : oldest first. lost : whether there was more than is told any more.
    waiting_s : how long the oldest reading has waited to be worked in [s]; None where none waits.
    """

    upto: int
    made: Sequence[Revision] = ()
    lost: bool = False
    waiting_s: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What the hours of a point were made under, beside its readings, as digests: of its register and of its price."""

    register: str
    price: str


class ReadingStore(Protocol):
    """Readings, kept for ever or as long as the operator says; safe on disk when `write` returns."""

    async def write(self, columns: ReadingColumns) -> Written:
        """Keep the readings; writing the same reading twice keeps one, and the first value of an instant stays."""

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        """The newest reading of each of the points, or of every point; those that were never read are left out."""

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        """Each point over [from, to) in at most `rows` rows, in the order of `points`.

        Raw where so many rows hold all readings, else reduced by `series.reduce` in steps of `series.step_for`.
        Bad readings are left out.
        """

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        """All readings over [from, to), bad ones too, ordered by point and instant."""

    async def points(self) -> list[Point]:
        """Every point that has ever had a reading."""

    async def maintain(self, now_ms: int) -> None:
        """Put what is no longer written to into its final order; may take long and can be repeated at will."""


class RegisterStore(ReadingStore, Protocol):
    """Readings that a ledger can be made from."""

    @property
    def shown_after_s(self) -> float:
        """So long after another process wrote it a reading may not be found yet [s]; what was written through this
        store is found at once."""

    def heard(self, columns: ReadingColumns) -> None:
        """Another process has just stored these: they are found at once, whatever the server shows."""

    async def learn(self, meters: Sequence[str]) -> None:
        """Know all that other processes have written of these meters before; returns when it can be found."""

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        """How many readings since then each of the points has, bad ones too, and from when to when."""

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        """The instant of the last reading before, that counts (`energy.readings.counted`)."""


class Ledger(Protocol):
    """Consumption by hour, kept beside the readings it is made from. Points go by their number in the store."""

    @property
    def points(self) -> Sequence[Point]:
        """Every point that has ever had a reading, at its number."""

    def number(self, point: Point) -> int | None:
        """The number of a point; None where it never had a reading."""

    async def hold(self, parts: Collection[int]) -> None:
        """Of several processes revise alone, from now on, the points of these parts (`LEDGER_PARTS`): NotHeld for
        whoever held them before, and here for all others. Who never called it revises all."""

    async def revisions(self, after: int | None) -> Revisions:
        """What other processes have changed since `Revisions.upto` of an earlier look; None to begin now."""

    async def marks(self, parts: Collection[int] | None = None, *, shown: bool = False) -> Marks:
        """Points of these parts, or all, with readings that are not worked in yet, and since when.

        shown : only as far as the store shows what other processes have written.
        """

    async def bases(self) -> dict[int, Basis]:
        """What the hours of each point were made under; points that were never made are left out."""

    async def settle(self, upto: int, bases: Mapping[int, Basis], parts: Collection[int] | None = None) -> None:
        """Forget the marks up to `upto` of the points of these parts, or all; keep what points were made under."""

    async def counts(self, points: Numbers, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        """How much there is to look at since then: of each point with readings that are not bad its number, how many,
        first and last instant. Bad ones may be among them."""

    async def registers(self, points: Numbers, from_ms: int) -> tuple[Small, Whole, Floats]:
        """Readings since then that are not bad, by point and instant: number of the point, instant, value."""

    async def last_before(self, point: int, before_ms: int) -> int | None:
        """The instant of the last reading before, that counts (`energy.readings.counted`)."""

    async def revise(self, stale: tuple[Numbers, Numbers], fresh: Hours) -> None:
        """Remove rows by point and hour, and add rows: all or nothing, on disk when it returns."""

    async def hours(self, points: Numbers, from_hour: int, to_hour: int) -> Hours:
        """The rows of the points over [from, to), by point and hour."""

    async def amounts(self, points: Numbers, from_hour: int, to_hour: int, known_ms: int) -> tuple[Small, Small, Whole]:
        """Of the same rows, where so much of the hour is measured or manual: number of the point, hour, amount; in any
        order. For many counters over a long time, of which nothing else is wanted."""

    async def totals(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        """What flowed through each point over [from, to), of points that have rows there."""

    async def curve(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        """What flowed through all the points together in each hour of [from, to) that any of them has a row of."""

    async def days(self, points: Numbers, from_day: int, to_day: int) -> Sums:
        """The same in each day of [from, to) of the ledger (`energy.hours.first_hour`)."""

    async def doubt(self, from_ms: Mapping[int, int], doubts: Sequence[Doubt]) -> None:
        """Replace what is doubtful about each point since its instant."""

    async def doubts(self, points: Numbers, from_ms: int, to_ms: int) -> list[Doubt]:
        """What is doubtful about the points over [from, to)."""

    async def reached(self, job: str) -> int | None:
        """Up to which instant a job that goes by the ledger had come [ms], be it in another process."""

    async def reach(self, jobs: Mapping[str, int]) -> None:
        """Keep up to which instants jobs have come [ms]."""

    async def maintain(self, now_ms: int) -> None:
        """Put settled hours into their final order; can be repeated at will."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reading that was not stored, and why; what is not known of it is None."""

    received_at_ms: int
    reason: str
    detail: str
    edge: str | None = None
    meter: str | None = None
    quantity: str | None = None
    taken_at_ms: int | None = None
    value: float | None = None


class Quarantine(Protocol):
    """Where refused readings wait to be looked at: bounded, and counted for ever."""

    async def put(self, refusals: Sequence[Refusal]) -> None:
        """Keep and count the refusals; the oldest make room when it is full. StoreError where they cannot be kept."""

    async def count(self, reason: str, n: int) -> None:
        """Count refusals of which nothing needs to be kept, such as repeated deliveries."""

    async def counts(self) -> dict[str, int]:
        """How many were refused since the installation, by reason."""

    async def newest(self, limit: int) -> list[Refusal]:
        """The latest ones kept, newest first."""


class KeptQuarantine(Quarantine, Protocol):
    """A quarantine as a whole, that may go on where another one ended."""

    async def adopt(self, refusals: Sequence[Refusal], counts: Mapping[str, int], *, anew: bool) -> bool:
        """Hold what another quarantine holds, newest first, in place of what was held: all or nothing. Where it is not
        `anew`, only if nothing was; whether it was done."""


@dataclass(slots=True)
class Heard:
    """An outbox of an edge: the ranges of its sequences that have come, and the one by which it was first heard of."""

    edge: str
    outbox: str
    met_at: int
    heard_at_ms: int
    ranges: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Loss:
    """Batches that never come, as their edge has said; None where it cannot know."""

    edge: str
    outbox: str
    first: int
    last: int
    cause: str
    readings: int | None
    from_ms: int | None
    to_ms: int | None
    told_at_ms: int


class DeliveryLog(Protocol):
    """What has come of each edge's outboxes. On the disk when a call returns; StoreError where it cannot be."""

    async def outboxes(self, shares: Collection[int] | None = None) -> list[Heard]:
        """Every outbox that has been heard of, the one heard of last at the end; of senders of these shares alone."""

    async def losses(self, shares: Collection[int] | None = None) -> list[Loss]:
        """What never comes, newest first; so many that they can be looked at."""

    async def save(self, heard: Sequence[Heard], lost: Sequence[Loss] = ()) -> None:
        """Keep how these outboxes stand, and what never comes: all or nothing."""

    async def forget(self, edge: str, outbox: str) -> None:
        """An outbox that is gone for good."""

    async def adopt(self, heard: Sequence[Heard], losses: Sequence[Loss], *, anew: bool) -> bool:
        """Hold what another log holds, losses newest first, in place of what was held: all or nothing. Where it is not
        `anew`, only if nothing was; whether it was done."""


@dataclass(slots=True)
class Message:
    """A message of the bus; `token` is the adapter's own."""

    topic: str
    payload: bytes
    retained: bool = False
    token: object = None


class Bus(Protocol):
    """A broker of messages by topic. Reconnects by itself; `connected` says whether it is now."""

    @property
    def connected(self) -> bool: ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool | None:
        """Hand the message to the broker at least once; BusError while not connected, or where it takes none.

        False where it is told that nobody subscribes to it.
        """

    def messages(self) -> AsyncIterator[list[Message]]:
        """Messages of the subscribed topics as they come, as many at a time as have come."""

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that the messages need not be delivered again."""


class Notifier(Protocol):
    """A channel to people. What it did is told by its own answer, never by the fact that it was asked."""

    @property
    def name(self) -> str: ...

    @property
    def personal(self) -> bool:
        """Whether a notice reaches one person alone, and not a group that reads along."""

    async def send(self, notice: Notice) -> Receipt:
        """Ask the channel to tell it; a receipt whatever happens, an exception for no fault of the channel."""


# Told which numbers of a kind of work began or ceased to be this process's own.
Handover = Callable[[frozenset[int]], Awaitable[None]]


class Claims(Protocol):
    """Who of several processes does what: work of a kind is numbered, and each number is one live process's at a time.

    Numbers move where a process comes, goes or dies. One that shall be another's is given up when nobody works in it;
    all are lost at once when it can no longer be seen that they are held.
    """

    @property
    def name(self) -> str:
        """The name of this process, which no other live one has."""

    def take_part(self, kind: str, count: int, *, gained: Handover | None = None, lost: Handover | None = None) -> None:
        """Do a share of a kind of work, the numbers 0 to `count` - 1; once for each kind.

        gained : awaited when numbers are held already, before `work` gives them out. Where it fails it is tried again.
        lost : awaited before numbers are let go of, of all that `gained` was told, even if that failed; of those that
        are lost with the connection, others may hold them meanwhile.
        """

    def held(self, kind: str, number: int = 0) -> bool:
        """Whether it is this process's now: to be asked before each write, since it may be lost at any time."""

    def work(self, kind: str, numbers: Collection[int]) -> AbstractContextManager[frozenset[int]]:
        """Those of the numbers that may be worked in; they are not given up, though they may be lost, before the
        context ends."""

    def holder(self, kind: str, number: int = 0) -> str | None:
        """The process that was last seen to hold a number, ready or not; None where none was."""

    def members(self, kind: str) -> Sequence[str]:
        """The processes that were last seen to do work of a kind, by name."""
