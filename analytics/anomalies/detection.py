"""The findings of many meters over a stretch of time: facts of the data first, what is unusual after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.anomalies import rules
from analytics.anomalies.channels import Channel, Values
from analytics.anomalies.events import Stretch, stretches
from analytics.anomalies.kinds import kind_of
from analytics.anomalies.profiles import HOURS, Hourly
from analytics.anomalies.replay import Replay
from energy.findings import FindingKind
from energy.working_days import Mask

# More days without work than a weekend has, and the share of what is missing that must lie in them.
_LONG_REST, _MOST = 3, 0.7


@dataclass(frozen=True, slots=True)
class Event:
    """What was found of a meter: its row, what it is, its hours, its greatest score, its factor where that is wrong."""

    meter: int
    kind: FindingKind
    start: int
    end: int
    peak: float = 0.0
    ratio: float | None = None


def events_of(
    use: Hourly, made: Replay, worked: Mask, thresholds: Values, usual_run: Values, hours: tuple[int, int]
) -> list[Event]:
    """The events of m meters that are not over before the first of some hours.

    Parameters
    ----------
    use : (m, n) consumption by hour, whole local days. made : its replay. worked : (n / 24,) days that are worked.
    thresholds, usual_run : (m,) of each meter.
    hours : [from, to) that are looked at; nothing is known after them.
    """
    found: list[Event] = []
    for i in range(len(use)):
        facts = list(_facts(i, use[i], made.expected[i], float(usual_run[i]), hours))
        score = made.score[i].copy()
        score[: hours[0]] = np.nan
        for fact in facts:
            score[fact.start : fact.end] = np.nan
        unusual = [
            Event(i, kind_of(s, use[i], made.expected[i], made.spread[i], worked), s.start, s.end, s.peak)
            for s in stretches(score, float(thresholds[i]))
        ]
        found += [*facts, *(u for u in unusual if not (_tail(u, facts) or _is_usual(u, use[i], made, worked)))]
    return found


def _facts(
    i: int, use: npt.NDArray[np.float32], expected: Values, usual_run: float, hours: tuple[int, int]
) -> list[Event]:
    told: list[tuple[FindingKind, Stretch, float | None]] = [
        *((FindingKind.MISSING, s, None) for s in rules.missing(use, hours[1])),
        *((FindingKind.NEGATIVE, s, None) for s in rules.negative(use)),
        *((FindingKind.STUCK, s, None) for s in rules.stuck(use, usual_run, expected)),
        *(
            (FindingKind.SCALE, s, factor)
            for s, factor in rules.wrong_scale(use, expected)
            if not rules.was_so_before(use, s, more=factor > 1)
        ),
    ]
    return [Event(i, kind, s.start, s.end, 0.0, ratio) for kind, s, ratio in told if s.end > hours[0]]


def _is_usual(event: Event, use: npt.NDArray[np.float32], made: Replay, worked: Mask) -> bool:
    """Whether an event says no more than what is known already: nobody is there on a public holiday, so that less is
    used; the amount stays the same as it was expected, of which `rules.stuck` has its own opinion."""
    i, at = event.meter, slice(event.start, event.end)
    beyond = use[at] - made.expected[i, at]
    if event.kind is FindingKind.LOW:
        less = np.where(np.isfinite(beyond), np.maximum(-beyond, 0), 0)
        of_holiday = _long_rest(worked)[np.arange(event.start, event.end) // HOURS]
        return bool(less[of_holiday].sum() > _MOST * less.sum())
    stands_on = made.channel[i, at][int(np.nanargmax(made.score[i, at]))]
    return stands_on == Channel.FLAT and not (np.abs(beyond) > 2 * made.spread[i, at]).any()


def _long_rest(worked: Mask) -> Mask:
    """(d,) days of a rest that is longer than a weekend."""
    edges = np.flatnonzero(np.diff(np.r_[True, worked, True].astype(np.int8)))
    long = np.zeros(len(worked), np.bool_)
    for begin, end in edges.reshape(-1, 2):
        long[begin:end] = end - begin >= _LONG_REST
    return long


def _tail(event: Event, facts: list[Event]) -> bool:
    """Means over hours remember a fact of the data for a while after it."""
    return any(f.start <= event.start <= f.end + 24 and f.kind is not FindingKind.MISSING for f in facts)
