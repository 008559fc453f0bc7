"""What has flowed since an alarm: cubic metres and kilowatt-hours from a gauge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_HOUR_MS = 3_600_000.0


def flowed(at_ms: npt.NDArray[np.int64], value: Floats, *, usual: float = 0.0, gap_ms: int) -> tuple[float, float]:
    """The integral of a gauge per hour, less what is usual, by the trapezoidal rule.

    Parameters
    ----------
    at_ms : (n,) instants, ascending. value : (n,) such as m3/h or kW. usual : in the same unit.
    gap_ms : readings farther apart tell nothing of the time between; it is left out.

    Returns
    -------
    what flowed beyond what is usual, such as m3 or kWh, 0 at least; and the hours that were left out.
    """
    if len(at_ms) < 2:
        return 0.0, 0.0
    steps = np.diff(at_ms)
    mean = np.maximum((value[1:] + value[:-1]) / 2 - usual, 0.0)
    known = steps <= gap_ms
    return float((mean * steps)[known].sum() / _HOUR_MS), float(steps[~known].sum() / _HOUR_MS)
