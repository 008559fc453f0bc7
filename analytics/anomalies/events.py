"""Hours above their threshold as events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# An event goes on while the score is above this share of the threshold, and over pauses of so many hours.
_GOES_ON = 0.7
_PAUSE_H = 24


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) hours of a series, and the greatest score in it."""

    start: int
    end: int
    peak: float

    def after(self, hours: int) -> Stretch:
        """The same of a series that begins so many hours before."""
        return Stretch(self.start + hours, self.end + hours, self.peak)


def stretches(score: npt.NDArray[np.float32], threshold: float, pause_h: int = _PAUSE_H) -> list[Stretch]:
    """The events of a meter: where its score reaches the threshold, and stays near it.

    Parameters
    ----------
    score : (n,) by hour; NaN where nothing is known, which ends nothing by itself.

    >>> [(s.start, s.end) for s in stretches(np.array([0, 5, 4, 0, 0, 5, 0], np.float32), 4.5, pause_h=1)]
    [(1, 3), (5, 6)]
    """
    near = np.nan_to_num(score, nan=-1.0) >= _GOES_ON * threshold
    hours = np.flatnonzero(near)
    if not len(hours):
        return []
    breaks = np.flatnonzero(np.diff(hours) > pause_h + 1)
    starts, ends = hours[np.r_[0, breaks + 1]], hours[np.r_[breaks, len(hours) - 1]] + 1
    found = [Stretch(int(a), int(b), float(np.nanmax(score[a:b]))) for a, b in zip(starts, ends, strict=True)]
    return [one for one in found if one.peak >= threshold]
