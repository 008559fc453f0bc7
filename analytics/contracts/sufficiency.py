"""Whether data suffice for a baseline: tests with names, each with what was found and what would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analytics.contracts.fit_figures import FitFigures
from energy.names import Text
from energy.series import Floats

# Usual practice (ASHRAE Guideline 14 and its daily method): a contract may ask for more.
LEAST_SPAN_DAYS = 328
MOST_SPAN_DAYS = 1096
LEAST_COVERAGE = 0.90
LEAST_COVERAGE_OF_A_MONTH = 0.90
MOST_CV_RMSE = {"daily": 0.30, "monthly": 0.15}
MOST_NMBE = {"daily": 0.10, "monthly": 0.05}
LEAST_R2 = 0.75


@dataclass(frozen=True, slots=True)
class Check:
    """A test of the data or of the fit: its name, whether it is passed, what was found and what is asked for."""

    name: str
    passed: bool
    found: str
    wanted: str


NAMES = {
    "span": Text("基期长度", "length of the baseline period"),
    "coverage": Text("基期数据完整率", "days with data"),
    "coverage_of_months": Text("各月数据完整率", "days with data in each month"),
    "negative": Text("负用量", "negative amounts"),
    "cv_rmse": Text("变异系数 CV(RMSE)", "CV(RMSE)"),
    "nmbe": Text("归一化平均偏差 NMBE", "NMBE"),
    "r2": Text("决定系数 R²", "R²"),
}


def data_checks(days: Sequence[date], energy: Floats) -> list[Check]:
    """Of the data of a period: days : (n,) each of them, in order. energy : (n,) NaN where it is not known."""
    known = np.isfinite(energy)
    by_month: dict[str, list[bool]] = {}
    for day, is_known in zip(days, known.tolist(), strict=True):
        by_month.setdefault(f"{day:%Y-%m}", []).append(is_known)
    poor = [m for m, of in sorted(by_month.items()) if sum(of) / len(of) < LEAST_COVERAGE_OF_A_MONTH]
    negative = int((energy[known] < 0).sum())
    return [
        Check(
            "span",
            LEAST_SPAN_DAYS <= len(days) <= MOST_SPAN_DAYS,
            f"{len(days)} d",
            f"{LEAST_SPAN_DAYS}-{MOST_SPAN_DAYS} d",
        ),
        Check("coverage", float(known.mean()) >= LEAST_COVERAGE, f"{known.mean():.1%}", f">= {LEAST_COVERAGE:.0%}"),
        Check("coverage_of_months", not poor, ", ".join(poor) or "all", f">= {LEAST_COVERAGE_OF_A_MONTH:.0%} of each"),
        Check("negative", negative == 0, f"{negative} d", "0 d"),
    ]


def fit_checks(figures: FitFigures, by: str) -> list[Check]:
    """Of the fit of a model by `daily` or `monthly` values."""
    cv, bias = MOST_CV_RMSE[by], MOST_NMBE[by]
    return [
        Check("cv_rmse", figures.cv_rmse <= cv, _told(figures.cv_rmse, ".1%"), f"<= {cv:.0%}"),
        Check("nmbe", abs(figures.nmbe) <= bias, _told(figures.nmbe, ".2%"), f"within ±{bias:.0%}"),
        Check("r2", figures.r2 >= LEAST_R2, _told(figures.r2, ".2f"), f">= {LEAST_R2}"),
    ]


def _told(figure: float, how: str) -> str:
    return "—" if np.isnan(figure) else format(figure, how)


def day_range(first: date, end: date) -> list[date]:
    """The days of [first, end)."""
    return [first + timedelta(days=i) for i in range((end - first).days)]
