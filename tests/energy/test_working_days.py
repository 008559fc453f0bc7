"""A day is worked or not, as announced, as the law gives it, as the operator says."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from energy.errors import ConfigurationError
from energy.lunar import lunar_day
from energy.working_day_files import read_working_days
from energy.working_days import DayType, WorkingDays, day_number
from tests.working_days import CHINA, FILE


def type_of(day: date, calendar: WorkingDays = CHINA) -> DayType:
    return DayType(int(calendar.day_types(np.array([day], dtype="datetime64[D]"))[0]))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 1, 14), DayType.WORKDAY),
        (date(2026, 1, 17), DayType.WEEKEND),
        (date(2026, 2, 14), DayType.WORKED_WEEKEND),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 17), DayType.HOLIDAY),
        (date(2025, 10, 8), DayType.HOLIDAY),
        (date(2024, 9, 29), DayType.WORKED_WEEKEND),
    ],
)
def test_days_are_spent_as_the_state_council_announced(day: date, kind: DayType) -> None:
    assert type_of(day) is kind


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2027, 2, 5), DayType.HOLIDAY),  # New Year's Eve of the lunar year
        (date(2027, 2, 8), DayType.HOLIDAY),
        (date(2027, 2, 9), DayType.WORKDAY),
        (date(2027, 6, 9), DayType.HOLIDAY),  # 5 May of the lunar year
        (date(2031, 10, 1), DayType.HOLIDAY),
        (date(2031, 10, 11), DayType.WEEKEND),
        (date(2022, 2, 1), DayType.HOLIDAY),
        (date(2022, 1, 31), DayType.WORKDAY),  # the eve was no day off before 2025
    ],
)
def test_a_year_that_is_not_announced_has_the_days_of_the_law(day: date, kind: DayType) -> None:
    assert type_of(day) is kind


# Well-known dates, with the leap months of 2023, 2025 and 2033.
@pytest.mark.parametrize(
    ("lunar", "day"),
    [
        ((2023, 1, 1), date(2023, 1, 22)),
        ((2023, 5, 5), date(2023, 6, 22)),
        ((2025, 8, 15), date(2025, 10, 6)),
        ((2033, 8, 15), date(2033, 9, 8)),
        ((2034, 1, 1), date(2034, 2, 19)),
        ((2044, 1, 1), date(2044, 1, 30)),
    ],
)
def test_the_lunar_year_is_reckoned(lunar: tuple[int, int, int], day: date) -> None:
    assert lunar_day(*lunar, zone_hours=8) == day_number(day)


def test_each_announced_day_is_a_day_off_or_a_weekend_worked() -> None:
    for year, announced in CHINA.announced.items():
        worked = [date(1970, 1, 1) + timedelta(days=d) for d in announced.worked]
        assert all(d.weekday() >= 5 and d.year == year for d in worked)


def test_the_operator_has_the_last_word(tmp_path: Path) -> None:
    own, listed = tmp_path / "school.yaml", tmp_path / "days.csv"
    own.write_text(
        "days: [{days: 2026-12-24..2026-12-25, type: holiday, source: notice of the school}]\n",
        encoding="utf-8",
    )
    listed.write_text("day,type,source\n2026-12-25,workday,correction\n", encoding="utf-8")

    calendar = read_working_days([FILE, own, listed])

    assert type_of(date(2026, 12, 24), calendar) is DayType.HOLIDAY
    assert type_of(date(2026, 12, 25), calendar) is DayType.WORKDAY


def test_all_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    wrong, listed = tmp_path / "wrong.yaml", tmp_path / "wrong.csv"
    wrong.write_text(
        "law:\n  - {name: {zh: 节, en: Feast}, day: 02-30}\n"
        "years:\n  2026: {source: us, confidence: agreed, free: [2026-01-03..2026-01-01]}\n"
        "days:\n  - {days: 2026-05-01, type: feast, source: us}\n",
        encoding="utf-8",
    )
    listed.write_text("day,type,source\n2026-13-01,workday,us\n", encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        read_working_days([wrong, listed])

    assert len(caught.value.faults) == 4
    assert f"{wrong}:4: years[2026].free[0] = '2026-01-03..2026-01-01': " in str(caught.value)
    assert f"{listed}:2: day: '2026-13-01' must be a day" in str(caught.value)
