"""What others publish as JSON, by the mappings that are shipped and by some of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.foreign.mapped import NOW_MS, T_MS, Taking, reasons, rows, shipped, written


def test_a_metric_of_telegraf_is_taken_in_our_units() -> None:
    metric = {
        "fields": {"power": 46600.5, "energy": 557511240, "other": 1},
        "name": "modbus",
        "tags": {"host": "pi", "name": "plant", "slave_id": "1"},
        "timestamp": T_MS,
    }
    judged = Taking(shipped("telegraf")).take("telegraf/pi/modbus", metric)

    assert rows(judged) == [
        ("canteen-main:active_power", T_MS, 46.6005, ""),
        ("canteen-main:active_energy_import", T_MS, 557511.24, ""),
    ]
    assert judged.refusals == []


def test_metrics_of_telegraf_may_come_many_in_a_message() -> None:
    def metric(slave: str, fields: dict[str, Any]) -> dict[str, Any]:
        return {"fields": fields, "name": "modbus", "tags": {"name": "plant", "slave_id": slave}, "timestamp": T_MS}

    batch = {"metrics": [metric("1", {"power": 1000}), metric("2", {"volume": -1}), metric("3", {"power": 1})]}
    judged = Taking(shipped("telegraf")).take("telegraf/pi/modbus", batch)

    assert rows(judged) == [
        ("canteen-main:active_power", T_MS, 1.0, ""),
        ("canteen-water:volume", T_MS, None, "bad: sentinel"),
    ]
    assert [(r.reason, r.edge) for r in judged.refusals] == [("unknown meter", "mapping/telegraf")]
    assert "'plant/3' is not among the names" in judged.refusals[0].detail


def test_what_neuron_could_not_read_is_bad_and_not_absent() -> None:
    group = {
        "timestamp": T_MS,
        "node": "canteen-main",
        "group": "grp",
        "values": {"P": 12.5, "Ua": 2301},
        "errors": {"EP": 2014},
        "metas": {},
    }
    judged = Taking(shipped("neuron")).take("/neuron/mqtt/canteen-main/grp", group)

    assert rows(judged) == [
        ("canteen-main:active_power", T_MS, 12.5, ""),
        ("canteen-main:voltage_l1", T_MS, 230.1, ""),
        ("canteen-main:active_energy_import", T_MS, None, "bad: not a number"),
    ]


def test_tags_of_neuron_may_be_of_several_meters() -> None:
    group = {
        "timestamp": T_MS,
        "node": "plc",
        "group": "grp",
        "tags": [
            {"name": "canteen.P", "value": 7},
            {"name": "canteen.V", "error": 2014},
            {"name": "spare", "value": 1},
        ],
    }
    judged = Taking(shipped("neuron-tags")).take("/neuron/mqtt/plc/grp", group)

    assert rows(judged) == [
        ("canteen-main:active_power", T_MS, 7.0, ""),
        ("canteen-water:volume", T_MS, None, "bad: not a number"),
    ]
    assert reasons(judged) == ["unknown quantity"]


def test_a_device_may_be_the_key_that_its_values_stand_under() -> None:
    telemetry = {"canteen-main": [{"ts": T_MS, "values": {"power": 3, "on": True}}, {"ts": T_MS + 1, "values": {}}]}
    judged = Taking(shipped("thingsboard-gateway")).take("v1/gateway/telemetry", telemetry)

    assert rows(judged) == [("canteen-main:active_power", T_MS, 3.0, "")]
    assert judged.refusals == []


def test_properties_have_each_their_own_instant_and_may_be_texts() -> None:
    reported = [
        {
            "deviceId": "202311060017",
            "properties": [
                {"key": "Pt", "value": "12.50", "type": "text", "time": T_MS},
                {"key": "EPI", "value": "0x10", "type": "text", "time": T_MS},
                {"key": "Ua", "value": 230.1, "type": "double", "time": T_MS + 1000},
            ],
        }
    ]
    judged = Taking(shipped("device-properties")).take("properties/g1", reported)

    assert rows(judged) == [
        ("canteen-main:active_power", T_MS, 12.5, ""),
        ("canteen-main:voltage_l1", T_MS + 1000, 230.1, ""),
    ]
    assert reasons(judged) == ["mistyped value"]


def test_what_does_not_say_of_when_it_is_is_uncertain_for_that() -> None:
    judged = Taking(shipped("single-values")).take("meters/canteen-main/power", b"1500")

    assert rows(judged) == [("canteen-main:active_power", NOW_MS, 1.5, "uncertain: time of receipt")]


def test_a_retained_value_without_an_instant_is_old_and_refused() -> None:
    judged = Taking(shipped("single-values")).take("meters/canteen-main/power", b"1500", retained=True)

    assert (rows(judged), reasons(judged)) == ([], ["broken time"])


def test_a_topic_that_no_mapping_takes_is_refused_and_counted() -> None:
    assert reasons(Taking(shipped("neuron")).take("elsewhere/x", b"1")) == ["unknown topic"]


@pytest.mark.parametrize(
    ("unit", "given", "ms"),
    [
        ("s", 1795140000, T_MS),
        ("s", 1795140000.123, T_MS + 123),
        ("us", 1795140000000499, T_MS),
        ("ns", 1795140000000500000, T_MS + 1),
        ("iso", "2026-11-20T10:00:00+08:00", T_MS),
        ("iso, zone: Asia/Shanghai", "2026-11-20 10:00:00", T_MS),
        ("iso, zone: Asia/Shanghai, format: '%Y%m%d%H%M%S'", "20261120100000", T_MS),
    ],
)
def test_instants_are_read_in_the_unit_that_the_mapping_says(tmp_path: Path, unit: str, given: Any, ms: int) -> None:
    mapping = written(tmp_path, f"time: {{at: ts, unit: {unit}}}\n")
    judged = Taking(mapping).take("own/1", {"sn": "canteen-main", "ts": given, "data": {"P": 1}})

    assert rows(judged) == [("canteen-main:active_power", ms, 1.0, "")]


@pytest.mark.parametrize(
    ("unit", "given"),
    [
        ("s", True),
        ("s", "1795140000"),
        ("s", 1e300),
        ("ms", -1),
        ("ms", 10**30),
        ("iso", "2026-11-20T10:00:00"),
        ("iso", 1795140000000),
        ("iso", "soon"),
        # The clocks of Berlin showed this hour twice.
        ("iso, zone: Europe/Berlin", "2026-10-25T02:30:00"),
        ("iso, zone: Europe/Berlin", "2026-03-29T02:30:00"),
    ],
)
def test_what_is_no_instant_is_refused(tmp_path: Path, unit: str, given: Any) -> None:
    mapping = written(tmp_path, f"time: {{at: ts, unit: {unit}}}\n")
    judged = Taking(mapping).take("own/1", {"sn": "canteen-main", "ts": given, "data": {"P": 1}})

    assert (rows(judged), reasons(judged)) == ([], ["broken time"])


@pytest.mark.parametrize(
    ("quality", "told"),
    [("good", ""), (2, "uncertain: marked by its source"), (True, "bad: marked by its source"), (None, "")],
)
def test_quality_is_by_its_table(tmp_path: Path, quality: Any, told: str) -> None:
    mapping = written(tmp_path, "quality: {at: q, good: [good, 1], uncertain: [2]}\n")
    payload = {"sn": "canteen-main", "ts": T_MS, "data": {"P": 1}, **({} if quality is None else {"q": quality})}

    assert [row[3] for row in rows(Taking(mapping).take("own/1", payload))] == [told]


@pytest.mark.parametrize("wrong", ["12", True, [1], {"v": 1}])
def test_what_is_no_number_is_refused_and_its_neighbours_are_taken(tmp_path: Path, wrong: Any) -> None:
    mapping = written(tmp_path, "quantities: {P: active_power, U: voltage_l1}\n")
    judged = Taking(mapping).take("own/1", {"sn": "canteen-main", "ts": T_MS, "data": {"P": wrong, "U": 230}})

    assert rows(judged) == [("canteen-main:voltage_l1", T_MS, 230.0, "")]
    assert reasons(judged) == ["mistyped value"]


def test_a_name_that_comes_twice_in_a_list_leaves_the_store_to_keep_the_first(tmp_path: Path) -> None:
    mapping = written(
        tmp_path, "rows: 'data[]'\nmeter: {from: $.sn}\ntime: {at: $.ts, unit: ms}\nvalues: {name: n, value: v}\n"
    )
    payload = {"sn": "canteen-main", "ts": T_MS, "data": [{"n": "P", "v": 1}, {"n": "P", "v": 2}]}

    assert [row[2] for row in rows(Taking(mapping).take("own/1", payload))] == [1.0, 2.0]


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[]" * 3, b"[" * 100_000, b'{"sn":"\\ud800"}', b"NaN"])
def test_a_broken_payload_is_refused_whole(payload: bytes, tmp_path: Path) -> None:
    judged = Taking(written(tmp_path, "")).take("own/1", payload)

    assert len(judged.columns) == 0
    assert len(judged.refusals) == 1


def test_a_fault_in_the_middle_of_the_rows_takes_the_whole_message(tmp_path: Path) -> None:
    mapping = written(tmp_path, "rows: 'of[].each[]'\nmeter: {from: $.sn}\n")
    good = {"ts": T_MS, "data": {"P": 1}}
    judged = Taking(mapping).take("own/1", {"sn": "canteen-main", "of": [{"each": [good]}, {"each": 3}]})

    assert (rows(judged), reasons(judged)) == ([], ["broken payload"])
