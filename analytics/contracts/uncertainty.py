"""How sure a saving is: the formula that contracts quote, and what placebo periods say.

On buildings in which nothing was retrofitted the formula's 90 % interval held a third of the time and less; the
interval from placebo periods, in which the true saving is known to be nothing, holds as often as it says.
Both are told.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np

from analytics.contracts.fit_figures import FitFigures
from energy.series import Floats

# Fewer placebos say nothing of a 90 % interval.
LEAST_PLACEBOS = 10


def guideline_14(figures: FitFigures, reported: int, saving_share: float, confidence: float = 0.9) -> float | None:
    """Fractional uncertainty of a saving (ASHRAE Guideline 14, with autocorrelated residuals).

    figures : of the baseline. reported : observations of the reporting period, as many per day or month as of the
    baseline. saving_share : the saving over the adjusted baseline, above 0. Returns the half width of the interval over
    the saving; None where the formula says nothing. The normal quantile stands for Student's t.
    """
    rho = max(0.0, figures.autocorrelation)
    effective = figures.n * (1 - rho) / (1 + rho) if rho < 1 else 0.0
    if saving_share <= 0 or reported < 1 or effective <= figures.p or not np.isfinite(figures.cv_rmse):
        return None
    quantile = NormalDist().inv_cdf(0.5 + confidence / 2)
    spread = sqrt(figures.n / effective * (1 + 2 / effective) / reported)
    return quantile * 1.26 * figures.cv_rmse * spread / saving_share


def empirical(placebo_errors: Floats, confidence: float = 0.9) -> float | None:
    """Half width of the interval, over the adjusted baseline, from periods in which nothing was saved.

    placebo_errors : (n,) (modelled - measured) / modelled, of other years or other buildings. None of fewer than ten.
    The quantile is the one that covers as often as it says for the next period, not for those that are given.
    """
    known = np.sort(np.abs(placebo_errors[np.isfinite(placebo_errors)]))
    if len(known) < LEAST_PLACEBOS:
        return None
    rank = min(len(known), int(np.ceil(confidence * (len(known) + 1))))
    return float(known[rank - 1])
