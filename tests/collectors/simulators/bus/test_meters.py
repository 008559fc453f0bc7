"""Each misbehaviour does what its name says, to the byte, and the log tells it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from collectors.simulators.bus.modbus_slave import Mbap, ModbusSlave, crc16, frames_of_mbap
from collectors.simulators.bus.wire import Wire
from tests.collectors.simulators.bus.asking import (
    LINE,
    TC,
    ask,
    exchange,
    heard,
    meters,
    telling_slave,
    told,
)

ASKED, GOOD = ask(1, 7, 2), told(1, 1007, 1008)


def said(deed: str) -> bytes:
    return heard(meters(deed), ASKED)


def whole(frame: bytes) -> bool:
    return crc16(frame[:-2]) == frame[-2:]


def test_a_well_behaved_meter_answers_what_was_asked_and_nobody_else_does() -> None:
    of = meters()

    assert heard(of, ASKED) == GOOD
    assert heard(of, ask(9, 7, 2)) == b""
    assert heard(of, ASKED[:-1] + b"\0") == b""
    assert [(s.slave, s.answer) for s in of.log.newest] == [("unit 1", GOOD), (None, None), (None, None)]


def test_silence() -> None:
    assert said("silent") == b""


def test_late_is_whole_and_others_answer_meanwhile() -> None:
    wire = Wire(meters("late:unit=1,by=350ms"), LINE)
    wire.put(ASKED, 0.0)
    wire.advance(0.3)
    came = exchange(wire, ask(2, 7, 1), 0.3)

    assert b"".join(data for _, data in came) == told(2, 2007) + GOOD
    assert came[-1][0] == pytest.approx(0.02 + 0.35 + (8 + 3.5 + 9) * TC)


@pytest.mark.parametrize("many", [1, 3, 99])
def test_garbled_bytes_are_as_many_as_said(many: int) -> None:
    came = said(f"garble:bytes={many}")

    assert len(came) == len(GOOD)
    assert sum(a != b for a, b in zip(came, GOOD, strict=True)) == min(many, len(GOOD))
    assert not whole(came)


def test_a_cut_answer_lacks_its_end() -> None:
    assert said("cut:bytes=3") == GOOD[:-3]


def test_a_short_answer_is_a_whole_frame_with_fewer_registers() -> None:
    assert said("short") == told(1, 1007)


def test_a_long_answer_is_a_whole_frame_with_more_registers() -> None:
    came = said("long:registers=2")

    assert whole(came)
    assert came[:7] == bytes((1, 3, 8)) + GOOD[3:7]
    assert len(came) == 5 + 8


def test_wrong_unit_and_wrong_function_are_whole_frames_of_another() -> None:
    assert said("wrong_unit") == told(2, 1007, 1008)
    assert said("wrong_function") == told(1, 1007, 1008, function=4)


def test_glued_is_the_answer_before_right_behind_this_one() -> None:
    of = meters("glued:after=1")
    before = heard(of, ask(1, 50, 1))

    assert heard(of, ASKED) == GOOD + before


def test_dribbling_leaves_silence_between_any_two_characters() -> None:
    came = exchange(Wire(meters("dribble:gap=5ms"), LINE), ASKED, 0.0)

    steps = [b - a for (a, _), (b, _) in pairwise(came)]
    assert [len(data) for _, data in came] == [1] * 9
    assert steps == pytest.approx([TC + 0.005] * 8)


def test_noise_comes_right_before_the_answer_or_some_time_after_it() -> None:
    assert said("noise:bytes=3")[3:] == GOOD
    of = meters("noise:bytes=3,by=100ms")
    answer, noise = of.hear(ASKED, 0.0)

    assert (answer.data, len(noise.data)) == (GOOD, 3)
    assert noise.after_s - answer.after_s == pytest.approx(0.1)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 11])
def test_exceptions_are_those_that_were_said(code: int) -> None:
    body = bytes((1, 0x83, code))

    assert said(f"exception:code={code}") == body + crc16(body)


def test_a_reset_breaks_the_answer_and_hangs_up() -> None:
    (broken,) = meters("reset:bytes=4").hear(ASKED, 0.0)

    assert (broken.data, broken.hangs_up) == (GOOD[:4], True)


def test_a_meter_that_reboots_is_silent_until_it_is_up() -> None:
    of = meters("reboot:by=2s,after=1,times=1")

    assert [bool(heard(of, ASKED, at)) for at in (0.0, 1.0, 2.9, 3.1, 4.0)] == [True, False, False, True, True]
    assert [s.did for s in of.log.newest] == [(), ("reboot",), ("reboot",), (), ()]


def test_two_meters_of_the_same_number_garble_each_other() -> None:
    of = meters(units=(1, 1))
    came = b"".join(data for _, data in exchange(Wire(of, LINE), ASKED, 0.0))

    assert len(came) == 2 * len(GOOD)
    assert not whole(came[: len(GOOD)])


def test_the_log_tells_what_would_have_been_right_and_what_was_said_and_done() -> None:
    of = meters("garble:every=2")
    for _ in range(4):
        heard(of, ASKED)

    assert [s.answer == GOOD for s in of.log.of("unit 1")] == [True] * 4
    assert [s.said == GOOD for s in of.log.of("unit 1")] == [True, False, True, False]
    assert of.log.counts(["unit 1", "unit 2"]) == [("unit 1", 4, {"garble": 2}), ("unit 2", 0, {})]
    assert '"did": ["garble"]' in of.log.newest[-1].as_json()


def test_the_log_counts_all_and_keeps_the_newest() -> None:
    of = meters()
    of.log.newest = type(of.log.newest)(maxlen=2)
    for _ in range(5):
        heard(of, ASKED)

    assert (len(of.log.newest), of.log.asked["unit 1"]) == (2, 5)


def test_behind_modbus_tcp_the_same_meter_answers_with_the_transaction_it_was_asked_with() -> None:
    slave = ModbusSlave(1, telling_slave(1)._contents, Mbap())
    asked = bytes.fromhex("1234 0000 0006 01 03 0007 0001")

    assert slave.answer(asked) == bytes.fromhex("1234 0000 0005 01 03 02 03ef")


def test_a_stream_of_modbus_tcp_is_taken_frame_by_frame() -> None:
    frame = bytes.fromhex("1234 0000 0006 01 03 0007 0001")
    stream = bytearray(frame + frame + frame[:5])

    assert list(frames_of_mbap(stream)) == [frame, frame]
    assert stream == frame[:5]
