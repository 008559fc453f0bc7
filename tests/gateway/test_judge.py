"""What the gateway takes and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire import READINGS, topic
from energy.ports import Message
from energy.quantities import Medium
from energy.readings import Quality, Reason
from energy.senders import Senders
from energy.sites import Meter, Text
from gateway.ingest.judge import Judge, Judged
from gateway.ingest.reasons import ANOTHER_EDGE

NOW_MS = 1_795_000_000_000


def judge(**bounds: tuple[float, float]) -> Judge:
    return Judge([Meter("main", Text("总表", "Main"), Medium.ELECTRICITY, plausible=bounds)])


def message(payload: Any, edge: str = "north") -> Message:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic(edge, READINGS), body)


def batch(*readings: dict[str, Any], **head: Any) -> Message:
    return message({**head, "readings": list(readings)})


def reading(**given: Any) -> dict[str, Any]:
    return {"meter": "main", "taken_at": NOW_MS, "values": {"active_power": 12.5}, **given}


def reasons(judged: Judged) -> list[str]:
    return [refusal.reason for refusal in judged.refusals]


def test_a_good_reading_is_taken_as_it_came() -> None:
    judged = judge().judge([batch(reading())], NOW_MS)

    assert judged.refusals == []
    assert str(judged.columns.points[judged.columns.index[0]]) == "main:active_power"
    assert judged.columns.value.tolist() == [12.5]
    assert judged.columns.taken_at_ms.tolist() == [NOW_MS]


def test_a_point_has_one_number_however_its_readings_come() -> None:
    among = Judge([Meter(name, Text(name, name), Medium.ELECTRICITY) for name in ("main", "other")])
    one, two = {"active_power": 1.0}, {"frequency": 50.0, "active_power": 2.0}

    first = among.judge([batch(reading(values=one), reading(meter="other", values=one))], NOW_MS)
    other = among.judge([batch(reading(meter="other", values=two))], NOW_MS)

    assert [str(first.columns.points[i]) for i in first.columns.index] == ["main:active_power", "other:active_power"]
    assert [str(other.columns.points[i]) for i in other.columns.index] == ["other:frequency", "other:active_power"]
    assert other.columns.index[1] == first.columns.index[1]


def test_an_instant_may_be_written_with_its_offset() -> None:
    judged = judge().judge([batch(reading(taken_at="2026-11-18T16:53:20+08:00"))], NOW_MS)

    assert judged.columns.taken_at_ms.tolist() == [1_794_992_000_000]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (reading(meter="nobody"), "unknown meter"),
        (reading(values={"watts": 3.0}), "unknown quantity"),
        (reading(values={"power_factor": 7.0}), "implausible value"),
        (reading(values={"active_power": 1e400}), "broken payload"),
        (reading(values={"active_power": None}), "no value"),
        (reading(taken_at=NOW_MS + 301_000), "future time"),
        (reading(taken_at=86_400_000), "time before 2000"),
        (reading(taken_at=10**20), "broken time"),
        (reading(taken_at=-5), "broken time"),
        (reading(taken_at="yesterday"), "broken time"),
        (reading(taken_at="2026-11-18T16:53:20"), "broken time"),
    ],
)
def test_what_cannot_be_true_is_refused_with_its_reason(wrong: dict[str, Any], reason: str) -> None:
    judged = judge().judge([batch(wrong)], NOW_MS)

    assert reasons(judged) == [reason]
    assert len(judged.columns) == 0


def test_the_bounds_of_the_meter_are_narrower_than_those_of_the_trade() -> None:
    judged = judge(active_power=(0.0, 10.0)).judge([batch(reading())], NOW_MS)

    (refusal,) = judged.refusals
    assert (refusal.reason, refusal.value, refusal.detail) == ("implausible value", 12.5, "must lie between 0 and 10")
    assert (refusal.edge, refusal.meter, refusal.quantity) == ("north", "main", "active_power")


def test_one_wrong_value_does_not_take_its_neighbours_with_it() -> None:
    values = {"active_power": 1.0, "volts": 230.0, "frequency": 999.0, "voltage_l1": 231.0}
    judged = judge().judge([batch(reading(values=values), reading(meter="nobody"))], NOW_MS)

    taken = [judged.columns.points[i].quantity for i in judged.columns.index]
    assert sorted(taken) == ["active_power", "voltage_l1"]
    assert sorted(reasons(judged)) == ["implausible value", "unknown meter", "unknown quantity"]


def test_a_flag_travels_with_its_value() -> None:
    flagged = reading(values={"active_power": None}, flags={"active_power": {"quality": "bad", "reason": "sentinel"}})
    judged = judge().judge([batch(flagged)], NOW_MS)

    assert judged.refusals == []
    assert judged.columns.quality.tolist() == [Quality.BAD]
    assert Reason.of(int(judged.columns.reason[0])) is Reason.SENTINEL
    assert np.isnan(judged.columns.value[0])


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"readings":3}', b'{"readings":[{"meter":1}]}', b'{"readings":[{}]}'],
)
def test_a_broken_payload_is_refused_whole_and_shown(payload: bytes) -> None:
    judged = judge().judge([message(payload), batch(reading())], NOW_MS)

    assert reasons(judged) == ["broken payload"]
    assert len(judged.columns) == 1


def test_who_names_a_batch_is_told_of_it() -> None:
    judged = judge().judge(
        [batch(reading(), boot="b1", sequence=7), batch(reading(), boot="b1", sequence=8), batch(reading())], NOW_MS
    )

    assert judged.answers == {"north": {"b1": [7, 8]}}


def test_each_refusal_names_the_edge_it_came_from() -> None:
    south = message({"readings": [reading(values={"frequency": 999.0})]}, edge="south")
    judged = judge().judge([batch(reading()), south, batch(reading(taken_at=1))], NOW_MS)

    assert {(r.edge, r.reason) for r in judged.refusals} == {
        ("south", "implausible value"),
        ("north", "time before 2000"),
    }


def test_a_message_that_makes_the_judge_fail_is_refused_and_its_neighbours_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = judge()
    real = one._take

    def failing(found: Any, edge: str, *rest: Any) -> None:
        if edge == "cursed":
            raise ZeroDivisionError
        real(found, edge, *rest)

    monkeypatch.setattr(one, "_take", failing)
    judged = one.judge(
        [
            batch(reading(), boot="b", sequence=1),
            message({"readings": [reading()]}, edge="cursed"),
            message({"readings": [reading(values={"voltage_l1": 230.0})]}, edge="south"),
        ],
        NOW_MS,
    )

    assert reasons(judged) == ["broken payload"]
    assert judged.columns.value.tolist() == [12.5, 230.0]
    assert [judged.edge_names[i] for i in judged.edges] == ["north", "south"]
    assert judged.answers == {"north": {"b": [1]}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
near_readings = st.fixed_dictionaries(
    {},
    optional={
        "meter": st.just("main") | json_values,
        "taken_at": st.just(NOW_MS) | json_values,
        "values": st.dictionaries(st.sampled_from(["active_power", "frequency", "x"]), json_values) | json_values,
        "flags": json_values,
    },
)


@given(
    st.lists(st.binary(max_size=60) | st.lists(near_readings, max_size=4).map(lambda r: {"readings": r}), max_size=5)
)
def test_nothing_that_may_come_makes_the_judge_fail_or_vanishes(payloads: list[Any]) -> None:
    judged = judge().judge([message(p) for p in payloads], NOW_MS)

    assert np.all(np.isfinite(judged.columns.value) | (judged.columns.quality == Quality.BAD))
    broken = reasons(judged).count("broken payload")
    assert broken <= len(payloads)
    assert len(judged.edge_names) == len(payloads) - broken


def test_a_meter_of_another_edge_is_refused_whole_and_the_rest_of_the_batch_is_not() -> None:
    meters = [Meter(name, Text("表", "Meter"), Medium.ELECTRICITY) for name in ("main", "annex")]
    judge = Judge(meters, Senders({"annex": "south"}, {"annex": (("north", NOW_MS - 1000),)}))
    readings = [
        {"meter": name, "taken_at": t_ms, "values": {"active_power": 1.0, "voltage_l1": 230.0}}
        for name, t_ms in (("main", NOW_MS), ("annex", NOW_MS), ("annex", NOW_MS - 1000))
    ]
    payload = json.dumps({"readings": readings}).encode()
    found = judge.judge([Message(topic("north", READINGS), payload)], NOW_MS)

    assert [(r.reason, r.edge, r.meter, r.quantity, r.taken_at_ms, r.value) for r in found.refusals] == [
        (ANOTHER_EDGE, "north", "annex", "active_power", NOW_MS, 1.0),
        (ANOTHER_EDGE, "north", "annex", "voltage_l1", NOW_MS, 230.0),
    ]
    assert found.refusals[0].detail == "its readings come from south alone"
    # What was read while it was the edge's own comes late, and is stored.
    assert len(found.columns) == 4
    assert judge.judge([Message(topic("south", READINGS), payload)], NOW_MS).refusals == []
