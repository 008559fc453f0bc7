"""Recorded consumption is read as it was measured; what is unknown stays unknown."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from adapters.recordings import read_recordings
from energy.errors import EnergyError
from energy.quantities import Medium


def record(folder: Path, name: str, rows: str) -> None:
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT * FROM (VALUES {rows}) AS t(datetime, house, hall)) TO '{folder / name}' (FORMAT parquet)"
        )


def test_each_building_has_a_recording_of_each_medium(tmp_path: Path) -> None:
    hours = (
        "(TIMESTAMP '2016-01-01 01:00', 2.5, NULL), (TIMESTAMP '2016-01-01 00:00', 1.5, 7.0),"
        "(TIMESTAMP '2016-01-01 02:00', -1.0, 8.0)"
    )
    record(tmp_path, "electricity_hourly_1.parquet", hours)
    record(tmp_path, "gas_hourly_1.parquet", hours)

    found = read_recordings(tmp_path)

    assert [(r.building, r.medium) for r in found] == [
        ("house", Medium.ELECTRICITY),
        ("hall", Medium.ELECTRICITY),
        ("house", Medium.GAS),
        ("hall", Medium.GAS),
    ]
    house, hall = found[:2]
    assert (house.hours_ms - 1_451_606_400_000).tolist() == [0, 3_600_000, 7_200_000]
    # Consumption below nothing is no measurement.
    np.testing.assert_array_equal(house.kwh, [1.5, 2.5, np.nan])
    np.testing.assert_array_equal(hall.kwh, [7.0, np.nan, 8.0])


def test_a_folder_without_recordings_is_told_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(EnergyError, match=r"holds no electricity_hourly_\*\.parquet"):
        read_recordings(tmp_path)


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "gas_hourly_1.parquet").write_text("junk")

    with pytest.raises(EnergyError, match=r"gas_hourly_1\.parquet: cannot be read"):
        read_recordings(tmp_path)
