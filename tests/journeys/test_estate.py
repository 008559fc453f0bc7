"""The real estate through the real pipeline: what was played is what is stored."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks import estate


@pytest.mark.skipif(not estate.FOLDER.is_dir(), reason=f"no recorded hours in {estate.FOLDER}")
def test_the_energy_stored_of_each_meter_is_the_energy_played() -> None:
    compared = estate.play(timedelta(hours=1), speed=240.0, every="240s")

    assert len(compared) == 100
    assert {meter: c for meter, c in compared.items() if not c.equal} == {}
    assert sum(c.played > 0 for c in compared.values()) > 70
