"""Judging a method by recorded consumption: scores as they would have been, events, and what they find of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analytics.anomalies.events import Stretch, stretches
from analytics.anomalies.measures import pr_auc, roc_auc
from analytics.anomalies.profiles import HOURS, Hourly
from analytics.anomalies.replay import Replay, replay, thresholds
from energy.working_days import Mask

# How often a threshold is made anew [days], and how many hours a month has.
_ANEW_DAYS = 28
_MONTH_H = 730.5
# An event that begins this soon after a label is its tail, no false one [h].
_TAIL_H = 24


@dataclass(frozen=True, slots=True)
class Label:
    """[start, end) hours of the series of a meter that somebody calls faulty."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Meters of a medium, judged hour by hour.

    ratio : (m, n) score over the threshold that held then; an hour is a finding from 1 on.
    """

    made: Replay
    ratio: Hourly
    events: list[list[Stretch]]


def judge(use: Hourly, worked: Mask) -> Judged:
    """Score and find events without looking ahead: a threshold is made of scores before it, every four weeks."""
    made = replay(use, worked)
    ratio = np.full(use.shape, np.nan, np.float32)
    step = _ANEW_DAYS * HOURS
    for begin in range(0, use.shape[1], step):
        limits = thresholds(made.score[:, :begin])
        ratio[:, begin : begin + step] = made.score[:, begin : begin + step] / limits[:, None]
    return Judged(made, ratio, [stretches(one, 1.0) for one in ratio])


@dataclass(slots=True)
class Tally:
    """What was found of labels, over meters."""

    ratio: list[npt.NDArray[np.float32]] = field(default_factory=list)
    faulty: list[Mask] = field(default_factory=list)
    there: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    delays: list[int] = field(default_factory=list)
    events: int = 0
    false: int = 0
    hours: int = 0

    def add(self, ratio: npt.NDArray[np.float32], events: Sequence[Stretch], labels: Sequence[Label]) -> None:
        """A meter."""
        known = np.isfinite(ratio)
        faulty = np.zeros(len(ratio), np.bool_)
        for label in labels:
            faulty[label.start : label.end] = True
            self.there[label.kind] += 1
            first = [max(e.start, label.start) for e in events if e.start < label.end and e.end > label.start]
            self.found[label.kind] += bool(first)
            self.delays += [min(first) - label.start] if first else []
        self.ratio.append(ratio[known])
        self.faulty.append(faulty[known])
        self.events += len(events)
        self.false += sum(not any(e.start < x.end + _TAIL_H and e.end > x.start for x in labels) for e in events)
        self.hours += int(known.sum())

    def figures(self) -> dict[str, object]:
        """As they are printed; what cannot be told is None."""
        ratio, faulty = np.concatenate(self.ratio), np.concatenate(self.faulty)
        there = sum(self.there.values())
        return {
            "roc_auc": _told(roc_auc(ratio, faulty)),
            "pr_auc": _told(pr_auc(ratio, faulty)),
            "event_recall": sum(self.found.values()) / there if there else None,
            "event_recall_by_kind": {kind: self.found[kind] / n for kind, n in sorted(self.there.items())},
            "event_precision": 1 - self.false / self.events if self.events else None,
            "false_events_per_meter_month": self.false / (self.hours / _MONTH_H) if self.hours else None,
            "median_delay_h": float(np.median(self.delays)) if self.delays else None,
            "events": self.events,
        }


def _told(value: float) -> float | None:
    return None if np.isnan(value) else value
