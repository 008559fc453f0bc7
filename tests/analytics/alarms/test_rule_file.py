"""A rule that is wrong is refused with its line and what would be right."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.alarms.flowed import flowed
from analytics.alarms.ringing_hours import spans, weekdays, within
from analytics.alarms.rule_file import read_rules, rules_of
from analytics.alarms.rules import DayHours, Gather, Level, Limit, points_of, roots
from energy.documents import Document
from energy.errors import ConfigurationError
from energy.quantities import Medium
from energy.readings import to_ms
from energy.sites import Meter, Place, Site, Text

SHIPPED = Path(__file__).parents[3] / "config" / "alerts.yaml"
NAME = Text("名", "name")
SITE = Site(
    "s",
    NAME,
    "Asia/Shanghai",
    (Place("town", NAME, "campus"), Place("dormitory", NAME, "building", "town")),
    meters=(
        Meter("water-main", NAME, Medium.WATER, place="town", quantities=("flow_rate", "volume")),
        Meter("dorm-water", NAME, Medium.WATER, "dormitory", "water-main", quantities=("flow_rate", "volume")),
        Meter("power", NAME, Medium.ELECTRICITY, place="town", quantities=("active_power",)),
    ),
)


def rule(**given: object) -> str:
    lines = [f"    {key.rstrip('_')}: {value}" for key, value in given.items()]
    return "\n".join(["rules:", "  - id: r", "    name: {zh: 规, en: rule}", *lines])


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as found:
        rules_of(Document(Path("a.yaml"), text), SITE)
    return found.value.faults


def test_the_shipped_rules_are_right() -> None:
    book = read_rules(SHIPPED)

    assert {r.head.id for r in book.rules} == {"night-water", "off-hours-load", "silence", "balance"}
    assert [r.after_s for r in book.chains[Level.URGENT].rungs] == [0, 180, 360, 900]


def test_limits_are_in_the_unit_of_the_quantity_and_nights_gather_by_tree() -> None:
    text = rule(kind="night_flow", every="flow_rate", above="1500 L/h", night="00:00-05:00")
    [made] = rules_of(Document(Path("a.yaml"), text), SITE).rules

    assert isinstance(made, Limit)
    assert (made.beyond, made.back, made.head.gather) == (1.5, 1.5, Gather.TREE)
    assert [str(p) for p in points_of(made, SITE)] == ["water-main:flow_rate", "dorm-water:flow_rate"]
    assert roots(SITE.meters)["dorm-water"] == "water-main"


def test_every_fault_is_told_at_once_by_line_with_what_would_be_right() -> None:
    text = "\n".join(
        [
            rule(kind="threshold", points="[power:active_power]", above="800 A"),
            "  - {id: r, name: {zh: a, en: a}, kind: threshold, points: [dorm-watr:flow_rate], above: 1 m3/h}",
            "  - {id: x, name: {zh: a, en: a}, kind: night_flow, every: flow_rat, above: 1 m3/h, night: '0:00-5:00'}",
            "  - {id: y, name: {zh: a, en: a}, kind: threshold, points: [power:flow_rate], above: 1 m3/h}",
            "  - {id: z, name: {zh: a, en: a}, kind: threshold, points: [dorm-water:volume], above: 1 m3}",
            "  - {id: w, name: {zh: a, en: a}, kind: threshold, every: flow_rate, above: 1 m3/h, back: 2 m3/h}",
        ]
    )

    assert faults(text) == [
        "a.yaml:6: rules[0].above = '800 A': is in A, but what it is compared with is in kW; write it in kW",
        "a.yaml:7: rules[1].points[0] = 'dorm-watr:flow_rate': meter 'dorm-watr' is not known; "
        "did you mean 'dorm-water'?",
        "a.yaml:7: rules[1].id = 'r': is used twice; give each rule its own id",
        "a.yaml:8: rules[2].every = 'flow_rat': quantity 'flow_rat' is not known; did you mean 'flow_rate'?",
        "a.yaml:9: rules[3].points[0] = 'power:flow_rate': meter power does not measure flow_rate; it has active_power",
        "a.yaml:10: rules[4].points[0] = 'dorm-water:volume': volume is a counter, and this rule takes a gauge; "
        "night_minimum is for counters",
        "a.yaml:11: rules[5]: back_below 2 is above the limit 1: it would never be over",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"kind": "threshold", "every": "flow_rate", "above": "1.5"},
            "must be a number with its unit, such as 1.5 m3/h",
        ),
        ({"kind": "threshold", "every": "flow_rate", "above": "1 foot"}, "unit 'foot' is not known"),
        ({"kind": "threshold", "every": "flow_rate"}, "give one of above and below"),
        ({"kind": "threshold", "above": "1 kW"}, "give either points"),
        ({"kind": "silence", "after": "5"}, "must be a time with its unit"),
        ({"kind": "imbalance", "share": "0.15"}, "must be a percentage"),
        ({"kind": "silence", "after": "5 min", "meters": "[powr]"}, "did you mean 'power'"),
        ({"kind": "night_flow", "every": "flow_rate", "above": "1 m3/h", "night": "22-5"}, "must be hours of the day"),
        ({"kind": "threshold", "every": "temperature", "above": "1 degC"}, "the rule would never ring"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, object], said: str) -> None:
    assert any(said in fault for fault in faults(rule(**given)))


def test_a_night_past_midnight_and_a_weekend_that_nobody_works() -> None:
    zone = ZoneInfo("Asia/Shanghai")

    def local(day: int, hour: int) -> int:
        return to_ms(datetime(2026, 3, day, hour, tzinfo=zone).astimezone(UTC))

    night = spans(DayHours(time(22), time(5)), date(2026, 3, 5), date(2026, 3, 7), zone)
    assert night.tolist() == [local(5, 22), local(6, 5), local(6, 22), local(7, 5)]
    # The 7th and 8th of March 2026 are a weekend.
    work = spans(DayHours(time(8), time(18)), date(2026, 3, 6), date(2026, 3, 10), zone, weekdays)
    asked = [local(6, 8), local(6, 18), local(7, 12), local(9, 12)]
    assert within(work, np.array(asked)).tolist() == [True, False, False, True]


def test_what_flowed_is_the_integral_beyond_what_is_usual_without_the_gaps() -> None:
    at_ms = np.array([0, 600_000, 1_200_000, 4_800_000, 5_400_000])

    # 10 min at 6 m3/h over usual is 1 m3, twice; the hour without readings is left out; then 10 min at 3 m3/h.
    amount, unknown_h = flowed(at_ms, np.array([7.0, 7.0, 7.0, 4.0, 4.0]), usual=1.0, gap_ms=900_000)
    assert (round(amount, 9), unknown_h) == (2.5, 1.0)
