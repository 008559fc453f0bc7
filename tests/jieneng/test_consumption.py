"""Cases with a known truth, as a stranger would try them: files in, consumption out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jieneng.__main__ import jieneng

START = datetime.fromisoformat("2026-03-02T00:00:00+08:00")
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
POINT = "main:active_energy_import"
Readings = dict[datetime, float]


def day(kwh_per_quarter: float = 2.5, *, days: float = 1, first: float = 1000.0) -> Readings:
    """A register read every quarter hour: ten kWh an hour unless told otherwise."""
    return {START + i * QUARTER: first + i * kwh_per_quarter for i in range(round(96 * days) + 1)}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(jieneng, list(arguments))


def invoke(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def take(folder: Path, rows: Iterable[tuple[datetime, float]], name: str = "readings.csv", meter: str = "main") -> None:
    file = folder / name
    body = "".join(f"{meter},active_energy_import,{at.isoformat()},{value:.3f}\n" for at, value in rows)
    file.write_text("meter,quantity,taken_at,value\n" + body, encoding="utf-8")
    invoke("import", str(file), "--data", str(folder))


def happen(folder: Path, *rows: str) -> None:
    """Events, each as kind,at,until,final_register,initial_register,ratio."""
    file = folder / "events.csv"
    head = "meter,kind,at,until,final_register,initial_register,ratio\n"
    file.write_text(head + "".join(f"main,{row}\n" for row in rows), encoding="utf-8")
    invoke("events", "import", str(file), "--data", str(folder))


def site(folder: Path, text: str) -> None:
    file = folder / "site.yaml"
    file.write_text(f"site: court\nname: {{zh: 东院, en: Court}}\n{text}", encoding="utf-8")
    invoke("site", "import", str(file), "--yes", "--data", str(folder))


def asked(of: str, by: str, hours: float, start: datetime) -> list[str]:
    return ["consumption", of, "--from", start.isoformat(), "--to", (start + hours * HOUR).isoformat(), "--by", by]


def ask(
    folder: Path, of: str = POINT, *, by: str = "hour", hours: float = 24, start: datetime = START, zone: str = ""
) -> Any:
    more = ["--zone", zone] if zone else []
    return json.loads(invoke(*asked(of, by, hours, start), "--json", "--data", str(folder), *more))


def consumption(folder: Path, readings: Readings, **question: Any) -> Any:
    take(folder, readings.items())
    return ask(folder, **question)


def values(found: Any) -> list[float | None]:
    return [p["value"] for p in found["periods"]]


def shares(found: Any, share: str) -> list[float]:
    return [p["shares"][share] for p in found["periods"]]


def test_a_sound_day_is_measured_whole(tmp_path: Path) -> None:
    found = consumption(tmp_path, day())

    assert found["unit"] == "kWh"
    assert values(found) == [10.0] * 24
    assert found["total"]["value"] == 240.0
    assert found["total"]["shares"] == {
        "measured": 1.0,
        "estimated": 0.0,
        "manual": 0.0,
        "missing": 0.0,
        "disputed": 0.0,
    }


def test_six_hours_of_outage_lose_nothing_of_the_day_and_are_called_estimated(tmp_path: Path) -> None:
    """The total is what the registers say; which hour it fell into is an estimate, for a quarter of the time."""
    away = (START + 8 * HOUR, START + 14 * HOUR)
    found = consumption(tmp_path, {at: v for at, v in day().items() if not away[0] < at < away[1]})

    assert found["total"]["value"] == 240.0
    assert found["total"]["estimated"] == 60.0
    assert (found["total"]["shares"]["measured"], found["total"]["shares"]["estimated"]) == (0.75, 0.25)
    assert shares(found, "estimated") == [0.0] * 8 + [1.0] * 6 + [0.0] * 10
    assert sum(v for v in values(found) if v is not None) == 240.0


@pytest.mark.parametrize("modulus", [1_000_000.0, 2.0**32], ids=["999,999", "2^32"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "found"])
def test_a_roll_over_is_exact(tmp_path: Path, modulus: float, declared: bool) -> None:
    if declared:
        registers = f"{{active_energy_import: {{modulus: {modulus:.0f}}}}}"
        site(
            tmp_path,
            "meters:\n  - {id: main, name: {zh: 总表, en: Main}, medium: electricity, read: [active_energy_import], "
            f"registers: {registers}}}\n",
        )
    found = consumption(tmp_path, {at: v % modulus for at, v in day(first=modulus - 100).items()})

    assert found["total"]["value"] == 240.0
    assert found["total"]["shares"]["disputed"] == 0.0
    assert [d["kind"] for d in found["doubts"]] == ["rolled_over"]


@pytest.mark.parametrize("initial", [0.0, 6000.0], ids=["lower", "higher"])
@pytest.mark.parametrize("told", ["before", "after", "never"])
def test_an_exchanged_meter_is_exact_with_its_event_and_never_booked_without(
    tmp_path: Path, initial: float, told: str
) -> None:
    """At 12:07:30 the old meter shows 1121.25; the new one begins at `initial`."""
    at = START + timedelta(hours=12, minutes=7, seconds=30)
    readings = {t: v if t < at else v - 1121.25 + initial for t, v in day().items()}
    event = f"exchanged,{at.isoformat()},,1121.25,{initial},"
    take(tmp_path, [(t, v) for t, v in readings.items() if t < at])
    if told == "before":
        happen(tmp_path, event)
    take(tmp_path, [(t, v) for t, v in readings.items() if t >= at], "later.csv")
    found = ask(tmp_path)
    if told == "after":
        happen(tmp_path, event)
        found = ask(tmp_path)

    if told == "never":
        assert found["total"]["value"] == 237.5
        assert found["periods"][12]["shares"]["disputed"] == 0.25
        assert [d["kind"] for d in found["doubts"]] == ["jump" if initial else "fall"]
    else:
        assert found["total"]["value"] == 240.0
        assert found["total"]["shares"]["measured"] == 1.0
        assert found["doubts"] == []


def test_a_withdrawn_event_holds_no_longer(tmp_path: Path) -> None:
    take(tmp_path, day().items())
    happen(tmp_path, f"faulty,{(START + 6 * HOUR).isoformat()},{(START + 8 * HOUR).isoformat()},,,")
    faulty = ask(tmp_path)["total"]
    invoke("events", "withdraw", "1", "--why", "of another meter", "--data", str(tmp_path))

    assert (faulty["value"], faulty["shares"]["disputed"]) == (217.5, pytest.approx(2.25 / 24, abs=1e-6))
    assert ask(tmp_path)["total"]["value"] == 240.0


def test_a_single_spike_of_a_thousand_is_not_booked_and_is_told(tmp_path: Path) -> None:
    readings = day()
    spike = START + 9 * HOUR
    readings[spike] += 1000.0

    found = consumption(tmp_path, readings)

    assert values(found) == [10.0] * 24
    assert found["strayed"] == [spike.isoformat()]


def test_half_an_hour_of_zeros_is_not_booked(tmp_path: Path) -> None:
    readings = day()
    for minutes in (540, 555):
        readings[START + timedelta(minutes=minutes)] = 0.0

    found = consumption(tmp_path, readings)

    assert values(found) == [10.0] * 24
    assert len(found["strayed"]) == 2


def test_three_hours_that_come_late_correct_the_month_and_repeats_change_nothing(tmp_path: Path) -> None:
    """The month was asked, and so made, before they came."""
    readings = day(days=3)
    late = {t: v for t, v in readings.items() if t - START > 69 * HOUR}
    take(tmp_path, [(t, v) for t, v in readings.items() if t not in late])
    before = ask(tmp_path, by="month", hours=72)["total"]
    take(tmp_path, late.items(), "late.csv")
    after = ask(tmp_path, by="month", hours=72)["total"]
    take(tmp_path, readings.items(), "again.csv")

    assert (before["value"], before["shares"]["missing"]) == (690.0, pytest.approx(3 / 72, abs=1e-6))
    assert (after["value"], after["shares"]["missing"]) == (720.0, 0.0)
    assert ask(tmp_path, by="month", hours=72)["total"] == after


def test_three_hours_from_the_middle_that_come_late_turn_an_estimate_into_what_was_measured(tmp_path: Path) -> None:
    readings = day()
    readings |= {t: v + 12.0 for t, v in readings.items() if t > START + 9 * HOUR}
    late = {t: v for t, v in readings.items() if 8 * HOUR < t - START < 11 * HOUR}
    take(tmp_path, [(t, v) for t, v in readings.items() if t not in late])
    before = ask(tmp_path)
    take(tmp_path, late.items(), "late.csv")
    after = ask(tmp_path)

    assert values(before)[8:11] == [14.0] * 3
    assert values(after)[8:11] == [10.0, 22.0, 10.0]
    assert (before["total"]["value"], after["total"]["value"]) == (252.0, 252.0)
    assert after["total"]["shares"]["estimated"] == 0.0


def test_rows_out_of_order_and_twice_are_a_day_like_any_other(tmp_path: Path) -> None:
    rows = list(day().items())

    take(tmp_path, [*rows[50:], *rows[::-3], *rows])

    assert values(ask(tmp_path)) == [10.0] * 24


@pytest.mark.parametrize("read_at_change", [True, False], ids=["read at it", "between readings"])
def test_a_ratio_that_changes_in_the_middle_of_an_hour_holds_from_its_minute_on(
    tmp_path: Path, read_at_change: bool
) -> None:
    """From 12:30 on the meter shows half of what flows, until somebody says so."""
    half = START + 12.5 * HOUR
    readings = {t: v if t <= half else v - (t - half) / HOUR * 5.0 for t, v in day().items()}
    if not read_at_change:
        del readings[half]
    before = consumption(tmp_path, readings)
    happen(tmp_path, f"ratio_changed,{half.isoformat()},,,,2")
    found = ask(tmp_path)

    assert before["total"]["value"] == 240.0 - 11.5 * 5
    if read_at_change:
        assert values(found) == [10.0] * 24
    else:  # 3.75 were shown between 12:15 and 12:45: half of them count twice
        assert values(found)[12] == 2.5 + 1.875 + 3.75 + 2.5
        assert values(found)[13:] == [10.0] * 11


def test_a_ratio_that_changes_with_its_registers_is_exact_between_readings_too(tmp_path: Path) -> None:
    half = START + 12.5 * HOUR
    readings = {t: v if t <= half else v - (t - half) / HOUR * 5.0 for t, v in day().items() if t != half}
    take(tmp_path, readings.items())
    happen(tmp_path, f"ratio_changed,{half.isoformat()},,1125,1125,2")

    assert values(ask(tmp_path)) == [10.0] * 24


def test_a_reading_by_hand_in_an_outage_is_told_by_its_share(tmp_path: Path) -> None:
    away = (START + 8 * HOUR, START + 14 * HOUR)
    take(tmp_path, [(t, v) for t, v in day().items() if not away[0] < t < away[1]])
    happen(tmp_path, f"manual,{(START + 11 * HOUR).isoformat()},,1095,,")
    found = ask(tmp_path)

    assert shares(found, "manual") == [0.0] * 8 + [1.0] * 6 + [0.0] * 10
    assert values(found)[8:14] == [5.0] * 3 + [15.0] * 3
    assert found["total"]["value"] == 240.0


@pytest.mark.parametrize(
    ("start", "hours"), [("2026-03-29T00:00:00+01:00", 23), ("2026-10-25T00:00:00+02:00", 25)], ids=["23 h", "25 h"]
)
def test_a_day_on_which_the_clock_is_changed_has_its_own_hours(tmp_path: Path, start: str, hours: int) -> None:
    first = datetime.fromisoformat(start)
    take(tmp_path, [(first + i * QUARTER, 1000 + 2.5 * i) for i in range(-8, 4 * hours + 9)])

    by_day, by_hour = (ask(tmp_path, by=by, hours=hours, start=first, zone="Europe/Berlin") for by in ("day", "hour"))

    assert values(by_day) == [10.0 * hours]
    assert values(by_hour) == [10.0] * hours
    assert by_hour["total"]["shares"]["missing"] == 0.0


def test_a_day_of_a_zone_off_by_half_an_hour_begins_at_its_own_midnight(tmp_path: Path) -> None:
    """Midnight in Kolkata is half past six in UTC: ten in the half hours before it, twenty from then on."""
    midnight = datetime.fromisoformat("2026-03-02T00:00:00+05:30")
    take(tmp_path, [(midnight + i * HOUR / 2, 1000 + (20.0 * i if i > 0 else 10.0 * i)) for i in range(-4, 49)])

    found = ask(tmp_path, by="day", start=midnight, zone="Asia/Kolkata")

    assert values(found) == [960.0]


def test_a_leap_day_is_a_day_of_february(tmp_path: Path) -> None:
    first = datetime.fromisoformat("2024-02-01T00:00:00+08:00")
    take(tmp_path, [(first + i * HOUR, 100.0 + i) for i in range(29 * 24 + 1)])

    assert values(ask(tmp_path, by="month", start=first, hours=29 * 24)) == [29 * 24.0]
    assert values(ask(tmp_path, by="day", start=first + 28 * 24 * HOUR)) == [24.0]


def test_over_the_turn_of_a_year_there_is_one_total(tmp_path: Path) -> None:
    first = datetime.fromisoformat("2025-12-31T00:00:00+08:00")
    take(tmp_path, [(first + i * HOUR, 100.0 + i) for i in range(49)])

    found = ask(tmp_path, by="day", start=first, hours=48)

    assert values(found) == [24.0, 24.0]
    assert (found["total"]["value"], found["total"]["from"]) == (48.0, found["from"])


def test_days_add_up_to_their_month_and_hours_to_their_days(tmp_path: Path) -> None:
    take(tmp_path, [(at, 1000 + i**1.37) for i, at in enumerate(day(days=4))])

    totals = [ask(tmp_path, by=by, hours=96) for by in ("hour", "day", "month")]

    assert [sum(v for v in values(t) if v is not None) for t in totals] == pytest.approx(
        [totals[0]["total"]["value"]] * 3, abs=1e-9
    )


def test_what_was_never_read_is_unknown_and_not_zero(tmp_path: Path) -> None:
    found = consumption(tmp_path, day(), start=START + timedelta(days=10))

    assert found["total"]["value"] is None
    assert found["total"]["shares"]["missing"] == 1.0


# -- trees -------------------------------------------------------------------------------------------------------------

COURT = """\
places: [{id: hall, name: {zh: 会堂, en: Hall}}]
meters:
  - {id: one, name: {zh: 一, en: One}, medium: electricity, place: hall, read: [active_energy_import]}
  - {id: two, name: {zh: 二, en: Two}, medium: electricity, place: hall, read: [active_energy_import]}
