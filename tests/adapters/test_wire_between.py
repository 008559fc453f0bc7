"""What the processes of a gateway tell each other is read as it was written."""

from __future__ import annotations

from itertools import chain

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire_between import HandedMessage, decode_columns, decode_handed, encode_columns, encode_handed
from energy.readings import Point, Quality, ReadingColumns

POINTS = [Point("hall", "active_power"), Point("hall", "energy_imported"), Point("pump", "active_power")]
_MIB = 1 << 20


def columns(*rows: tuple[int, int, float], points: list[Point] = POINTS) -> ReadingColumns:
    index, t_ms, value = zip(*rows, strict=True) if rows else ((), (), ())
    return ReadingColumns.of(points, index, t_ms, value)


def rows_of(found: ReadingColumns) -> list[tuple[str, str, int, float, int, int]]:
    return [
        (found.points[i].meter, found.points[i].quantity, t, v, q, r)
        for i, t, v, q, r in zip(
            found.index.tolist(), found.taken_at_ms.tolist(), found.value.tolist(), found.quality.tolist(),
            found.reason.tolist(), strict=True,
        )
    ]  # fmt: skip


def told(live: ReadingColumns, waited: ReadingColumns) -> tuple[list[object], list[object]]:
    """What is read of what was written, live and waited."""
    parts = [decode_columns(payload) for payload in encode_columns(live, waited)]
    return list(chain(*(rows_of(p[0]) for p in parts))), list(chain(*(rows_of(p[1]) for p in parts)))


_rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**42), st.floats(allow_nan=False)), max_size=20)


@given(_rows, _rows, st.booleans())
def test_live_and_waited_readings_are_told_apart(
    live: list[tuple[int, int, float]], waited: list[tuple[int, int, float]], shared: bool
) -> None:
    before = columns(*live), columns(*waited, points=POINTS if shared else list(reversed(POINTS)))

    assert told(*before) == tuple(sorted(rows_of(one), key=lambda r: one.points.index(Point(*r[:2]))) for one in before)


def test_a_burst_of_few_points_names_each_of_them_once() -> None:
    points = [Point(f"meter-{n}", "active_power") for n in range(100)]
    burst = columns(*((n, minute, 1.0) for minute in range(100) for n in range(100)), points=points)

    parts = [decode_columns(payload)[0] for payload in encode_columns(burst, columns())]

    assert [len(part.points) for part in parts] == [50, 50]


def test_a_bad_reading_without_a_value_is_told_as_it_is() -> None:
    bad = ReadingColumns.of(POINTS, [1], [1000], [np.nan], [Quality.BAD], [3])

    [payload] = encode_columns(bad, columns())
    live, waited = decode_columns(payload)

    assert len(waited) == 0
    assert np.isnan(live.value[0])
    assert (live.quality[0], live.reason[0], live.points[live.index[0]]) == (Quality.BAD, 3, POINTS[1])


def test_of_nothing_nothing_is_said() -> None:
    assert list(encode_columns(columns(), columns())) == []


def test_what_is_much_is_said_in_messages_that_every_broker_passes_on() -> None:
    long = [Point("m" * 60 + f"{n:04}", "reactive_energy_imported_phase_3") for n in range(9999)]
    every = columns(*((n, n, n) for n in range(9999)), points=long)
    live = every.take(np.arange(9999) < 7000)
    waited = every.take(np.arange(9999) >= 7000)

    payloads = list(encode_columns(live, waited))

    assert len(payloads) == 2
    assert all(len(payload) < _MIB for payload in payloads)
    assert told(live, waited) == (rows_of(live), rows_of(waited))


def test_points_that_have_no_rows_are_not_told() -> None:
    [payload] = encode_columns(columns((2, 1, 1.0)), columns())

    assert decode_columns(payload)[0].points == [POINTS[2]]


def test_what_is_not_well_formed_is_an_error() -> None:
    beyond = (1, [["a", "b"]], np.array([1], "<i4").tobytes(), b"\0" * 8, b"\0" * 8, b"\0", b"\0")
    for payload in (b"", b"{}", msgspec.msgpack.encode(beyond)):
        with pytest.raises(ValueError, match=r"truncated|array|points"):
            decode_columns(payload)


def test_messages_are_handed_on_as_they_came() -> None:
    some = [("jieneng/v1/a/readings", b'{"readings":[]}'), ("jieneng/v1/b/readings", b"\xff\0")]

    [(payload, n)] = encode_handed(some)

    assert n == 2
    assert decode_handed(payload) == [HandedMessage(*one) for one in some]


def test_large_messages_are_handed_on_one_by_one() -> None:
    some = [(f"jieneng/v1/{n}/readings", b"x" * 400_000) for n in range(3)]

    handed = list(encode_handed(some))

    assert [n for _, n in handed] == [1, 1, 1]
    assert all(len(payload) < _MIB for payload, _ in handed)
