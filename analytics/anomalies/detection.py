"""The findings of many meters over a stretch of time: facts of the data first, what is unusual after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.anomalies import rules
from analytics.anomalies.channels import Channel, Values
from analytics.anomalies.events import Stretch, stretches
from analytics.anomalies.kinds import kind_of
from analytics.anomalies.profiles import HOURS, TRAILING_DAYS, Hourly
from analytics.anomalies.replay import Replay
from energy.findings import FindingKind
from energy.working_days import Mask, Numbers

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
    use: Hourly,
    made: Replay,
    worked: Mask,
    thresholds: Values,
    usual_run: Values,
    hours: tuple[int, int],
    since: Numbers | None = None,
) -> list[Event]:
    """The events of m meters that are not over before the first of some hours.

    Parameters
    ----------
    use : (m, n) consumption by hour, whole local days. made : its replay. worked : (n / 24,) days that are worked.
    thresholds, usual_run : (m,) of each meter.
    hours : [from, to) that are looked at; nothing is known after them.
    since : (m,) the hour from which on all of a meter is there; None for the first.
    """
    since = np.zeros(len(use), np.int64) if since is None else since
    unusual = (np.nan_to_num(made.score[:, hours[0] :]) >= thresholds[:, None]).any(axis=1)
    odd = _may_have_facts(use, made.expected, usual_run, hours, since)
    found: list[Event] = []
    for i in np.flatnonzero(unusual | odd).tolist():
        facts = list(_facts(i, use[i], made.expected[i], float(usual_run[i]), hours, int(since[i]))) if odd[i] else []
        found += [*facts, *_unusual(i, use[i], made, worked, float(thresholds[i]), hours, facts)]
    return found


def _unusual(
    i: int,
    use: npt.NDArray[np.float32],
    made: Replay,
    worked: Mask,
    threshold: float,
    hours: tuple[int, int],
    facts: list[Event],
) -> list[Event]:
    score = made.score[i].copy()
    score[: hours[0]] = np.nan
    for fact in facts:
        score[fact.start : fact.end] = np.nan
    events = [
        Event(i, kind_of(s, use, made.expected[i], made.spread[i], worked), s.start, s.end, s.peak)
        for s in stretches(score, threshold)
    ]
    return [e for e in events if not (_tail(e, facts) or _is_usual(e, use, made, worked))]


def _may_have_facts(use: Hourly, expected: Hourly, usual_run: Values, hours: tuple[int, int], since: Numbers) -> Mask:
    """(m,) whether there can be any fact of the data: most meters have none, and are not looked at one by one."""
    first = min(int(since.max(initial=0)), hours[0])
    late, usual = use[:, first:], expected[:, first:]
    gap = ~np.isfinite(use[:, first : hours[1]]).all(axis=1)
    backwards = (late < 0).any(axis=1)
    flat = (late[:, 1:] == late[:, :-1]).sum(axis=1) + 1 >= usual_run.astype(np.int64) + rules.STUCK_H
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = late / usual
    far = ((ratio > rules.FAR) | (ratio < 1 / rules.FAR)).sum(axis=1) >= rules.SCALE_H
    # Of those all of whose past was read, a fact may lie there too.
    return np.asarray(gap | backwards | flat | far | (since < first))


def _facts(
    i: int,
    use: npt.NDArray[np.float32],
    expected: Values,
    usual_run: float,
    hours: tuple[int, int],
    since: int,
) -> list[Event]:
    late, usual, seen = use[since:], expected[since:], use[max(hours[0] - TRAILING_DAYS * HOURS, 0) :]
    told: list[tuple[FindingKind, Stretch, float | None]] = [
        *((FindingKind.MISSING, s, None) for s in rules.missing(late, hours[1] - since)),
        *((FindingKind.NEGATIVE, s, None) for s in rules.negative(late)),
        *((FindingKind.STUCK, s, None) for s in rules.stuck(late, usual_run, usual, seen)),
        *(
            (FindingKind.SCALE, s, factor)
            for s, factor in rules.wrong_scale(late, usual)
            if not rules.was_so_before(use, s.after(since), more=factor > 1)
        ),
    ]
    return [
        Event(i, kind, s.start + since, s.end + since, 0.0, ratio)
        for kind, s, ratio in told
        if s.end + since > hours[0]
    ]


def reaches_back(use: Hourly) -> Mask:
    """(m, n) consumption to (m,): whether a fact of the data holds all of these hours, and so began before them."""
    return np.asarray((~np.isfinite(use)).all(axis=1) | (use[:, 1:] == use[:, :-1]).all(axis=1) | (use < 0).all(axis=1))


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
