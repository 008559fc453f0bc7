"""What a look at the counters makes of the findings that are kept: it goes on, it has ended, it never was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from energy.findings import Finding, FindingKind
from energy.readings import Point
from gateway.findings.kept import Kept, State
from gateway.findings.worth import Valued

# Events this near to each other are one that was seen twice.
_NEAR_MS = 24 * 3_600_000
# A register stays disputed until an event explains it, whatever is measured afterwards.
_NEVER_OVER = frozenset({FindingKind.FALL, FindingKind.JUMP})


def _all_there(_point: Point) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of the counters of a site.

    found : the events that touch the time since `since_ms`, which is as far as can be seen. method : that judged them.
    quiet : by counter, the last instant that a day of measured hours has followed: what was over by then has ended.
    taken_away : since when a counter is looked at no more [ms]; None for one that is.
    """

    found: Sequence[Valued]
    since_ms: int
    method: str
    quiet: Mapping[Point, int] = field(default_factory=dict)
    taken_away: Callable[[Point], int | None] = _all_there

    def new_state(self, finding: Finding) -> State:
        """Of a finding that nobody has decided about."""
        if self.taken_away(finding.point) is not None:
            return State.ENDED
        return State.ENDED if finding.kind not in _NEVER_OVER and self.is_over(finding) else State.OPEN

    def is_over(self, finding: Finding) -> bool:
        """Whether its meter has been back to normal for long enough."""
        return finding.end_ms <= self.quiet.get(finding.point, 0)

    def again(self, kept: Kept, found: Valued) -> Kept:
        """A finding that is found once more. What is over, and cannot be seen whole any more, stays as it was told."""
        past = kept.finding.start_ms < self.since_ms and not kept.finding.ongoing
        if past and found.finding.start_ms > kept.finding.start_ms:
            found = kept.valued
        if past and kept.state is State.GONE:
            return kept
        state = kept.state if kept.state.is_decided else self.new_state(found.finding)
        return self._with_its_meter(replace(kept, valued=found, state=state, method=self.method))

    def unfound(self, kept: Kept) -> Kept:
        """A finding that is no longer found: explained away, or older than can be seen."""
        if kept.state is State.GONE:
            return kept
        away_ms = self.taken_away(kept.finding.point)
        if not kept.state.is_decided and (away_ms is None and self._is_seen_whole(kept.finding)):
            return replace(kept, valued=_stopped(kept.valued), state=State.GONE)
        if self.is_over(kept.finding):
            ended = kept.state is State.OPEN and kept.finding.kind not in _NEVER_OVER
            kept = replace(kept, valued=_stopped(kept.valued), state=State.ENDED if ended else kept.state)
        return self._with_its_meter(kept)

    def _is_seen_whole(self, finding: Finding) -> bool:
        """Facts of the data that go on are read back to where they began."""
        return finding.start_ms >= self.since_ms or (finding.kind.is_of_data and finding.ongoing)

    def _with_its_meter(self, kept: Kept) -> Kept:
        """It ends where its meter was taken away; what began later is no finding."""
        finding, away_ms = kept.finding, self.taken_away(kept.finding.point)
        if away_ms is None:
            return kept
        end_ms = max(min(finding.end_ms, away_ms), finding.start_ms)
        valued = replace(kept.valued, finding=replace(finding, end_ms=end_ms, ongoing=False))
        never = State.GONE if finding.start_ms >= away_ms else State.ENDED
        return replace(kept, valued=valued, state=kept.state if kept.state.is_decided else never)


@dataclass(frozen=True, slots=True)
class Told:
    """What a look changes: what is new, and what is kept, as it is now."""

    new: list[tuple[Valued, State]]
    changed: list[Kept]
    gone: int

    @classmethod
    def of(cls, kept: Mapping[Point, Sequence[Kept]], look: Look) -> Told:
        """kept : by counter, the newest first."""
        new: list[tuple[Valued, State]] = []
        after: dict[int, Kept] = {}
        for one in look.found:
            own = kept.get(one.finding.point, ())
            same = next((k for k in own if k.id not in after and is_same(k.finding, one.finding)), None)
            if same is None:
                new.append((one, look.new_state(one.finding)))
            else:
                after[same.id] = look.again(same, one)
        pairs = [(k, after.get(k.id) or look.unfound(k)) for own in kept.values() for k in own]
        changed = [now for before, now in pairs if (now.valued, now.state) != (before.valued, before.state)]
        gone = sum(now.state is State.GONE and before.state is not State.GONE for before, now in pairs)
        return cls(new, changed, gone)


def is_same(one: Finding, other: Finding) -> bool:
    """Whether two findings are the same event, seen at two times."""
    if one.point != other.point or one.kind.is_of_data != other.kind.is_of_data:
        return False
    if one.kind.is_of_data and one.kind is not other.kind:
        return False
    return one.start_ms < other.end_ms + _NEAR_MS and other.start_ms < one.end_ms + _NEAR_MS


def _stopped(valued: Valued) -> Valued:
    return replace(valued, finding=replace(valued.finding, ongoing=False))
