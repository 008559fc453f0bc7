"""Nodes of Sparkplug B: what is understood for sure is taken, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.sparkplug_payload import Metric, SparkplugPayload, decode_sparkplug, encode_sparkplug
from gateway.foreign import sparkplug
from gateway.ingest.judge import Judged
from tests.gateway.foreign.mapped import NOW_MS, T_MS, Taking, reasons, rows, shipped

POWER, ENERGY = "Power/Active", "Energy/Import"
NODE = "mapping/plant/plant/n1"


class Talking:
    """A node and its device, and the gateway that hears them."""

    def __init__(self) -> None:
        self.gateway = Taking(shipped("sparkplug"))
        self.seq = 0
        self.now_ms = NOW_MS

    def say(self, kind: str, *metrics: Metric, seq: int | None = None, device: str = "canteen-main") -> Judged:
        self.seq = (self.seq + 1) % 256 if seq is None else seq
        payload = SparkplugPayload(T_MS, None if kind == "NDEATH" else self.seq, list(metrics))
        topic = f"spBv1.0/plant/{kind}/n1" + (f"/{device}" if kind.startswith("D") else "")
        return self.gateway.take(topic, encode_sparkplug(payload), now_ms=self.now_ms)

    def born(self, bd_seq: int = 0) -> None:
        self.say("NBIRTH", integer("bdSeq", bd_seq, 8), seq=0)
        self.say("DBIRTH", number(POWER, 1000.0, alias=1), number(ENERGY, 5.0, alias=2))


def number(name: str | None, value: float | None, **given: Any) -> Metric:
    kind = None if value is None else "double_value"
    usual: dict[str, Any] = {"alias": None, "t_ms": None, "datatype": 10, "historical": False, "quality": None}
    return Metric(name, null=value is None, kind=kind, value=value, **{**usual, **given})


def integer(name: str, value: int, datatype: int) -> Metric:
    return Metric(name, None, None, datatype, False, False, "long_value", value, None)


def by_alias(alias: int, value: float | None, **given: Any) -> Metric:
    return number(None, value, alias=alias, datatype=None, **given)


def test_an_alias_means_what_the_birth_said() -> None:
    node = Talking()
    node.born()
    judged = node.say("DDATA", by_alias(1, 1500.0), by_alias(2, 7.5, t_ms=T_MS - 60_000, historical=True))

    assert rows(judged) == [
        ("canteen-main:active_power", T_MS, 1.5, ""),
        ("canteen-main:active_energy_import", T_MS - 60_000, 7.5, ""),
    ]


MARKED = "bad: marked by its source"


def test_what_a_node_sends_as_historical_is_history_and_not_live() -> None:
    node = Talking()
    node.born()
    live, waited = node.say("DDATA", by_alias(1, 1500.0)).by_lane()
    assert (len(live), len(waited)) == (1, 0)

    live, waited = node.say("DDATA", by_alias(1, 1400.0, t_ms=T_MS - 60_000, historical=True)).by_lane()
    assert (len(live), len(waited)) == (0, 1)


@pytest.mark.parametrize(("quality", "told"), [(192, ""), (0, MARKED), (500, MARKED), (7, MARKED)])
def test_what_is_stale_or_of_unknown_quality_is_never_drawn(quality: int, told: str) -> None:
    node = Talking()
    node.born()

    assert [row[3] for row in rows(node.say("DDATA", by_alias(1, 1.0, quality=quality)))] == [told]


def test_null_is_no_number_and_not_zero() -> None:
    node = Talking()
    node.born()

    assert rows(node.say("DDATA", by_alias(1, None))) == [
        ("canteen-main:active_power", T_MS, None, "bad: not a number")
    ]


def test_after_a_gap_no_alias_is_relied_on_until_the_next_birth() -> None:
    node = Talking()
    node.born()
    lost = node.say("DDATA", by_alias(1, 1500.0), seq=9)

    assert (rows(lost), reasons(lost)) == ([], ["no birth certificate"])
    ((topic, command),) = lost.commands
    assert topic == "spBv1.0/plant/NCMD/n1"
    (wanted,) = decode_sparkplug(command).metrics
    assert (wanted.name, wanted.value) == ("Node Control/Rebirth", True)

    assert rows(node.say("DDATA", by_alias(1, 1600.0))) == []
    node.born()
    assert [row[2] for row in rows(node.say("DDATA", by_alias(1, 1700.0)))] == [1.7]


def test_what_names_itself_and_its_datatype_is_understood_without_a_birth() -> None:
    judged = Talking().say("DDATA", number(POWER, 1500.0))

    assert rows(judged) == [("canteen-main:active_power", T_MS, 1.5, "")]


def test_a_birth_is_not_asked_for_at_every_message() -> None:
    node = Talking()
    asked = [len(node.say("DDATA", by_alias(1, 1.0)).commands) for _ in range(3)]
    node.now_ms += 30_000

    assert asked == [1, 0, 0]
    assert len(node.say("DDATA", by_alias(1, 1.0)).commands) == 1


def test_the_sequence_goes_round_after_255() -> None:
    node = Talking()
    node.born()
    found = [len(node.say("DDATA", by_alias(1, float(n), t_ms=T_MS + n)).columns) for n in range(300)]

    assert found == [1] * 300


def test_a_new_birth_ends_what_aliases_meant_before() -> None:
    node = Talking()
    node.born()
    node.say("NBIRTH", integer("bdSeq", 1, 8), seq=0)
    node.say("DBIRTH", number(ENERGY, 5.0, alias=1))

    assert [row[0] for row in rows(node.say("DDATA", by_alias(1, 8.0)))] == ["canteen-main:active_energy_import"]


def test_a_device_that_died_is_silent_and_its_aliases_end() -> None:
    node = Talking()
    node.born()
    ((sender, state),) = node.say("DDEATH").states

    assert sender == NODE
    assert {meter: found.state for meter, found in state.meters.items()} == {"canteen-main": "silent"}
    assert reasons(node.say("DDATA", by_alias(1, 1.0))) == ["no birth certificate"]


def test_a_node_that_died_is_offline_and_stores_nothing() -> None:
    node = Talking()
    node.born(bd_seq=3)
    judged = node.say("NDEATH", integer("bdSeq", 3, 8))

    assert [(sender, state.state) for sender, state in judged.states] == [(NODE, "offline")]
    assert len(judged.columns) == 0
    assert reasons(node.say("DDATA", by_alias(1, 1.0), seq=2)) == ["no birth certificate"]


def test_the_death_of_an_earlier_session_kills_nobody() -> None:
    node = Talking()
    node.born(bd_seq=4)
    assert node.say("NDEATH", integer("bdSeq", 3, 8)).states == []

    assert len(node.say("DDATA", by_alias(1, 1.0), seq=2).columns) == 1


@pytest.mark.parametrize("seq", [256, 2**63])
def test_a_payload_out_of_any_sequence_is_broken(seq: int) -> None:
    node = Talking()
    node.born()

    assert reasons(node.say("DDATA", by_alias(1, 1.0), seq=seq)) == ["broken payload"]


def test_a_payload_cut_off_behind_its_metrics_is_not_taken() -> None:
    node = Talking()
    whole = encode_sparkplug(SparkplugPayload(T_MS, 1, [number(POWER, 1500.0), number(ENERGY, 5.0)]))
    for length in range(len(whole)):
        judged = node.gateway.take("spBv1.0/plant/DDATA/n1/canteen-main", whole[:length])
        assert len(judged.columns) == 0


def test_a_metric_that_is_no_number_is_refused_and_its_neighbour_taken() -> None:
    node = Talking()
    on = Metric(POWER, None, None, 11, False, False, "boolean_value", True, None)
    judged = node.say("DDATA", on, number(ENERGY, 5.0), number(POWER, 1.0, t_ms=2**63))

    assert rows(judged) == [("canteen-main:active_energy_import", T_MS, 5.0, "")]
    assert reasons(judged) == ["mistyped value", "broken time"]


def test_what_births_can_make_us_remember_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparkplug, "MOST_METRICS", 20)
    node = Talking()
    node.born()
    many = [number(f"{POWER}/{i}", 1.0, alias=10 + i) for i in range(20)]
    assert reasons(node.say("DBIRTH", *many, device="other"))[-1] == "broken payload"

    node.born()
    assert len(node.say("DDATA", by_alias(1, 1.0)).columns) == 1


def test_a_device_that_is_no_meter_of_the_site_is_nobodys_silence() -> None:
    node = Talking()
    node.born()
    node.say("DBIRTH", number(POWER, 1.0), device="stranger")
    ((_, state),) = node.say("DDEATH", device="stranger").states

    assert list(state.meters) == ["canteen-main"]
