"""Cases with a known truth, as a stranger would try them: a CSV file in, consumption out."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jieneng.__main__ import jieneng

START = datetime.fromisoformat("2026-03-02T00:00:00+08:00")
QUARTER = timedelta(minutes=15)
POINT = "main:active_energy_import"
Readings = dict[datetime, float]


def day(kwh_per_quarter: float = 2.5, *, days: int = 1, first: float = 1000.0) -> Readings:
    """A register read every quarter hour: ten kWh an hour unless told otherwise."""
    return {START + i * QUARTER: first + i * kwh_per_quarter for i in range(96 * days + 1)}


def invoke(*arguments: str) -> Any:
    result = CliRunner().invoke(jieneng, list(arguments))
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def take(folder: Path, rows: list[tuple[datetime, float]], name: str = "readings.csv") -> None:
    file = folder / name
    body = "".join(f"main,active_energy_import,{at.isoformat()},{value:.3f}\n" for at, value in rows)
    file.write_text("meter,quantity,taken_at,value\n" + body, encoding="utf-8")
    invoke("import", str(file), "--data", str(folder))


def ask(folder: Path, *, by: str = "hour", hours: float = 24, start: datetime = START, **options: str) -> Any:
    more = [text for name, value in options.items() for text in (f"--{name}", value)]
    end = start + timedelta(hours=hours)
    arguments = ["consumption", POINT, "--from", start.isoformat(), "--to", end.isoformat(), "--by", by, "--json"]
    return json.loads(invoke(*arguments, "--data", str(folder), *more))


def consumption(folder: Path, readings: Readings, **asked: Any) -> Any:
    take(folder, list(readings.items()))
    return ask(folder, **asked)


def test_a_sound_day_is_measured_whole(tmp_path: Path) -> None:
    found = consumption(tmp_path, day())

    assert found["unit"] == "kWh"
    assert [p["value"] for p in found["periods"]] == [10.0] * 24
    assert found["total"]["value"] == 240.0
    assert found["total"]["shares"] == {
        "measured": 1.0,
        "estimated": 0.0,
        "manual": 0.0,
        "missing": 0.0,
        "disputed": 0.0,
    }


def test_six_hours_of_outage_lose_nothing_of_the_day_and_mark_their_hours(tmp_path: Path) -> None:
    away = (START + timedelta(hours=8), START + timedelta(hours=14))
    found = consumption(tmp_path, {at: v for at, v in day().items() if not away[0] < at < away[1]})

    assert found["total"]["value"] == 240.0
    assert found["total"]["shares"]["measured"] == 1.0
    assert [p["shares"]["estimated"] for p in found["periods"]] == [0.0] * 8 + [1.0] * 6 + [0.0] * 10
    assert sum(p["value"] for p in found["periods"]) == pytest.approx(240.0)


@pytest.mark.parametrize("modulus", [1_000_000.0, 2.0**32])
def test_a_roll_over_is_exact(tmp_path: Path, modulus: float) -> None:
    readings = {at: v % modulus for at, v in day(first=modulus - 100).items()}

    found = consumption(tmp_path, readings, modulus=str(modulus))

    assert found["total"]["value"] == 240.0
    assert found["total"]["shares"]["disputed"] == 0.0


@pytest.mark.parametrize("initial", [0.0, 6000.0])
@pytest.mark.parametrize("told", ["before", "after", "never"])
def test_an_exchanged_meter_is_exact_with_its_event_and_never_booked_without(
    tmp_path: Path, initial: float, told: str
) -> None:
    """At 12:07:30 the old meter shows 1121.25; the new one begins at `initial`."""
    at = START + timedelta(hours=12, minutes=7, seconds=30)
    readings = {t: v if t < at else v - 1121.25 + initial for t, v in day().items()}
    events = tmp_path / "events.csv"
    events.write_text(
        "meter,kind,at,final_register,initial_register,note\n"
        f"main,exchanged,{at.isoformat()},1121.25,{initial},new meter\n",
        encoding="utf-8",
    )
    take(tmp_path, [(t, v) for t, v in readings.items() if t < at])
    if told == "before":
        ask(tmp_path, events=str(events))
    take(tmp_path, [(t, v) for t, v in readings.items() if t >= at], "later.csv")

    found = ask(tmp_path) if told == "never" else ask(tmp_path, events=str(events))

    if told == "never":
        assert found["total"]["value"] == 237.5
        assert found["periods"][12]["shares"]["disputed"] == 0.25
    else:
        assert found["total"]["value"] == 240.0
        assert found["total"]["shares"]["measured"] == 1.0


def test_a_single_spike_of_a_thousand_is_not_booked_and_is_told(tmp_path: Path) -> None:
    readings = day()
    spike = START + timedelta(hours=9)
    readings[spike] += 1000.0

    found = consumption(tmp_path, readings)

    assert found["total"]["value"] == 240.0
    assert found["strayed"] == [spike.isoformat()]


def test_half_an_hour_of_zeros_is_not_booked(tmp_path: Path) -> None:
    readings = day()
    for minutes in (540, 555):
        readings[START + timedelta(minutes=minutes)] = 0.0

    found = consumption(tmp_path, readings)

    assert found["total"]["value"] == 240.0
    assert len(found["strayed"]) == 2


def test_three_hours_that_come_late_correct_the_month_and_repeats_change_nothing(tmp_path: Path) -> None:
    readings = day(days=3)
    late = {t: v for t, v in readings.items() if timedelta(hours=69) < t - START}
    take(tmp_path, [(t, v) for t, v in readings.items() if t not in late])
    before = ask(tmp_path, by="month", hours=72)["total"]
    take(tmp_path, list(late.items()), "late.csv")
    take(tmp_path, list(readings.items()), "again.csv")
    after = ask(tmp_path, by="month", hours=72)["total"]

    assert (before["value"], before["shares"]["missing"]) == (690.0, pytest.approx(3 / 72, abs=1e-6))
    assert (after["value"], after["shares"]["missing"]) == (720.0, 0.0)


@pytest.mark.parametrize(
    ("start", "hours"), [("2026-03-29T00:00:00+01:00", 23), ("2026-10-25T00:00:00+02:00", 25)], ids=["23 h", "25 h"]
)
def test_a_day_on_which_the_clock_is_changed_has_its_own_hours(tmp_path: Path, start: str, hours: int) -> None:
    first = datetime.fromisoformat(start)
    readings = {first + i * QUARTER: 1000 + 2.5 * i for i in range(-8, 4 * hours + 9)}
    take(tmp_path, list(readings.items()))

    by_day, by_hour = (ask(tmp_path, by=by, hours=hours, start=first, zone="Europe/Berlin") for by in ("day", "hour"))

    assert [p["value"] for p in by_day["periods"]] == [10.0 * hours]
    assert len(by_hour["periods"]) == hours
    assert sum(p["value"] for p in by_hour["periods"]) == 10.0 * hours


def test_a_leap_day_is_a_day_of_february(tmp_path: Path) -> None:
    first = datetime.fromisoformat("2028-02-01T00:00:00+08:00")
    take(tmp_path, [(first + timedelta(hours=i), 100.0 + i) for i in range(29 * 24 + 1)])

    found = ask(tmp_path, by="month", start=first, hours=29 * 24)

    assert [p["value"] for p in found["periods"]] == [29 * 24.0]


def test_days_add_up_to_their_month_and_hours_to_their_days(tmp_path: Path) -> None:
    readings = {at: 1000 + (i**1.37) for i, at in enumerate(day(days=4))}
    take(tmp_path, list(readings.items()))

    totals = [ask(tmp_path, by=by, hours=96) for by in ("hour", "day", "month")]

    assert [sum(p["value"] for p in t["periods"]) for t in totals] == pytest.approx([totals[0]["total"]["value"]] * 3)


def test_what_was_never_read_is_unknown_and_not_zero(tmp_path: Path) -> None:
    take(tmp_path, list(day().items()))

    found = ask(tmp_path, start=START + timedelta(days=10))

    assert found["total"]["value"] is None
    assert found["total"]["shares"]["missing"] == 1.0


def test_a_gauge_is_never_differenced(tmp_path: Path) -> None:
    take(tmp_path, list(day().items()))
    arguments = ["consumption", "main:active_power", "--from", "2026-03-02T00:00:00Z", "--to", "2026-03-03T00:00:00Z"]

    result = CliRunner().invoke(jieneng, [*arguments, "--data", str(tmp_path)])

    assert str(result.exception) == "active_power is a gauge, not a counter"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("main,swapped,2026-03-02T12:00:00+08:00,1,0,", "kind 'swapped' is not known"),
        ("main,exchanged,2026-03-02T12:00:00,1,0,", "offset"),
        ("main,exchanged,2026-03-02T12:00:00+08:00,one,0,", "final_register 'one' must be a number"),
    ],
)
def test_a_wrong_event_is_told_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    take(tmp_path, list(day().items()))
    events = tmp_path / "events.csv"
    events.write_text(f"meter,kind,at,final_register,initial_register,note\n{row}\n", encoding="utf-8")
    arguments = ["consumption", POINT, "--from", "2026-03-02T00:00:00Z", "--to", "2026-03-03T00:00:00Z"]

    result = CliRunner().invoke(jieneng, [*arguments, "--data", str(tmp_path), "--events", str(events)])

    assert f"{events}:2: " in str(result.exception)
    assert said in str(result.exception)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(order=st.permutations(range(8)), twice=st.sets(st.integers(0, 7)))
def test_any_order_of_arrival_gives_the_same_consumption(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], twice: set[int]
) -> None:
    """A day with a spike, zeros and an outage, cut into eight uploads that come in any order, some of them twice."""
    readings = day()
    readings[START + timedelta(hours=5)] += 1000.0
    readings[START + timedelta(hours=15)] = 0.0
    rows = [(t, v) for t, v in readings.items() if not timedelta(hours=8) < t - START < timedelta(hours=11)]
    cuts = [len(rows) * i // 8 for i in range(9)]
    slices = [rows[a:b] for a, b in pairwise(cuts)]
    at_once, live = tmp_path_factory.mktemp("at-once"), tmp_path_factory.mktemp("live")
    take(at_once, rows)
    for i in [*order, *twice]:
        take(live, slices[i], f"{i}.csv")

    assert ask(live) == ask(at_once)
