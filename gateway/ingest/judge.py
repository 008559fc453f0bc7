"""From messages to columns: what can be stored, and what is refused and why. Pure, and fast enough for a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from adapters.wire import Batch, MeterReadings, decode_batch, edge_and_leaf
from energy.ports import Message, Refusal
from energy.quantities import QUANTITIES
from energy.readings import Point, Quality, ReadingColumns, Reason
from energy.sites import Meter

log = structlog.get_logger()

FUTURE_TOLERANCE_MS = 5 * 60 * 1000
# No electronic meter is older: an earlier instant is a clock that was never set.
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z

UNKNOWN_METER = "unknown meter"
UNKNOWN_QUANTITY = "unknown quantity"
IMPLAUSIBLE = "implausible value"
FUTURE = "future time"
TOO_EARLY = "time before 2000"
BROKEN_TIME = "broken time"
NO_VALUE = "no value"
BROKEN_PAYLOAD = "broken payload"
CONFLICT = "conflicting value"
REFUSED = "refused by the store"
DUPLICATE = "duplicate"

_SHOWN = 200

_REASONS = {reason.value: reason.code for reason in Reason if reason is not Reason.NONE}


@dataclass(slots=True)
class Judged:
    """What came of some messages.

    columns : the readings that may be stored.
    edges : (n,) number, in `edge_names`, of the edge of each.
    answers : edge -> boot -> sequences to be told as stored once the columns are.
    """

    columns: ReadingColumns
    edges: npt.NDArray[np.int32]
    edge_names: list[str]
    refusals: list[Refusal]
    answers: dict[str, dict[str, list[int]]] = field(default_factory=dict)


class Judge:
    """Knows the points of the site and what is plausible at each."""

    def __init__(self, meters: Iterable[Meter]) -> None:
        self._meters = {m.id: m for m in meters}
        # Points are numbered as they are first seen: a city has forty thousand meters, each with few of the quantities.
        self._points: list[Point] = []
        self._numbers: dict[Point, int] = {}
        self._layouts: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self._bounds: list[tuple[float, float]] = []
        self._told = self._meters

    def take(self, meters: Iterable[Meter]) -> None:
        """The site has other meters, from the next judgement on: one may be made just now in another thread."""
        self._told = {m.id: m for m in meters}

    def _renew(self) -> None:
        told = self._told
        if told is self._meters:
            return
        self._meters = told
        self._layouts.clear()
        for number, point in enumerate(self._points):
            if point.meter in self._meters:
                self._bounds[number] = self._meters[point.meter].bounds(point.quantity)

    def judge(self, messages: Sequence[Message], now_ms: int) -> Judged:
        """Decode messages of readings; nothing of them is lost: it is in the columns or among the refusals.

        A message that makes the judge itself fail is refused like a broken one: it would come again for ever.
        """
        self._renew()
        try:
            return self._judge(messages, now_ms)
        except Exception as error:
            if len(messages) > 1:
                return _joined([self.judge([message], now_ms) for message in messages])
            log.exception("judge.failed", topic=messages[0].topic)
            return _nothing([_broken(messages[0], f"{type(error).__name__}: {error}", now_ms)])

    def _judge(self, messages: Sequence[Message], now_ms: int) -> Judged:
        rows = _Rows()
        refusals: list[Refusal] = []
        answers: dict[str, dict[str, list[int]]] = {}
        for message in messages:
            edge = edge_and_leaf(message.topic)[0]
            try:
                batch = decode_batch(message.payload)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                refusals.append(_broken(message, str(error), now_ms))
                continue
            rows.edge_names.append(edge)
            self._take(batch, edge, rows, refusals, now_ms)
            if batch.boot is not None and batch.sequence is not None:
                answers.setdefault(edge, {}).setdefault(batch.boot, []).append(batch.sequence)
        judged = Judged(*rows.columns(self._points), rows.edge_names, refusals, answers)
        return self._without_the_impossible(judged, now_ms)

    def _take(self, batch: Batch, edge: str, rows: _Rows, refusals: list[Refusal], now_ms: int) -> None:
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
            layout = self._layouts.get((readings.meter, tuple(values)))
            if layout is None:
                layout, values = self._learn(readings, edge, t_ms, refusals, now_ms)
            rows.add(layout, t_ms, values, readings, self._points)

    def _learn(
        self, readings: MeterReadings, edge: str, t_ms: int, refusals: list[Refusal], now_ms: int
    ) -> tuple[list[int], dict[str, float | None]]:
        """The numbers of a meter's points, remembered for the next time if all of them are known."""
        meter = self._meters.get(readings.meter)
        known: dict[str, float | None] = {}
        for name, value in readings.values.items():
            # A meter may report more than was asked of it; whatever the trade knows is understood.
            if meter is not None and name in QUANTITIES:
                known[name] = value
                continue
            reason = UNKNOWN_METER if meter is None else UNKNOWN_QUANTITY
            detail = "no such meter in the site" if meter is None else "no such quantity; see docs/glossary.md"
            refusals.append(Refusal(now_ms, reason, detail, edge, _shown(readings.meter), _shown(name), t_ms, value))
        layout = [self._number(meter, name) for name in known] if meter is not None else []
        if len(known) == len(readings.values) and len(self._layouts) < 1_000_000:
            self._layouts[readings.meter, tuple(known)] = layout
        return layout, known

    def _number(self, meter: Meter, name: str) -> int:
        point = Point(meter.id, name)
        if point not in self._numbers:
            self._numbers[point] = len(self._points)
            self._points.append(point)
            self._bounds.append(meter.bounds(name))
        return self._numbers[point]

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
        used, position = np.unique(columns.index, return_inverse=True)
        limits = np.array([self._bounds[number] for number in used], dtype=np.float64).reshape(-1, 2)[position]
        return limits[:, 0], limits[:, 1]

    def _detail(self, reason: str, columns: ReadingColumns, i: int, now_ms: int) -> str:
        if reason == IMPLAUSIBLE:
            low, high = self._bounds[columns.index[i]]
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


