"""The edges, by what they report of themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec
import structlog

from adapters.edge_files import EdgeFiles
from adapters.wire import EdgeState, LineState, SiteState, decode_state
from energy.errors import StoreError, UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.api.words import OngoingProblem, TextWords
from gateway.edges import words as w
from gateway.edges.fleet import edge_meters, fleet_edge, lag_ms
from gateway.edges.known import Kept, Known
from gateway.edges.meter_clocks import BOUND_MS, clocks_off
from gateway.edges.words import EdgeWords

log = structlog.get_logger()

# From here on an edge that is there lags behind, and a clock is off: the store refuses what is 5 minutes ahead.
_LAG_MS, _OFF_MS = 15 * 60_000, 30_000
# So long after a restart an edge is taken to be there as it was.
_PRESUMED_MS = 60_000
_MOST_KEPT = 10_000


class Edges:
    """Takes the state messages of edges and remembers the last of each; over a restart where there are `files`."""

    def __init__(self, clock: Clock, files: EdgeFiles | None = None) -> None:
        self._clock, self._files = clock, files
        self._known: dict[str, Known] = {} if files is None else _from_before(files)
        self._presumed_until_ms: int | None = to_ms(clock.now()) + _PRESUMED_MS if self._known else None
        # Whether the broker is there: while it is not, nothing follows from silence.
        self.reachable: Callable[[], bool] = lambda: True
        # The version of its site file that each edge was handed last.
        self.handed: dict[str, str] = {}
        # By how much the clock of a meter may be wrong.
        self.meter_clock_ms = BOUND_MS
        # Until when each may come to the broker [ms].
        self.certificates: Callable[[], Mapping[str, int]] = dict

    def take(self, edge: str, payload: bytes, *, retained: bool = False) -> str | None:
        """Take a state message; a sentence where it is not one. An empty one retires the edge. `retained` is one that
        the broker has kept: nobody knows when it was said."""
        if not payload:
            self._known.pop(edge, None)
            if self._files is not None:
                self._files.remove(edge)
            return None
        try:
            state = decode_state(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return str(error)
        before = self._known.get(edge)
        since_ms, now_ms = None if before is None else before.since_ms, to_ms(self._clock.now())
        known = before or Known.new(state, now_ms)
        if known.hear(state, now_ms, retained=retained):
            self._known[edge] = known
            self._tell(edge, since_ms, state)
            self._keep(edge, known)
        return None

    def _tell(self, edge: str, before_ms: int | None, state: EdgeState) -> None:
        if state.state == "offline":
            log.warning("edge.offline", edge=edge)
        elif before_ms is not None:
            log.info("edge.online", edge=edge, after_s=(to_ms(self._clock.now()) - before_ms) / 1000)

    def _keep(self, edge: str, known: Known) -> None:
        # Whoever reaches the broker names edges as he likes: the disk is not filled with them.
        if self._files is not None and len(self._known) <= _MOST_KEPT:
            try:
                self._files.write(edge, msgspec.json.encode(known.kept))
            except StoreError as error:
                log.error("edge.unkept", edge=edge, cause=str(error))

    def _there(self) -> Mapping[str, Known]:
        """All edges. One of which nothing is heard after a restart is gone: the broker would have kept its state."""
        if self._presumed_until_ms is None:
            return self._known
        now_ms = to_ms(self._clock.now())
        if not self.reachable():
            self._presumed_until_ms = now_ms + _PRESUMED_MS
        elif now_ms > self._presumed_until_ms:
            self._presumed_until_ms = None
            for edge, known in self._known.items():
                if known.presumed and known.hear(EdgeState("offline"), now_ms, retained=True):
                    self._tell(edge, None, known.state)
                    self._keep(edge, known)
        return self._known

    def is_silent(self, meter: str) -> bool:
        """Whether an edge that is there says that the meter does not answer."""
        return any(
            known.state.state == "online" and (found := known.state.meters.get(meter)) and found.state == "silent"
            for known in self._there().values()
        )

    def silent_meters(self) -> dict[str, tuple[int, str]]:
        """Meters that do not answer: since when, and what was seen."""
        return {
            meter: (found.since, found.detail)
            for known in self._there().values()
            if known.state.state == "online"
            for meter, found in known.state.meters.items()
            if found.state == "silent"
        }

    def meters(self) -> dict[str, list[str]]:
        """The meters that each edge has told of last."""
        return {edge: list(known.state.meters) for edge, known in self._there().items()}

    def sites(self) -> dict[str, str]:
        """The version of its site file that each edge says it runs on."""
        return {edge: known.state.site.version for edge, known in self._known.items() if known.state.site is not None}

    def offline(self) -> list[str]:
        """The edges that are gone."""
        return [edge for edge, known in self._there().items() if known.state.state == "offline"]

    def fleet(self) -> list[w.FleetEdge]:
        """All edges, with what is wrong with each."""
        wrong, until = self.problems(), self.certificates()
        return [self._of_fleet(edge, known, wrong, until) for edge, known in sorted(self._there().items())]

    def one(self, edge: str) -> tuple[w.FleetEdge, list[w.EdgeMeterWords], list[w.TurnWords]]:
        """An edge, its meters, and when it came and went; UnknownName where none has reported by that name."""
        known = self._there().get(edge)
        if known is None:
            raise UnknownName(f"edge {edge!r} has never reported")
        turns = [w.TurnWords(turn.at, turn.state) for turn in reversed(known.turns)]
        return self._of_fleet(edge, known, self.problems(), self.certificates()), edge_meters(known), turns

    def _of_fleet(self, edge: str, known: Known, wrong: list[OngoingProblem], until: Mapping[str, int]) -> w.FleetEdge:
        now_ms, wanted = to_ms(self._clock.now()), self.handed.get(edge)
        return fleet_edge(edge, known, now_ms, wrong, wanted=wanted, certificate_until=until.get(edge))

    def words(self) -> list[EdgeWords]:
        return [self._words(edge, known) for edge, known in sorted(self._there().items())]

    def _words(self, edge: str, known: Known) -> EdgeWords:
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
            state.site.version if state.site is not None else None,
            self.handed.get(edge),
            (state.site.refused or None) if state.site is not None else None,
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
            for edge, known in self._there().items()
            if known.state.state == "offline"
        ]
        full = [
            OngoingProblem(
                "edge.outbox_full",
                edge,
                known.since_ms,
                _full(edge, known.state),
            )
            for edge, known in self._there().items()
            if known.state.outbox_full
        ]
        states = ((edge, known.state) for edge, known in self._there().items())
        own = [*gone, *full, *self._overloaded(), *self._refusing(), *self._behind()]
        return [*own, *clocks_off(states, self.meter_clock_ms)]

    def _refusing(self) -> list[OngoingProblem]:
        """Edges that have not taken a version of their site file, and why."""
        return [
            OngoingProblem("edge.site_refused", edge, known.since_ms, _refusal(edge, known.state.site))
            for edge, known in self._there().items()
            if known.state.state == "online" and known.state.site is not None and known.state.site.refused
        ]

    def _behind(self) -> list[OngoingProblem]:
        """Edges that are there and do not read, whose readings come late, or whose clock is off."""
        found = []
        for edge, known in self._there().items():
            said, off = known.state, known.offset.ms
            if said.state == "offline":
                continue
            if said.outbox_failing:
                found.append(OngoingProblem("edge.outbox_failing", edge, known.since_ms, _failing(edge, said)))
            if said.reading_stopped:
                found.append(OngoingProblem("edge.reading_stopped", edge, known.since_ms, _stopped(edge)))
            if (lag := lag_ms(said)) is not None and lag >= _LAG_MS:
                since = said.oldest_at or known.since_ms
                found.append(OngoingProblem("edge.lagging", edge, since, _lag(edge, lag, said.outbox_batches or 0)))
            if off is not None and abs(off) >= _OFF_MS:
                since = said.clock.stepped_at if said.clock is not None and said.clock.stepped_at else known.since_ms
                found.append(OngoingProblem("edge.clock_off", edge, since, _clock_off(edge, off)))
        return found

    def _overloaded(self) -> list[OngoingProblem]:
        """Lines that need more time than there is: by how much, and what would help."""
        return [
            OngoingProblem("edge.line_overloaded", f"{edge}/{line}", known.since_ms, _overload(line, found))
            for edge, known in self._there().items()
            if known.state.state == "online"
            for line, found in known.state.lines.items()
            if found.load > 1
        ]


def _refusal(edge: str, site: SiteState) -> TextWords:
    named = f" {site.refused_version}" if site.refused_version else ""
    return TextWords(
        f"采集端 {edge} 未采用站点文件{named}，仍按 {site.version} 运行：{site.refused}",
        f"Edge {edge} has not taken a site file{named}, and runs on {site.version}: {site.refused}",
    )


def _from_before(files: EdgeFiles) -> dict[str, Known]:
    """What was kept; a file that cannot be understood is left aside, for the edge tells all but its history again."""
    found = {}
    try:
        for edge, content in files.all():
            try:
                known = Known.from_before(msgspec.json.decode(content, type=Kept))
            except msgspec.DecodeError as error:
                log.error("edge.unkept", edge=edge, cause=str(error))
                continue
            if known is not None:
                found[edge] = known
    except StoreError as error:
        log.error("edge.unkept", edge="", cause=str(error))
    return found


def _full(edge: str, said: EdgeState) -> TextWords:
    dropped, thinned = said.outbox_dropped or 0, said.outbox_thinned or 0
    return TextWords(
        f"采集端 {edge} 的缓存已满，已抽稀 {thinned} 条读数，已丢弃 {dropped} 批最旧的读数",
        f"The outbox of edge {edge} is full: {thinned} readings were thinned out, {dropped} of its oldest batches lost",
    )


def _failing(edge: str, said: EdgeState) -> TextWords:
    return TextWords(
        f"采集端 {edge} 的磁盘拒绝写入，{said.outbox_waiting or 0} 条读数暂存内存：{said.outbox_failing}",
        f"The disk of edge {edge} takes nothing, {said.outbox_waiting or 0} readings wait in memory: "
        f"{said.outbox_failing}",
    )


def _stopped(edge: str) -> TextWords:
    return TextWords(
        f"采集端 {edge} 的缓存已满，已停止抄表，待读数送出后恢复",
        f"The outbox of edge {edge} is full, and it reads no meters until readings have gone",
    )


def _lag(edge: str, lag: int, batches: int) -> TextWords:
    minutes = lag // 60_000
    zh = f"{minutes // 60} 小时 {minutes % 60} 分" if minutes >= 60 else f"{minutes} 分钟"
    en = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return TextWords(
        f"采集端 {edge} 的读数滞后 {zh}，尚有 {batches} 批待补传",
        f"Readings of edge {edge} are {en} behind: {batches} batches wait",
    )


def _clock_off(edge: str, off_ms: int) -> TextWords:
    seconds = abs(off_ms) / 1000
    if off_ms > 0:
        return TextWords(
            f"采集端 {edge} 的时钟比网关快 {seconds:.0f} 秒，请检查其对时（NTP）",
            f"The clock of edge {edge} is {seconds:.0f} s ahead of the gateway's: see how it is set (NTP)",
        )
    # What is under way for long looks like what was said by a slow clock.
    return TextWords(
        f"采集端 {edge} 的时钟比网关慢 {seconds:.0f} 秒，或其消息迟到这么久，请检查其对时（NTP）和网络",
        f"The clock of edge {edge} is {seconds:.0f} s behind the gateway's, or its messages come that late: see how it "
        "is set (NTP), and its way to the broker",
    )


def _overload(line: str, found: LineState) -> TextWords:
    lines = math.ceil(found.load)
    faster = (f"，或将波特率提高到 {found.baud}", f", at {found.baud} baud") if found.baud else ("", "")
    return TextWords(
        f"线路 {line} 每秒需要 {found.load:.2f} 秒总线时间，已跳过 {found.late_ticks} 次抄读："
        f"把抄读间隔放长到 {found.load:.2f} 倍以上，或分成 {lines} 条线路{faster[0]}",
        f"Line {line} needs {found.load:.2f} s of each second, and has skipped {found.late_ticks} readings: it would "
        f"keep up with intervals {found.load:.2f} times as long, as {lines} lines{faster[1]}",
    )
