"""The edges, by what they report of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import structlog

from adapters.edge_files import EdgeFiles
from adapters.edge_troubles import troubles
from adapters.wire import EdgeState, decode_state
from energy.errors import StoreError, UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Text
from gateway.api.words import OngoingProblem, TextWords
from gateway.edges import words as w
from gateway.edges.fleet import edge_meters, fleet_edge, refusal
from gateway.edges.known import Kept, Known
from gateway.edges.meter_clocks import BOUND_MS, clocks_off
from gateway.edges.words import EdgeWords

log = structlog.get_logger()

# From here on a clock is off: the store refuses what is 5 minutes ahead.
_OFF_MS = 30_000
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
            refusal(state),
        )

    def problems(self) -> list[OngoingProblem]:
        """Edges that are gone, what is wrong with them by what they say, and clocks that are off."""
        there = self._there()
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
            for edge, known in there.items()
            if known.state.state == "offline"
        ]
        said = [
            OngoingProblem(one.kind, one.subject, one.since_ms or known.since_ms, _worded(one.text, known.state))
            for edge, known in there.items()
            for one in troubles(edge, known.state)
        ]
        states = ((edge, known.state) for edge, known in there.items())
        return [*gone, *said, *self._clocks(), *clocks_off(states, self.meter_clock_ms)]

    def _clocks(self) -> list[OngoingProblem]:
        """Edges that are there and whose clock is off."""
        found = []
        for edge, known in self._there().items():
            said, off = known.state, known.offset.ms
            if said.state == "online" and off is not None and abs(off) >= _OFF_MS:
                since = said.clock.stepped_at if said.clock is not None and said.clock.stepped_at else known.since_ms
                found.append(OngoingProblem("edge.clock_off", edge, since, _clock_off(edge, off)))
        return found


def _worded(text: Text, said: EdgeState) -> TextWords:
    """What is wrong with an edge, with its own reason in Chinese too."""
    why = refusal(said)
    return TextWords(text.zh if why is None else text.zh.replace(why.en, why.zh), text.en)


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
