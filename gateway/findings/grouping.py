"""One cause, one finding: what a main meter shows because a meter below it does is told where it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from energy.findings import Finding
from energy.sites import Meter
from gateway.findings.worth import Valued

# The share of a main meter's excess that meters below it must explain, and of its time in which they must do so.
_MOST = 0.5


def one_cause(found: Sequence[Valued], meters: Iterable[Meter]) -> list[Valued]:
    """The findings without those of main meters which findings at meters below them explain.

    A pipe that leaks behind a building's meter is seen there, and at the main of the campus: it is told of
    the building. Facts of the data are each meter's own, and stay.
    """
    parents = {m.id: m.parent for m in meters if m.parent is not None}
    below: dict[str, list[Finding]] = defaultdict(list)
    for one in found:
        at = parents.get(one.finding.point.meter)
        while at is not None:
            below[at].append(one.finding)
            at = parents.get(at)
    return [one for one in found if not _explained(one.finding, below.get(one.finding.point.meter, ()), parents)]


def _explained(main: Finding, below: Sequence[Finding], parents: dict[str, str]) -> bool:
    if main.excess is None or main.kind.is_of_data:
        return False
    alike = [f for f in below if f.excess is not None and f.excess * main.excess > 0 and _shared_ms(f, main) > 0]
    # Of a branch the lowest one is told already: what is above it must not count twice.
    lowest = [f for f in alike if not any(_is_above(f, other, parents) for other in alike)]
    explained = sum(abs(f.excess or 0) * _shared_ms(f, main) / (f.end_ms - f.start_ms) for f in lowest)
    together = sum(_shared_ms(f, main) for f in lowest)
    return explained >= _MOST * abs(main.excess) and together >= _MOST * (main.end_ms - main.start_ms)


def _shared_ms(one: Finding, other: Finding) -> int:
    return max(min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms), 0)


def _is_above(upper: Finding, lower: Finding, parents: dict[str, str]) -> bool:
    at = parents.get(lower.point.meter)
    while at is not None and at != upper.point.meter:
        at = parents.get(at)
    return at is not None
