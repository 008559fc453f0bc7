"""What the documentation says of forecasts, on a real estate; skipped where its recorded hours are not."""

from __future__ import annotations

import warnings

import pytest

from benchmarks.quotas import folder, run

pytestmark = pytest.mark.skipif(not folder().is_dir(), reason=f"{folder()} is not here: no recorded hours of an estate")


def test_errors_and_coverage_are_what_is_promised() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        figures = run()

    assert figures["electricity_month_error_day5"] <= 4.5
    assert figures["electricity_month_error_day10"] <= 3.2
    assert figures["gas_year_error_m6"] <= 4.5
    for medium in ("electricity", "gas"):
        assert 0.85 <= figures[f"coverage_{medium}"] <= 0.95
        # Better than what others do, in the same run.
        for stage in ("month_error{}_day5", "year_error{}_m3", "year_error{}_m6", "year_error{}_m9"):
            if (medium, stage) != ("gas", "month_error{}_day5"):
                ours, linear = (figures[f"{medium}_{stage.format(m)}"] for m in ("", "_linear"))
                assert ours < linear
