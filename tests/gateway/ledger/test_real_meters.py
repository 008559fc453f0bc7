"""Real consumption and real registers through the ledger: what no meter did is not disputed, and nothing is lost."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import duckdb
import numpy as np
import pytest

from adapters.recordings import read_recordings
from benchmarks import estate
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns
from tests.gateway.ledger.books import books

HOUSEHOLDS = estate.FOLDER.parent / "daiad" / "swm_trialA_extended_clean.zip"
_EVER = 1 << 30


@pytest.mark.skipif(not estate.FOLDER.is_dir(), reason=f"no recorded hours in {estate.FOLDER}")
async def test_nine_years_of_a_hundred_meters_have_at_most_five_steps_that_nobody_believes() -> None:
    """Five and a half million hours; the few are gas boilers that are lit after a summer."""
    used: dict[Point, int] = {}
    async with books() as (kept, store):
        for i, recording in enumerate(read_recordings(estate.FOLDER)):
            name = "active_energy_import" if recording.medium is Medium.ELECTRICITY else "volume_standard"
            point = Point(f"m{i}", name)
            known = ~np.isnan(recording.kwh)
            total = np.rint(np.cumsum(np.maximum(np.nan_to_num(recording.kwh), 0)) * 100) / 100
            t_ms = recording.hours_ms[known] + 3_600_000
            await store.write(ReadingColumns.of([point], np.zeros(len(t_ms), np.int32), t_ms, total[known]))
            used[point] = round((total[known][-1] - total[known][0]) * 1e6)
        built = await kept.catch_up()
        numbers = range(len(kept.ledger.points))
        doubts = await kept.ledger.doubts(numbers, 0, 1 << 60)
        booked = dict(zip(numbers, (await kept.ledger.totals(numbers, 0, _EVER)).amount.tolist(), strict=True))

    doubted = {d.point for d in doubts if d.kind in ("fall", "jump")}
    wrong = [i for i in numbers if i not in doubted and booked[i] != used[kept.ledger.points[i]]]
    assert built.readings > 5_000_000
    assert len([d for d in doubts if d.kind in ("fall", "jump")]) <= 5
    assert wrong == []


@pytest.mark.skipif(not HOUSEHOLDS.is_file(), reason=f"no registers in {HOUSEHOLDS}")
async def test_the_water_registers_of_89_households_are_booked_to_the_litre(tmp_path: Path) -> None:
    """148,395 readings as the meters gave them, with their gaps, falls and returns."""
    ZipFile(HOUSEHOLDS).extract("swm_trialA_extended_clean.csv", tmp_path)
    found = duckdb.execute(
        "SELECT V1 AS id, epoch_ms(strptime(V2, '%d/%m/%Y %H:%M:%S')) AS t, V3::DOUBLE / 1000 AS total FROM read_csv("
        f"'{tmp_path}/swm_trialA_extended_clean.csv', delim=';', header=true, all_varchar=true) ORDER BY 1, 2"
    ).fetchnumpy()
    ids, index = np.unique(found["id"].astype(str), return_inverse=True)
    points = [Point(name, "volume") for name in ids]
    async with books() as (kept, store):
        t_ms, total = found["t"].astype(np.int64), found["total"].astype(np.float64)
        await store.write(ReadingColumns.of(points, index.astype(np.int32), t_ms, total))
        await kept.catch_up()
        booked = (await kept.ledger.totals(range(len(points)), 0, _EVER)).amount
        doubts = await kept.ledger.doubts(range(len(points)), 0, 1 << 60)

    first = np.flatnonzero(np.r_[True, np.diff(index) > 0])
    last = np.r_[first[1:] - 1, len(index) - 1]
    assert {d.kind for d in doubts} <= {"strayed"}
    assert np.array_equal(
        booked, np.rint(total[last] * 1e6).astype(np.int64) - np.rint(total[first] * 1e6).astype(np.int64)
    )
