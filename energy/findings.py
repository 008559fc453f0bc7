"""What does not look as it should, at a counter, from an hour to another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from energy.readings import Point


class FindingKind(StrEnum):
    """What a finding is. The first are facts of the data; the others stand on a profile of what is usual."""

    MISSING = "missing"
    STUCK = "stuck"
    FALL = "fall"
    JUMP = "jump"
    NEGATIVE = "negative"
    SCALE = "scale"
    SPIKE = "spike"
    DROP = "drop"
    NIGHT = "night"
    REST_DAY = "rest_day"
    CONSTANT = "constant"
    HIGH = "high"
    LOW = "low"

    @property
    def is_of_data(self) -> bool:
        """Whether it doubts what was measured, and not how much was used."""
        return self in _OF_DATA


_OF_DATA = frozenset(
    {
        FindingKind.MISSING,
        FindingKind.STUCK,
        FindingKind.FALL,
        FindingKind.JUMP,
        FindingKind.NEGATIVE,
        FindingKind.SCALE,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """An event at a counter.

    start_ms, end_ms : [start, end); the end of one that goes on is as far as it was looked at.
    ongoing : whether it had not ended then. peak : its greatest score; 0 of a fact of the data.
    threshold : the score from which an hour of this meter is a finding.
    excess : what was used beyond what was expected, less is negative [millionths of the unit]; None where that means
        nothing, such as for a meter that is stuck. used, expected : of the same hours [millionths of the unit].
    ratio : by how much too large, for `scale`.
    """

    point: Point
    kind: FindingKind
    start_ms: int
    end_ms: int
    ongoing: bool
    peak: float = 0.0
    threshold: float = 0.0
    excess: int | None = None
    used: int | None = None
    expected: int | None = None
    ratio: float | None = None
