"""What travels: topics and payloads come back as they were sent, and what is none is refused."""

from __future__ import annotations

import msgspec
import pytest

from adapters.wire import Batch, Flag, MeterReadings, Stored, decode_batch, decode_stored, edge_and_leaf, encode, topic


def test_a_batch_comes_back_as_it_was_sent() -> None:
    flags = {"voltage_l1": Flag("bad", "not a number")}
    batch = Batch([MeterReadings("main", 1000, {"active_power": 1.5, "voltage_l1": None}, flags)], "boot", 7)

    assert decode_batch(encode(batch)) == batch


def test_an_acknowledgement_comes_back_as_it_was_sent() -> None:
    assert decode_stored(encode(Stored("boot", [1, 2, 5]))) == Stored("boot", [1, 2, 5])


def test_a_batch_written_by_hand_needs_no_number_and_may_write_its_time_in_words() -> None:
    text = b'{"readings": [{"meter": "main", "taken_at": "2026-01-31T08:00:00+08:00", "values": {"active_power": 1}}]}'

    batch = decode_batch(text)

    assert (batch.boot, batch.sequence) == (None, None)
    assert batch.readings[0].taken_at_ms() == 1_769_817_600_000


@pytest.mark.parametrize(
    "taken_at",
    [
        -1,
        253_402_300_800_000,
        10**30,
        "2026-01-31T08:00:00",
        "1969-12-31T23:59:59Z",
        "never",
        "",
        "2026-02-30T00:00:00Z",
    ],
)
def test_a_time_that_is_none_is_refused(taken_at: int | str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|no time zone|not within the years|out of range"):
        MeterReadings("main", taken_at, {}).taken_at_ms()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"readings": 5}',
        b'{"readings": [{"meter": 5, "taken_at": 1, "values": {}}]}',
        b'{"readings": [{"meter": "a", "taken_at": 1, "values": {"x": "1"}}]}',
        b'{"readings": [{"meter": "a", "taken_at": 1, "values": {"x": NaN}}]}',
        b'{"readings": [{"meter": "a", "taken_at": 1, "values": {}, "flags": {"x": {"quality": "good"}}}]}',
    ],
)
def test_what_is_no_batch_is_refused(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_batch(payload)


def test_a_topic_names_an_edge_and_what_it_says() -> None:
    assert edge_and_leaf(topic("campus-7", "readings")) == ("campus-7", "readings")
