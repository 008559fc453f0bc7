"""The edges, by what they report of themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec
import structlog

from adapters.wire import EdgeState, LineState, decode_state
from energy.ports import Clock
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.edges.meter_clocks import BOUND_MS, clocks_off
from gateway.edges.words import EdgeWords

log = structlog.get_logger()


@dataclass(slots=True)
class _Known:
    state: EdgeState
    since_ms: int


class Edges:
    """Takes the state messages of edges and remembers the last of each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}
        # By how much the clock of a meter may be wrong.
        self.meter_clock_ms = BOUND_MS

    def take(self, edge: str, payload: bytes) -> str | None:
        """Take a state message; a sentence where it is not one. An empty one retires the edge."""
        if not payload:
            self._known.pop(edge, None)
            return None
        try:
            state = decode_state(payload)
        except msgspec.DecodeError as error:
            return str(error)
        before = self._known.get(edge)
        if before is None or before.state.state != state.state:
            self._tell(edge, before, state)
            self._known[edge] = _Known(state, to_ms(self._clock.now()))
        elif state.meters or state.state == "online":
            before.state = state
        return None

    def _tell(self, edge: str, before: _Known | None, state: EdgeState) -> None:
        if state.state == "offline":
            log.warning("edge.offline", edge=edge)
        elif before is not None:
            log.info("edge.online", edge=edge, after_s=(to_ms(self._clock.now()) - before.since_ms) / 1000)

    def is_silent(self, meter: str) -> bool:
        """Whether an edge that is there says that the meter does not answer."""
        return any(
            known.state.state == "online" and (found := known.state.meters.get(meter)) and found.state == "silent"
            for known in self._known.values()
        )

    def silent_meters(self) -> dict[str, tuple[int, str]]:
        """Meters that do not answer: since when, and what was seen."""
        return {
            meter: (found.since, found.detail)
            for known in self._known.values()
            if known.state.state == "online"
            for meter, found in known.state.meters.items()
            if found.state == "silent"
        }

    def meters(self) -> dict[str, list[str]]:
        """The meters that each edge has told of last."""
        return {edge: list(known.state.meters) for edge, known in self._known.items()}

    def offline(self) -> list[str]:
        """The edges that are gone."""
        return [edge for edge, known in self._known.items() if known.state.state == "offline"]

    def words(self) -> list[EdgeWords]:
        return [self._words(edge, known) for edge, known in sorted(self._known.items())]

    def _words(self, edge: str, known: _Known) -> EdgeWords:
        state = known.state
        return EdgeWords(
            edge,
            state.state,
            known.since_ms,
            state.version,
            state.outbox_batches,
            state.outbox_dropped,
            state.late_ticks,
            len(state.meters) or None,
            sorted(m for m, found in state.meters.items() if found.state == "silent"),
        )

    def problems(self) -> list[OngoingProblem]:
        """Edges that are gone and edges that lost readings."""
        gone = [
            OngoingProblem(
                "edge.offline",
                edge,
                known.since_ms,
                TextWords(
                    f"采集端 {edge} 离线，其读数暂存在现场，恢复后补传",
                    f"Edge {edge} is offline; it keeps its readings and sends them when it is back",
                ),
            )
            for edge, known in self._known.items()
            if known.state.state == "offline"
        ]
        full = [
            OngoingProblem(
                "edge.outbox_full",
                edge,
                known.since_ms,
                TextWords(
                    f"采集端 {edge} 的缓存已满，已丢弃 {known.state.outbox_dropped} 批最旧的读数",
                    f"The outbox of edge {edge} is full: {known.state.outbox_dropped} of its oldest batches are lost",
                ),
            )
            for edge, known in self._known.items()
            if known.state.outbox_full
        ]
        states = ((edge, known.state) for edge, known in self._known.items())
        return gone + full + self._overloaded() + clocks_off(states, self.meter_clock_ms)

    def _overloaded(self) -> list[OngoingProblem]:
        """Lines that need more time than there is: by how much, and what would help."""
        return [
            OngoingProblem("edge.line_overloaded", f"{edge}/{line}", known.since_ms, _overload(line, found))
            for edge, known in self._known.items()
            if known.state.state == "online"
            for line, found in known.state.lines.items()
            if found.load > 1
        ]


def _overload(line: str, found: LineState) -> TextWords:
    lines = math.ceil(found.load)
    faster = (f"，或将波特率提高到 {found.baud}", f", at {found.baud} baud") if found.baud else ("", "")
    return TextWords(
        f"线路 {line} 每秒需要 {found.load:.2f} 秒总线时间，已跳过 {found.late_ticks} 次抄读："
        f"把抄读间隔放长到 {found.load:.2f} 倍以上，或分成 {lines} 条线路{faster[0]}",
        f"Line {line} needs {found.load:.2f} s of each second, and has skipped {found.late_ticks} readings: it would "
        f"keep up with intervals {found.load:.2f} times as long, as {lines} lines{faster[1]}",
    )