def _shown(text: object) -> str:
    """As much of a stranger's words as is worth keeping."""
    return str(text)[:_SHOWN]


def _broken(message: Message, cause: str, now_ms: int) -> Refusal:
    shown = message.payload[:_SHOWN].decode("utf-8", "replace")
    edge = edge_and_leaf(message.topic)[0]
    return Refusal(now_ms, BROKEN_PAYLOAD, f"{cause[:_SHOWN]}; begins {shown!r}", edge=edge)


def _nothing(refusals: list[Refusal]) -> Judged:
    return Judged(ReadingColumns.of([], [], [], []), np.empty(0, np.int32), [], refusals)


def _joined(parts: list[Judged]) -> Judged:
    """Several judgements as one; all were made by the same judge, and so over the same points."""
    whole = [part for part in parts if len(part.columns)]
    joined = _nothing([refusal for part in parts for refusal in part.refusals])
    for part in parts:
        for edge, boots in part.answers.items():
            for boot, sequences in boots.items():
                joined.answers.setdefault(edge, {}).setdefault(boot, []).extend(sequences)
    if whole:
        first = np.cumsum([0, *(len(part.edge_names) for part in whole[:-1])])
        joined.edge_names = [name for part in whole for name in part.edge_names]
        joined.edges = np.concatenate([part.edges + n for part, n in zip(whole, first, strict=True)]).astype(np.int32)
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
        self.index: list[int] = []
        self.t_ms: list[int] = []
        self.value: list[float | None] = []
        self.flagged: list[tuple[int, int, int]] = []
        self.edge_names: list[str] = []
        self._batch_of: list[int] = []

    def add(
        self,
        layout: list[int],
        t_ms: int,
        values: dict[str, float | None],
        readings: MeterReadings,
        points: Sequence[Point],
    ) -> None:
        if readings.flags:
            first = len(self.index)
            for i, number in enumerate(layout):
                flag = readings.flags.get(points[number].quantity)
                if flag is not None:
                    quality = Quality.BAD if flag.quality == "bad" else Quality.UNCERTAIN
                    reason = _REASONS.get(flag.reason, Reason.MARKED.code)
                    self.flagged.append((first + i, quality, reason))
        self.index += layout
        self.t_ms += [t_ms] * len(layout)
        self.value += values.values()
        self._batch_of += [len(self.edge_names) - 1] * len(layout)

    def columns(self, points: Sequence[Point]) -> tuple[ReadingColumns, npt.NDArray[np.int32]]:
        n = len(self.index)
        quality, reason = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
        for row, q, r in self.flagged:
            quality[row], reason[row] = q, r
        value = np.array(self.value, dtype=np.float64)
        return (
            ReadingColumns.of(points, self.index, self.t_ms, value, quality, reason),
            np.array(self._batch_of, dtype=np.int32),
        )
