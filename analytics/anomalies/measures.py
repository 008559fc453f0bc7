"""How well scores tell faults from the rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


def roc_auc(scores: Scores, faulty: Mask) -> float:
    """The probability that a faulty hour has a higher score than another; ties count half. NaN without both kinds.

    >>> roc_auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    wrong = int(faulty.sum())
    right = len(faulty) - wrong
    if not wrong or not right:
        return float("nan")
    _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(size) - (size - 1) / 2
    return float((mean_rank[group][faulty].sum() - wrong * (wrong + 1) / 2) / (wrong * right))


def pr_auc(scores: Scores, faulty: Mask) -> float:
    """Average precision: precision at each threshold, weighted by the recall it adds. NaN without a faulty hour.

    >>> pr_auc(np.array([0.9, 0.8, 0.7]), np.array([True, False, True])).__round__(4)
    0.8333
    """
    if not faulty.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(faulty[order])
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]
    recall = hits[last] / hits[-1]
    return float(np.sum(np.diff(np.r_[0.0, recall]) * hits[last] / (last + 1)))
