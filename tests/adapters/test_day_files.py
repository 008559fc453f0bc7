"""Files with a number a day: read with what is wrong told by line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.day_files import read_days
from energy.errors import ConfigurationError

ZONE = ZoneInfo("Asia/Shanghai")


def _file(folder: Path, text: str) -> Path:
    path = folder / "days.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_days_are_read_as_they_stand(tmp_path: Path) -> None:
    path = _file(tmp_path, "day,celsius\n2026-01-02,-3.25\n2026-01-01,4\n\n")

    assert read_days(path, "mean", ZONE) == {date(2026, 1, 1): Decimal(4), date(2026, 1, 2): Decimal("-3.25")}


def test_instants_become_local_days_where_enough_of_them_are_there(tmp_path: Path) -> None:
    # 16:00 UTC is midnight in Shanghai.
    hours = [f"2026-01-{1 + (16 + i) // 24:02}T{(16 + i) % 24:02}:00:00+00:00,{i}" for i in range(30)]
    path = _file(tmp_path, "\n".join(["time,kWh", *hours]))

    assert read_days(path, "sum", ZONE) == {date(2026, 1, 2): Decimal(sum(range(24)))}
    assert read_days(path, "mean", ZONE) == {date(2026, 1, 2): Decimal("11.5")}


def test_all_that_is_wrong_is_told_by_line(tmp_path: Path) -> None:
    path = _file(
        tmp_path, "day,celsius\n2026-01-01,1\n2026-01-01,2\n31.1.2026,3\n2026-01-04,cold\n2026-01-05T10:00:00,1\n"
    )

    with pytest.raises(ConfigurationError) as refused:
        read_days(path, "mean", ZONE)

    assert [fault.removeprefix(f"{path}:") for fault in refused.value.faults] == [
        "3: 2026-01-01 is given twice; keep one",
        "4: '31.1.2026' is neither a day, such as 2026-01-31, nor an instant",
        "5: 'cold' is not a number; leave the row out where nothing is known",
        "6: '2026-01-05T10:00:00' has no offset; write 2026-01-05T10:00:00+08:00",
    ]
    with pytest.raises(ConfigurationError, match="has no rows"):
        read_days(_file(tmp_path, ""), "mean", ZONE)