virtual_points:
  - {id: both, name: {zh: 合计, en: Both}, medium: electricity, quantity: active_energy_import, formula: one + two}
"""


@pytest.mark.parametrize("of", ["both:active_energy_import", "place/hall"])
def test_one_child_that_is_offline_stalls_no_sum(tmp_path: Path, of: str) -> None:
    """`two` is silent from noon on: the sum goes on with `one`, and says that half of it is missing."""
    site(tmp_path, COURT)
    take(tmp_path, day().items(), meter="one")
    take(tmp_path, day(days=0.5).items(), "two.csv", meter="two")
    answer = ask(tmp_path, of)
    found = answer if of.endswith("import") else answer[0]

    assert values(found) == [20.0] * 12 + [10.0] * 12
    assert shares(found, "missing") == [0.0] * 12 + [0.5] * 12
    assert found["total"]["value"] == 360.0
    assert found["total"]["shares"]["missing"] == 0.25


def test_a_child_that_never_said_anything_stalls_no_sum_either(tmp_path: Path) -> None:
    site(tmp_path, COURT)
    take(tmp_path, day().items(), meter="one")

    for found in (ask(tmp_path, "both:active_energy_import"), ask(tmp_path, "place/hall")[0]):
        assert found["total"]["value"] == 240.0
        assert found["total"]["shares"]["missing"] == 0.5


# -- the ledger is the same --------------------------------------------------------------------------------------------


def test_a_ledger_made_anew_has_the_same_figures(tmp_path: Path) -> None:
    readings = day(days=3)
    readings[START + 5 * HOUR] += 1000.0
    take(tmp_path, [(t, v) for t, v in readings.items() if not 30 * HOUR < t - START < 40 * HOUR])
    before = ask(tmp_path, hours=72)

    assert "; 0 hours are different now" in invoke("ledger", "rebuild", "--data", str(tmp_path))
    assert ask(tmp_path, hours=72) == before


def test_the_ledger_can_be_made_before_anybody_asks(tmp_path: Path) -> None:
    take(tmp_path, day().items())

    first, second = (invoke("ledger", "build", "--data", str(tmp_path)) for _ in range(2))

    assert "1 counters made from 97 readings" in first
    assert "24 hours are different now" in first
    assert "0 counters made from 0 readings" in second


def bad_day() -> list[tuple[datetime, float]]:
    """A day with a spike, zeros and an outage."""
    readings = day()
    readings[START + 5 * HOUR] += 1000.0
    readings[START + 15 * HOUR] = 0.0
    return [(t, v) for t, v in readings.items() if not 8 * HOUR < t - START < 11 * HOUR]


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is told of the bad day when all of it came together."""
    folder = tmp_path_factory.mktemp("at-once")
    take(folder, bad_day())
    return ask(folder)


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(order=st.permutations(range(6)), twice=st.sets(st.integers(0, 5)), asking=st.sets(st.integers(0, 5)))
def test_any_order_of_arrival_gives_the_same_consumption(
    tmp_path_factory: pytest.TempPathFactory, at_once: Any, order: list[int], twice: set[int], asking: set[int]
) -> None:
    """Six uploads of it come in any order, some of them twice; tests/gateway/ledger does this at length."""
    rows = bad_day()
    slices = [rows[a:b] for a, b in pairwise(len(rows) * i // 6 for i in range(7))]
    live = tmp_path_factory.mktemp("live")
    for i in [*order, *twice]:
        take(live, slices[i], f"{i}.csv")
        if i in asking:
            ask(live)

    assert ask(live) == at_once


# -- what cannot be answered -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("main:active_power", "active_power is a gauge, not a counter"),
        ("mian:active_energy_import", "point mian:active_energy_import is not known: no reading of it was ever stored"),
        ("main:active_enrgy", "quantity 'active_enrgy' is not known; did you mean"),
        ("place/attic", "place 'attic' is not in the site"),
        ("room/attic", "node 'room/attic' must be of the form KIND/ID"),
        ("site/elsewhere", "site 'elsewhere' is not this one"),
    ],
)
def test_what_is_not_known_or_is_no_counter_is_told_in_words(tmp_path: Path, of: str, said: str) -> None:
    take(tmp_path, day(days=0.1).items())

    result = run(*asked(of, "hour", 24, START), "--data", str(tmp_path))

    assert result.exit_code != 0
    assert said in str(result.exception)


