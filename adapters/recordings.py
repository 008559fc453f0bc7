"""Recorded consumption of a real estate: hourly Parquet tables with a column per building."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from energy.errors import EnergyError
from energy.quantities import Medium
from energy.series import Floats, Instants

_FILES = {Medium.ELECTRICITY: "electricity_hourly_*.parquet", Medium.GAS: "gas_hourly_*.parquet"}


@dataclass(frozen=True, slots=True)
class Recording:
    """Hourly consumption of one building in kWh: `hours_ms` (n,) begins of the hours, `kwh` (n,), NaN where unknown."""

    building: str
    medium: Medium
    hours_ms: Instants
    kwh: Floats


def read_recordings(folder: Path) -> list[Recording]:
    """All buildings of a folder; EnergyError where it holds no such tables."""
    found = [
        r for medium, pattern in _FILES.items() for file in sorted(folder.glob(pattern)) for r in _read(file, medium)
    ]
    if not found:
        raise EnergyError(
            f"{folder} holds no {' or '.join(_FILES.values())}: a table per medium, a column per building"
        )
    return found


def _read(file: Path, medium: Medium) -> list[Recording]:
    try:
        with duckdb.connect() as db:
            table = db.execute(
                "SELECT epoch_ms(datetime) AS hours_ms, * EXCLUDE (datetime) FROM read_parquet(?) ORDER BY datetime",
                [str(file)],
            ).fetchnumpy()
    except duckdb.Error as error:
        raise EnergyError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from error
    hours_ms = np.asarray(table.pop("hours_ms"), np.int64)
    made = []
    for building, column in table.items():
        kwh = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
        made.append(Recording(building, medium, hours_ms, np.where(kwh < 0, np.nan, kwh)))
    return made
