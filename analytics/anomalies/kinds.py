"""What an event looks like: at night, on days of rest, all the time, or once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.anomalies.events import Stretch
from energy.findings import FindingKind

Hours = npt.NDArray[np.float32]

# A share of the excess, or of the hours, that says where most of it lies.
_MOST = 0.7
_SHORT_H = 6
_NIGHT = (22, 6)
_LONG_H = 24


def kind_of(at: Stretch, use: Hours, expected: Hours, spread: Hours, worked: npt.NDArray[np.bool_]) -> FindingKind:
    """The kind of an event.

    Parameters
    ----------
    at : its hours. use, expected, spread : (n,) of the meter by hour, whole local days from the first on.
    worked : (n / 24,) whether a day is worked.
    """
    hours = np.arange(at.start, at.end)
    beyond = use[hours] - expected[hours]
    there = np.isfinite(beyond)
    hours, beyond = hours[there], beyond[there]
    if not len(hours):
        return FindingKind.MISSING
    far = np.abs(beyond) > 2 * spread[hours]
    above = bool(beyond[far].sum() > 0 if far.any() else beyond.sum() > 0)
    if at.end - at.start <= _SHORT_H or far.sum() <= _SHORT_H / 2:
        return FindingKind.SPIKE if above else FindingKind.DROP
    if not above:
        return FindingKind.LOW if at.end - at.start > _LONG_H else FindingKind.DROP
    more = np.maximum(beyond, 0)
    night = (hours % 24 >= _NIGHT[0]) | (hours % 24 < _NIGHT[1])
    rest = ~worked[hours // 24]
    # Always above what is usual, at every hour of the day: something that does not stop.
    if at.end - at.start >= _LONG_H and (beyond > spread[hours]).mean() > _MOST:
        return FindingKind.CONSTANT
    if rest.any() and more[rest].sum() > _MOST * more.sum():
        return FindingKind.REST_DAY
    if more[night].sum() > _MOST * more.sum():
        return FindingKind.NIGHT
    return FindingKind.HIGH