@pytest.mark.parametrize("minutes", [10, 15])
def test_from_and_to_lie_on_half_hours(tmp_path: Path, minutes: int) -> None:
    take(tmp_path, day(days=0.1).items())

    result = run(*asked(POINT, "day", 24, START + timedelta(minutes=minutes)), "--data", str(tmp_path))

    assert f"2026-03-02T00:{minutes}:00+08:00 is within a half hour" in str(result.exception)


def test_a_day_can_begin_and_end_at_any_half_hour(tmp_path: Path) -> None:
    found = consumption(tmp_path, day(), by="day", start=START + HOUR / 2, hours=2)

    assert values(found) == [20.0]


def test_from_must_be_before_to(tmp_path: Path) -> None:
    result = run(*asked(POINT, "day", -1, START), "--data", str(tmp_path))

    assert result.exit_code == 2
    assert "must be before --to" in result.output


def test_the_table_for_people_names_what_it_shows(tmp_path: Path) -> None:
    readings = day()
    readings[START + 9 * HOUR] += 1000.0
    take(tmp_path, readings.items())

    told = invoke(*asked(POINT, "day", 24, START), "--data", str(tmp_path))

    assert "240.000" in told
    assert "100.0%" in told
    assert "read wrong, does not count: 2026-03-02T09:00:00+08:00" in told
