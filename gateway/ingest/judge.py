"""From messages to columns: what can be stored, and what is refused and why. Pure, and fast enough for a replay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt
import structlog
from msgspec.structs import replace

from adapters.wire import READINGS, ROOT, Batch, EdgeState, Flag, MeterReadings, decode_batch, edge_and_leaf
from energy.names import ID_PATTERN
from energy.numbering import Numbering, OwnNumbers
from energy.ports import Message, Refusal
from energy.quantities import QUANTITIES
from energy.readings import Point, Quality, ReadingColumns, Reason
from energy.senders import Senders
from energy.sites import Meter
from gateway.foreign.service import Foreign
from gateway.ingest.reasons import (
    ANOTHER_EDGE,
    BROKEN_PAYLOAD,
    BROKEN_TIME,
    FUTURE,
    IMPLAUSIBLE,
    NO_VALUE,
    SHOWN,
    TOO_EARLY,
    TOO_LARGE,
    UNKNOWN_METER,
    UNKNOWN_QUANTITY,
    UNKNOWN_TOPIC,
    must_be_utf8,
    shown,
)

log = structlog.get_logger()

FUTURE_TOLERANCE_MS = 5 * 60 * 1000
# No electronic meter is older: an earlier instant is a clock that was never set.
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z

# So many names of values are remembered in layouts, whatever a stranger sends.
_REMEMBERED = 4_000_000
# What the brokers that are shipped let pass; a larger message is refused unread.
MOST_BYTES = 1 << 20

_NUMBER = np.dtype(np.int32)
_NO_METERS: Mapping[str, bytes] = {}
_REASONS = {reason.value: reason.code for reason in Reason if reason is not Reason.NONE}


@dataclass(slots=True)
class Judged:
    """What came of some messages.

    columns : the readings that may be stored.
    edges : (n,) number, in `edge_names`, of the edge of each.
    batches : what came of each edge, without its readings, to be told as stored once the columns are; as many as
    `edge_names`.
    states, commands : what became known of gateways of others, and what is to be published to them.
    unstored : rows that the store refuses, mostly since it holds another value of that instant.
    """

    columns: ReadingColumns
    edges: npt.NDArray[np.int32]
    edge_names: list[str]
    refusals: list[Refusal]
    batches: list[tuple[str, Batch]] = field(default_factory=list)
    states: list[tuple[str, EdgeState]] = field(default_factory=list)
    commands: list[tuple[str, bytes]] = field(default_factory=list)
    unstored: list[int] = field(default_factory=list)

    @property
    def answers(self) -> dict[str, dict[str, list[int]]]:
        """Edge -> boot -> sequences."""
        found: dict[str, dict[str, list[int]]] = {}
        for edge, batch in self.batches:
            if batch.boot is not None and batch.sequence is not None:
                found.setdefault(edge, {}).setdefault(batch.boot, []).append(batch.sequence)
        return found

    def leave_out(self, rows: Sequence[int]) -> None:
        """These rows of the columns are not stored after all."""
        stay = np.ones(len(self.columns), dtype=bool)
        stay[list(rows)] = False
        self.columns, self.edges = self.columns.take(stay), self.edges[stay]

    def by_lane(self) -> tuple[ReadingColumns, ReadingColumns]:
        """The readings that are live, and those that have waited."""
        waited = np.array([batch.history for _, batch in self.batches], dtype=bool)
        if not waited.any():
            return self.columns, self.columns.take(np.zeros(0, np.int64))
        return self.columns.take(~waited[self.edges]), self.columns.take(waited[self.edges])


@dataclass(slots=True)
class _Read:
    """A message, and from whom it is; None where all of it is refused.

    batch : what a gateway of others told; what our own edges tell is decoded when it is taken.
    """

    message: Message
    sender: str | None
    batch: Batch | None = None
    refusals: list[Refusal] = field(default_factory=list)


class Judge:
    """Knows the points of the site and what is plausible at each."""

    def __init__(self, meters: Iterable[Meter], senders: Senders | None = None, foreign: Foreign | None = None) -> None:
        self._foreign = foreign or Foreign()
        self._meters = {m.id: m for m in meters}
        self._senders = senders or Senders()
        # Points are numbered as they are first seen: a city has forty thousand meters, each with few of the quantities.
        self._points = Numbering()
        # By the sender, then by the names of the values, the numbers of a meter's points as bytes.
        self._layouts: dict[str, dict[tuple[str, ...], dict[str, bytes]]] = {}
        self._remembered = 0
        # Most meters have the bounds of the trade: of all that there are, which ones are a point's.
        self._bounds: dict[tuple[float, float], int] = {}
        self._bounds_of = OwnNumbers(self._find_bounds)
        # 1 for the points of meters whose readings anybody may send.
        self._open_of, self._has_open = OwnNumbers(self._find_open), self._any_open(self._meters)
        self._told = self._meters

    def take(self, meters: Iterable[Meter], senders: Senders | None = None) -> None:
        """The site has other meters, from the next judgement on: one may be made just now in another thread."""
        self._told = {m.id: m for m in meters}
        self._senders = senders or Senders()
        self._has_open = self._any_open(self._told)

    @property
    def senders(self) -> Senders:
        """Who may send the readings of which meter."""
        return self._senders

    def meters_of(self, sends: Callable[[str], bool]) -> list[str]:
        """The meters whose readings may come from such senders, and those of which anybody's may."""
        return [m for m in self._told if (sender := self._senders.now.get(m)) is None or sends(sender)]

    def open_meters(self, columns: ReadingColumns) -> set[str]:
        """Those of some readings that anybody may send."""
        if not self._has_open or len(columns) == 0:
            return set()
        is_open = self._open_of.rows(columns) == 1
        return {columns.points[i].meter for i in np.unique(columns.index[is_open]).tolist()}

    def _any_open(self, meters: Iterable[str]) -> bool:
        return any(meter not in self._senders.now for meter in meters)

    def _find_open(self, points: list[Point]) -> list[int]:
        return [point.meter not in self._senders.now for point in points]

    def _renew(self) -> None:
        told = self._told
        if told is self._meters:
            return
        self._meters = told
        self._layouts.clear()
        self._remembered = 0
        self._bounds_of = OwnNumbers(self._find_bounds)
        self._open_of = OwnNumbers(self._find_open)

    def judge(self, messages: Sequence[Message], now_ms: int) -> Judged:
        """Decode messages of readings; nothing of them is lost: it is in the columns or among the refusals.

        A message that makes the judge itself fail is refused like a broken one: it would come again for ever.
        """
        self._renew()
        told = _nothing([])
        # Those of gateways of others are read once: what these say of themselves depends on what they said before.
        read = [self._read(message, told, now_ms) for message in messages]
        judged = self._judged(read, now_ms)
        judged.states, judged.commands = told.states, told.commands
        return judged

    def _judged(self, read: Sequence[_Read], now_ms: int) -> Judged:
        try:
            return self._judge(read, now_ms)
        except Exception as error:
            if len(read) > 1:
                return _joined([self._judged([one], now_ms) for one in read])
            log.exception("judge.failed", topic=shown(read[0].message.topic))
            return _nothing([_refused(read[0].message, BROKEN_PAYLOAD, f"{type(error).__name__}: {error}", now_ms)])

    def _read(self, message: Message, told: Judged, now_ms: int) -> _Read:
        """From whom a message is; what a gateway of others said of itself is added to `told`."""
        if len(message.payload) > MOST_BYTES:
            detail = f"{len(message.payload)} bytes; {MOST_BYTES} are read at most"
            return _Read(message, None, None, [_refused(message, TOO_LARGE, detail, now_ms)])
        sender = sender_of(message.topic)
        if sender is not None:
            return _Read(message, sender)
        taken = None if message.topic.startswith(ROOT) else self._foreign.take(message, now_ms)
        if taken is None:
            detail = f"{shown(message.topic)!r} is none of an edge, and none that a mapping takes"
            return _Read(message, None, None, [_refused(message, UNKNOWN_TOPIC, detail, now_ms)])
        told.states += [(sender, self._of_the_site(state)) for sender, state in taken.states]
        told.commands += taken.commands
        return _Read(message, taken.sender, Batch(taken.readings, history=taken.history), taken.refusals)

    def _of_the_site(self, state: EdgeState) -> EdgeState:
        """The same of meters that there are."""
        return replace(state, meters={meter: s for meter, s in state.meters.items() if meter in self._meters})

    def _judge(self, read: Sequence[_Read], now_ms: int) -> Judged:
        rows = _Rows()
        refusals: list[Refusal] = []
        batches: list[tuple[str, Batch]] = []
        for one in read:
            refusals += one.refusals
            batch = _batch(one, refusals, now_ms)
            if batch is None or one.sender is None:
                continue
            rows.begin(one.sender)
            self._take(batch, one.sender, rows, refusals, now_ms)
            rows.end()
            # Nothing of its readings is held: the next ones are decoded where they were, in the processor's caches.
            batches.append((one.sender, replace(batch, readings=[])))
        judged = Judged(*rows.columns(self._points), rows.edge_names, refusals, batches)
        return self._without_the_impossible(judged, now_ms)

    def _take(self, batch: Batch, edge: str, rows: _Rows, refusals: list[Refusal], now_ms: int) -> None:
        layouts = self._layouts.setdefault(edge, {})
        for readings in batch.readings:
            try:
                t_ms = readings.taken_at_ms()
            except ValueError as error:
                detail = (
                    f"taken_at {readings.taken_at!r}: {error}; write ms since the epoch, or ISO 8601 with an offset"
                )
                refusals.append(Refusal(now_ms, BROKEN_TIME, detail, edge, readings.meter))
                continue
            values = readings.values
            layout = layouts.get(tuple(values), _NO_METERS).get(readings.meter)
            if layout is not None:
                rows.add(layout, t_ms, values, readings.flags)
                continue
            if not self._senders.allow(readings.meter, edge, t_ms):
                detail = f"its readings come from {self._senders.now[readings.meter]} alone"
                meter = shown(readings.meter)
                refusals += [
                    Refusal(now_ms, ANOTHER_EDGE, detail, edge, meter, shown(name), t_ms, value)
                    for name, value in values.items()
                ]
                continue
            layout, values = self._learn(readings, edge, t_ms, refusals, now_ms)
            rows.add(layout, t_ms, values, readings.flags)

    def _learn(
        self, readings: MeterReadings, edge: str, t_ms: int, refusals: list[Refusal], now_ms: int
    ) -> tuple[bytes, dict[str, float | None]]:
        """The numbers of a meter's points, remembered for the next time if all of them are known, and may come from
        this edge whenever they were taken."""
        meter = self._meters.get(readings.meter)
        known: dict[str, float | None] = {}
        for name, value in readings.values.items():
            # A meter may report more than was asked of it; whatever the trade knows is understood.
            if meter is not None and name in QUANTITIES:
                known[name] = value
                continue
            reason = UNKNOWN_METER if meter is None else UNKNOWN_QUANTITY
            detail = "no such meter in the site" if meter is None else "no such quantity; see docs/glossary.md"
            refusals.append(Refusal(now_ms, reason, detail, edge, shown(readings.meter), shown(name), t_ms, value))
        if meter is None:
            return b"", known
        layout = _as_bytes(self._points.number(Point(meter.id, name)) for name in known)
        whole = len(known) == len(readings.values) and self._senders.now.get(meter.id) in (None, edge)
        if whole and self._remembered < _REMEMBERED:
            self._layouts[edge].setdefault(tuple(known), {})[meter.id] = layout
            self._remembered += len(known) + 1
        return layout, known

    def _find_bounds(self, points: list[Point]) -> list[int]:
        found = (self._meters[point.meter].bounds(point.quantity) for point in points)
        return [self._bounds.setdefault(bounds, len(self._bounds)) for bounds in found]

    def _without_the_impossible(self, judged: Judged, now_ms: int) -> Judged:
        columns = judged.columns
        value, t_ms = columns.value, columns.taken_at_ms
        good = columns.quality < Quality.BAD
        low, high = self._limits(columns)
        wrong = (
            (NO_VALUE, good & np.isnan(value)),
            (IMPLAUSIBLE, good & ((value < low) | (value > high))),
            (FUTURE, t_ms > now_ms + FUTURE_TOLERANCE_MS),
            (TOO_EARLY, t_ms < EARLIEST_MS),
        )
        refused = np.zeros(len(columns), dtype=bool)
        for reason, rows in wrong:
            for i in np.flatnonzero(rows & ~refused).tolist():
                judged.refusals.append(
                    self.refusal(judged, i, reason, self._detail(reason, columns, i, now_ms), now_ms)
                )
            refused |= rows
        if refused.any():
            judged.columns, judged.edges = columns.take(~refused), judged.edges[~refused]
        return judged

    def _limits(self, columns: ReadingColumns) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The least and the greatest plausible value of each row."""
        own = self._bounds_of.rows(columns)
        low, high = np.array(list(self._bounds), dtype=np.float64).reshape(-1, 2).T
        return low[own], high[own]

    def _detail(self, reason: str, columns: ReadingColumns, i: int, now_ms: int) -> str:
        if reason == IMPLAUSIBLE:
            point = columns.points[columns.index[i]]
            low, high = self._meters[point.meter].bounds(point.quantity)
            return f"must lie between {low:g} and {high:g}"
        if reason == FUTURE:
            return f"{(int(columns.taken_at_ms[i]) - now_ms) / 1000:.0f} s ahead of the gateway's clock"
        return (
            "only a reading that is flagged bad may lack its value"
            if reason == NO_VALUE
            else "the clock of its source was not set"
        )

    @staticmethod
    def refusal(judged: Judged, row: int, reason: str, detail: str, now_ms: int) -> Refusal:
        """The refusal of a row of the columns."""
        columns = judged.columns
        point, value = columns.points[columns.index[row]], float(columns.value[row])
        return Refusal(
            now_ms,
            reason,
            detail,
            judged.edge_names[judged.edges[row]],
            point.meter,
            point.quantity,
            int(columns.taken_at_ms[row]),
            None if np.isnan(value) else value,
        )


@lru_cache(maxsize=16_384)
def sender_of(of_topic: str) -> str | None:
    """The edge whose readings come under a topic; None where it is another topic, or no id stands in it.

    >>> sender_of("jieneng/v1/demo/readings"), sender_of("jieneng/v1/de mo/readings"), sender_of("demo/readings")
    ('demo', None, None)
    """
    edge, leaf = edge_and_leaf(of_topic)
    known = of_topic.startswith(ROOT + "/") and leaf == READINGS and re.fullmatch(ID_PATTERN, edge)
    return edge if known else None


def _batch(read: _Read, refusals: list[Refusal], now_ms: int) -> Batch | None:
    """The batch in a message; None where there is none, and why is among the refusals."""
    if read.batch is not None or read.sender is None:
        return read.batch
    try:
        must_be_utf8(read.message.payload)
        return decode_batch(read.message.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        refusals.append(_refused(read.message, BROKEN_PAYLOAD, str(error), now_ms))
        return None


def _refused(message: Message, reason: str, cause: str, now_ms: int) -> Refusal:
    """The refusal of a whole message."""
    begins = message.payload[:SHOWN].decode("utf-8", "replace")
    return Refusal(now_ms, reason, f"{cause[:SHOWN]}; begins {begins!r}", edge=sender_of(message.topic))


def _nothing(refusals: list[Refusal]) -> Judged:
    return Judged(ReadingColumns.of([], [], [], []), np.empty(0, np.int32), [], refusals)


def _joined(parts: list[Judged]) -> Judged:
    """Several judgements as one; all were made by the same judge, and so over the same points."""
    whole = [part for part in parts if len(part.columns)]
    joined = _nothing([refusal for part in parts for refusal in part.refusals])
    joined.batches = [batch for part in parts for batch in part.batches]
    joined.edge_names = [name for part in parts for name in part.edge_names]
    if whole:
        before = np.cumsum([0, *(len(part.edge_names) for part in parts[:-1])])
        numbers = [part.edges + n for part, n in zip(parts, before, strict=True) if len(part.columns)]
        joined.edges = np.concatenate(numbers).astype(np.int32)
        columns = [part.columns for part in whole]
        joined.columns = ReadingColumns(
            columns[0].points,
            np.concatenate([c.index for c in columns]),
            np.concatenate([c.taken_at_ms for c in columns]),
            np.concatenate([c.value for c in columns]),
            np.concatenate([c.quality for c in columns]),
            np.concatenate([c.reason for c in columns]),
        )
    return joined


class _Rows:
    """Columns while they grow."""

    def __init__(self) -> None:
        self.edge_names: list[str] = []
        # Of each reading; it has as many values as its layout has numbers.
        self._layouts: list[bytes] = []
        self._t_ms: list[int] = []
        self._edge: list[int] = []
        # Of each value; of the message that is being taken they are still as they were decoded.
        self._values: list[npt.NDArray[np.float64]] = []
        self._value: list[float | None] = []
        self._flagged: list[tuple[int, int, int]] = []
        self._n = 0

    def begin(self, sender: str) -> None:
        """A message begins."""
        self.edge_names.append(sender)

    def end(self) -> None:
        """A message is over."""
        self._values.append(np.array(self._value, dtype=np.float64))
        self._n += len(self._value)
        self._value = []

    def add(self, layout: bytes, t_ms: int, values: dict[str, float | None], flags: dict[str, Flag]) -> None:
        if flags:
            for row, name in enumerate(values, self._n + len(self._value)):
                flag = flags.get(name)
                if flag is not None:
                    quality = Quality.BAD if flag.quality == "bad" else Quality.UNCERTAIN
                    reason = _REASONS.get(flag.reason, Reason.MARKED.code)
                    self._flagged.append((row, quality, reason))
        self._layouts.append(layout)
        self._t_ms.append(t_ms)
        self._edge.append(len(self.edge_names) - 1)
        self._value += values.values()

    def columns(self, points: Numbering) -> tuple[ReadingColumns, npt.NDArray[np.int32]]:
        quality, reason = np.zeros(self._n, np.uint8), np.zeros(self._n, np.uint8)
        for row, q, r in self._flagged:
            quality[row], reason[row] = q, r
        values = np.array([len(layout) for layout in self._layouts], np.int64) // _NUMBER.itemsize
        index = np.frombuffer(b"".join(self._layouts), _NUMBER)
        t_ms = np.repeat(np.array(self._t_ms, np.int64), values)
        value = np.concatenate([np.empty(0), *self._values])
        edge = np.repeat(np.array(self._edge, np.int32), values)
        return ReadingColumns(points, index, t_ms, value, quality, reason), edge


def _as_bytes(numbers: Iterable[int]) -> bytes:
    """Numbers of points, as they are joined fastest."""
    return np.fromiter(numbers, _NUMBER).tobytes()
