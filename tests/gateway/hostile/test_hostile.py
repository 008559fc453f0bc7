"""Hostile payloads end nothing, bring nothing false into the store, and are counted.

The oracle is a second, strict reading of the same payloads (benchmarks/delivering/strict_reading.py); a hundred
thousand and more are tried by `python -m benchmarks delivery`.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.stores import open_store
from benchmarks.delivering.hostile import Trial, Uncounted, drawn, run, tried
from benchmarks.delivering.hostile_corpus import EDGE_TOPIC, STATE_TOPIC, T_MS, Sent
from energy.errors import StoreError
from energy.ports import Written
from energy.readings import ReadingColumns
from gateway.foreign.values import Entry
from gateway.ingest import service
from tests.adapters.readings_memory import MemoryReadings


async def trial_of(*sent: Sent) -> Trial:
    """What came of messages."""
    with closing(SqliteQuarantine(":memory:")) as quarantine:
        trial = Trial(MemoryReadings(), quarantine)
        running = asyncio.create_task(trial.ingest.run())
        await asyncio.wait({asyncio.create_task(trial.feed(sent)), running}, return_when=asyncio.FIRST_COMPLETED)
        trial.bus.end()
        await running
        await trial.end()
        return trial


def own(*readings: Any, topic: str = EDGE_TOPIC) -> Sent:
    return Sent(topic, json.dumps({"readings": list(readings)}).encode(), False)


def reading(**given: Any) -> dict[str, Any]:
    return {"meter": "canteen-main", "taken_at": T_MS, "values": {"active_power": 46.6}, **given}


def test_of_twenty_thousand_hostile_payloads_nothing_false_is_stored_and_each_is_counted() -> None:
    found = run(20_000, salt=2026)

    assert found["hostile_payloads"] >= 20_000
    assert found["hostile_examples"] == []
    assert found["hostile_stored"] == found["hostile_good_missing"] == found["hostile_unacknowledged"] == 0
    assert found["hostile_rows_said"] > 1000
    causes = ("broken payload", "broken time", "conflicting value", "mistyped value", "no birth certificate")
    more = ("implausible value", "time before 2000", "too large", "unknown meter", "unknown quantity", "unknown topic")
    assert [cause for cause in (*causes, *more) if not found["hostile_by_cause"].get(cause)] == []


async def test_a_gateway_that_stores_what_was_not_said_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Entry._scaled
    monkeypatch.setattr(Entry, "_scaled", lambda self, value: (real(self, value) or 0.0) + 0.001)
    with closing(SqliteQuarantine(":memory:")) as quarantine:
        async with open_store("memory:") as store:
            trial = await tried(store, quarantine, drawn(200, 1))

            assert len(await trial.false_rows()) > 10


async def test_a_gateway_that_does_not_count_what_it_refuses_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteQuarantine, "_count", lambda *_: None)
    with closing(SqliteQuarantine(":memory:")) as quarantine:
        async with open_store("memory:") as store:
            with pytest.raises(Uncounted):
                await tried(store, quarantine, drawn(200, 1))


async def test_bytes_that_are_no_text_are_refused_wherever_they_stand() -> None:
    good = json.dumps({"x": "", "readings": [reading()]}).encode()
    trial = await trial_of(
        Sent(EDGE_TOPIC, good.replace(b'"x"', b'"\xff"'), False),
        Sent(EDGE_TOPIC, good.replace(b'""', b'"\xed\xa0\x80"'), False),
        Sent(STATE_TOPIC, b'{"state":"online","version":"\xa2"}', False),
        Sent(STATE_TOPIC, b'{"state":' * 50_000, False),
        Sent("/neuron/a/b/c", b'{"timestamp":1795140000000,"node":"canteen-main","values":{"P":1},"\xff":1}', False),
    )

    assert trial.found == []
    assert trial.counts == {"broken payload": 5}


async def test_a_message_of_others_is_not_acknowledged_before_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Slow(MemoryReadings):
        async def write(self, columns: ReadingColumns) -> Written:
            seen.append(trial.bus.acknowledged)
            if len(seen) < 3:
                raise StoreError("no space left on device")
            return await super().write(columns)

    monkeypatch.setattr(service, "_RETRY_S", 0.0)
    with closing(SqliteQuarantine(":memory:")) as quarantine:
        trial = Trial(Slow(), quarantine)
        running = asyncio.create_task(trial.ingest.run())
        payload = b'{"timestamp":1795140000000,"node":"canteen-main","values":{"P":1}}'
        await trial.feed([Sent("/neuron/a/b/c", payload, True)])
        trial.bus.end()
        await running

        assert (seen, trial.bus.acknowledged) == ([0, 0, 0], 1)
        assert await trial.missing() == set()


async def test_what_is_larger_than_any_message_is_refused_unread() -> None:
    padded = own(reading())
    trial = await trial_of(
        padded._replace(payload=padded.payload + b" " * (1 << 20)),
        padded._replace(topic=STATE_TOPIC, payload=b" " * 10_000_000),
    )

    assert (trial.found, trial.counts) == ([], {"too large": 2})


@pytest.mark.parametrize(
    "topic", ["jieneng/v1//readings", "jieneng/v1/a/b/readings", "jieneng/v1/a b/readings", "x/readings", "x/state", ""]
)
async def test_a_topic_without_an_edge_is_nobodys(topic: str) -> None:
    trial = await trial_of(own(reading(), topic=topic))

    assert (trial.found, trial.counts) == ([], {"unknown topic": 1})


async def test_of_a_key_that_is_given_twice_the_last_one_holds() -> None:
    text = json.dumps({"readings": [reading()]}).replace(
        '"active_power": 46.6', '"active_power": 46.6, "active_power": 47.6'
    )
    trial = await trial_of(Sent(EDGE_TOPIC, text.encode(), False))

    assert [row.value for row in trial.found] == [47.6]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(["active_power", "volume", "x"])
instants = st.just(T_MS) | st.integers(T_MS, T_MS + 5) | json_values
numbers = st.floats(width=32) | st.integers(-(10**20), 10**20) | json_values
forms = {
    EDGE_TOPIC: st.fixed_dictionaries(
        {
            "readings": st.lists(
                st.fixed_dictionaries(
                    {"meter": st.just("canteen-main") | json_values, "taken_at": instants},
                    optional={
                        "values": st.dictionaries(st.sampled_from(["active_power", "volume", "x"]), numbers)
                        | json_values,
                        "flags": st.dictionaries(st.just("active_power"), st.just({"quality": "bad"}) | json_values),
                    },
                ),
                max_size=3,
            )
        }
    ),
    "/neuron/a/b/c": st.fixed_dictionaries(
        {"timestamp": instants, "node": st.just("canteen-main") | json_values},
        optional={
            "values": st.dictionaries(st.sampled_from(["P", "EP", "x"]), numbers) | json_values,
            "errors": st.dictionaries(st.sampled_from(["P", "EP", "x"]), json_values) | json_values,
        },
    ),
    "v1/gateway/telemetry": st.dictionaries(
        st.just("canteen-main") | st.text(max_size=4),
        st.lists(
            st.fixed_dictionaries({"ts": instants, "values": st.dictionaries(st.just("power"), numbers) | json_values}),
            max_size=3,
        )
        | json_values,
    ),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(forms)).flatmap(lambda t: st.tuples(st.just(t), forms[t])), max_size=12))
def test_whatever_stands_where_a_value_should_nothing_false_is_stored(messages: list[tuple[str, Any]]) -> None:
    trial = asyncio.run(trial_of(*(Sent(topic, json.dumps(data).encode(), False) for topic, data in messages)))

    assert trial.false == []
