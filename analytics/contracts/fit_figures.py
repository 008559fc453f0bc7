"""How well a model fits: the figures that contracts quote (ASHRAE Guideline 14, IPMVP)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.series import Floats


@dataclass(frozen=True, slots=True)
class FitFigures:
    """Of n observations and p parameters.

    r2 : share of the variance that is explained. cv_rmse : root of the mean square residual, by n - p, over the mean.
    nmbe : sum of the residuals (modelled less measured) over (n - p) times the mean. autocorrelation : of residuals
    that follow each other. All as ratios, not percent; NaN where nothing can be told.
    """

    n: int
    p: int
    r2: float
    cv_rmse: float
    nmbe: float
    autocorrelation: float


def fit_figures(measured: Floats, modelled: Floats, parameters: int) -> FitFigures:
    """measured, modelled : (n,) energy of the same days or months, in their order; all finite."""
    n = len(measured)
    residual, mean, free = modelled - measured, float(measured.mean()), n - parameters
    spread = float(((measured - mean) ** 2).sum())
    squares = float((residual**2).sum())
    rated = free > 0 and mean > 0
    return FitFigures(
        n,
        parameters,
        1 - squares / spread if spread > 0 else float("nan"),
        float(np.sqrt(squares / free)) / mean if rated else float("nan"),
        float(residual.sum()) / (free * mean) if rated else float("nan"),
        _autocorrelation(residual),
    )


def _autocorrelation(residual: Floats) -> float:
    centred = residual - residual.mean()
    squares = float((centred**2).sum())
    return float((centred[1:] * centred[:-1]).sum()) / squares if squares > 0 else float("nan")
