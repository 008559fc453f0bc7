"""Every character has its time on the wire, whoever sends it, and no lateness adds up."""

from __future__ import annotations

import pytest

from collectors.lines.address import Characters
from collectors.planner import RequestCost
from collectors.simulators.bus.wire import Saying, Wire
from tests.collectors.simulators.bus.asking import LINE, TC, ask, exchange, meters, told

L = 0.02


class Scripted:
    """Says what it is told to say, and remembers what it heard."""

    def __init__(self, *sayings: Saying) -> None:
        self.sayings = sayings
        self.bursts: list[tuple[bytes, float]] = []

    def hear(self, burst: bytes, at: float) -> list[Saying]:
        self.bursts.append((burst, at))
        return list(self.sayings) if len(self.bursts) == 1 else []


def test_a_request_takes_its_time_then_silence_then_the_meter_thinks_then_each_character_comes_alone() -> None:
    came = exchange(Wire(meters(), LINE), ask(1, 7, 1), at=100.0)

    first = 100.0 + (8 + 3.5) * TC + L + TC
    assert [data for _, data in came] == [bytes((byte,)) for byte in told(1, 1007)]
    assert [at for at, _ in came] == pytest.approx([first + i * TC for i in range(7)], abs=1e-9)


@pytest.mark.parametrize(
    ("line", "ms"),
    [(Characters(9600), 1.0417), (Characters(2400, "E"), 4.5833), (Characters(19200, "N", 2), 0.5729)],
)
def test_a_character_lasts_as_long_as_its_bits(line: Characters, ms: float) -> None:
    assert line.seconds * 1000 == pytest.approx(ms, abs=1e-4)


def test_a_sweep_over_a_bus_takes_what_arithmetic_says() -> None:
    """32 meters, 18 and 22 registers, 9600 8N1, 20 ms: 5.28 s; the same that the planner reckons with."""
    wire, at = Wire(meters(units=range(1, 33)), LINE), 0.0
    for unit in range(1, 33):
        for count in (18, 22):
            came = exchange(wire, ask(unit, 0, count), at)
            at = came[-1][0] + LINE.silence_s

    cost = RequestCost.rtu(9600)
    assert at == pytest.approx(5.28, abs=0.005)
    assert at == pytest.approx(32 * (cost.of(18) + cost.of(22)), abs=1e-6)


def test_lateness_of_who_drives_it_delays_nothing_but_itself() -> None:
    wire = Wire(meters(), LINE)
    wire.put(ask(1, 7, 1), 0.0)
    ends = (8 + 3.5 + 7) * TC + L

    assert wire.advance(ends - TC / 2).data == told(1, 1007)[:-1]
    assert wire.advance(ends + 1e-9).data == told(1, 1007)[-1:]


def test_what_is_sent_in_pieces_is_one_burst_until_the_wire_was_silent() -> None:
    station = Scripted()
    wire = Wire(station, LINE)
    wire.put(b"\x01", 0.0)
    wire.put(b"\x02", TC + 3.4 * TC)  # still the same
    wire.put(b"\x03", 5.4 * TC + 3.6 * TC)  # another
    wire.advance(1.0)

    assert [burst for burst, _ in station.bursts] == [b"\x01\x02", b"\x03"]
    assert station.bursts[0][1] == pytest.approx((5.4 + 3.5) * TC)


def test_two_that_speak_at_once_garble_each_other() -> None:
    both = (Saying(bytes(10), L), Saying(b"\xff" * 4, L + 2 * TC))
    came = b"".join(data for _, data in exchange(Wire(Scripted(*both), LINE), b"?", 0.0))

    assert len(came) == 14
    assert came.count(0) == 2 + 4  # two before the other began, four behind it
    assert came.count(255) == 0


def test_on_four_strands_two_that_speak_at_once_are_both_understood() -> None:
    both = (Saying(bytes(10), L), Saying(b"\xff" * 4, L + 2 * TC))
    came = b"".join(data for _, data in exchange(Wire(Scripted(*both), LINE, collisions=False), b"?", 0.0))

    assert (came.count(0), came.count(255)) == (10, 4)


def test_who_asks_while_a_meter_speaks_garbles_the_answer_and_is_not_understood() -> None:
    wire = Wire(meters(), LINE)
    wire.put(ask(1, 7, 1), 0.0)
    wire.advance((8 + 3.5) * TC + L)  # it is about to speak
    wire.put(ask(2, 7, 1), (8 + 3.5 + 1) * TC + L)  # its second character begins
    came = b"".join(data for _, data in exchange(wire, b"", 0.1))

    assert len(came) == 7
    assert came[:1] == told(1, 1007)[:1]
    assert all(a != b for a, b in zip(came[1:], told(1, 1007)[1:], strict=True))


def test_a_converter_with_echo_repeats_what_was_asked_before_the_answer() -> None:
    came = exchange(Wire(meters(), LINE, echo=True), ask(1, 7, 1), 0.0)

    assert b"".join(data for _, data in came) == ask(1, 7, 1) + told(1, 1007)
    assert came[0][0] == pytest.approx(TC)


def test_a_uart_hands_out_what_it_collected_and_the_end_at_once() -> None:
    came = exchange(Wire(meters(), LINE, uart=3), ask(1, 7, 1), 0.0)

    assert [len(data) for _, data in came] == [3, 3, 1]
    assert came[-1][0] == pytest.approx((8 + 3.5 + 7) * TC + L)


def test_on_a_network_bytes_take_no_time() -> None:
    came = exchange(Wire(meters(), None), ask(1, 7, 1), 3.0)

    assert came == [(3.0 + L, told(1, 1007))]


def test_a_reset_comes_behind_the_last_byte() -> None:
    wire = Wire(Scripted(Saying(b"\x01\x02", L, hangs_up=True)), LINE)
    wire.put(b"?", 0.0)
    told_all = wire.advance(1.0)

    assert (told_all.data, told_all.hang_up) == (b"\x01\x02", True)
    assert wire.advance(2.0).hang_up is False
