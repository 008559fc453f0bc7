"""A line that starts again knows how quickly its meters answer, where they are the same ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.learnt_files import LearntFiles
from collectors.lines.address import SerialAddress, TcpAddress
from collectors.lines.byte_line import ByteLine
from collectors.lines.latency import KnownLatency, Timing
from collectors.lines.tcp_line import TcpLine
from edge.timings import Timings, station_of
from energy.quantities import Medium
from energy.sites import Meter, Text

NOW = datetime(2026, 1, 14, 2, tzinfo=UTC)
METERS = [Meter(f"m{i}", Text("", ""), Medium.ELECTRICITY, line="bus", unit=i, profile="x/y") for i in (1, 2)]
LEARNT = Timing(KnownLatency(0.02, 0.001, 0.03, 200), KnownLatency(0.001, 0.0, 0.002, 200), 1.5)


def byte_line(device: str = "/dev/ttyUSB0") -> ByteLine:
    return ByteLine(SerialAddress(device), now=lambda: NOW)


def kept(folder: Path) -> None:
    """A line knows unit 1, and that unit 2 is silent; it is kept."""
    line = byte_line()
    timings = Timings(LearntFiles(folder), SteppedClock(NOW))
    timings.recall("bus", line, METERS)
    line.recall("unit 1", LEARNT)
    line.recall("unit 2", Timing(KnownLatency(0.0, 0.0, 0.0, 0), answering=False))
    timings.keep()


def recalled(folder: Path, line: ByteLine, meters: list[Meter], *, later: timedelta = timedelta(hours=1)) -> None:
    Timings(LearntFiles(folder), SteppedClock(NOW + later)).recall("bus", line, meters)


def test_after_a_restart_a_meter_is_waited_for_as_long_as_before(tmp_path: Path) -> None:
    kept(tmp_path)
    line = byte_line()
    recalled(tmp_path, line, METERS)

    one = line.respondents["unit 1"]
    # Half as long again as the 0.03 s known are below the floor; a station that is not known has 1 s.
    assert one.first_byte.timeout_s == 0.1
    assert (one.first_byte.mean_s, one.latest_s, one.failures) == (0.02, 1.5, 0)
    # What a few answers teach counts soon: the past weighs as 16 of them.
    assert one.first_byte.count == 16
    assert line.cost.fixed_s == pytest.approx(0.02 + 13 * 10 / 9600 + 2 * 3.5 * 10 / 9600)
    # Who was silent then does not hold the whole line now.
    assert line.respondents["unit 2"].failures == 1


def test_what_was_kept_for_another_make_place_or_time_is_forgotten(tmp_path: Path) -> None:
    kept(tmp_path)
    other_make, other_line, long_ago = byte_line(), byte_line("/dev/ttyUSB1"), byte_line()
    recalled(tmp_path, other_make, [replace(METERS[0], profile="x/z"), METERS[1]])
    recalled(tmp_path, other_line, METERS)
    recalled(tmp_path, long_ago, METERS, later=timedelta(days=31))

    assert list(other_make.respondents) == ["unit 2"]
    assert not other_line.respondents
    assert not long_ago.respondents


@pytest.mark.parametrize("content", ["{", '{"address": 1}', '{"stations": {}, "address": "x"}'])
def test_a_file_that_cannot_be_read_is_learnt_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "bus.json").write_text(content)
    line = byte_line()
    recalled(tmp_path, line, METERS)

    assert not line.respondents


def test_times_that_none_can_be_are_refused() -> None:
    with pytest.raises(ValueError, match="are none of an answer"):
        byte_line().recall("unit 1", Timing(KnownLatency(-1.0, 0.0, 0.0, 3)))


def test_modbus_tcp_keeps_its_meters_too(tmp_path: Path) -> None:
    line = TcpLine(TcpAddress("192.0.2.7", 502), now=lambda: NOW)
    line.recall("unit 1", Timing(KnownLatency(0.3, 0.01, 0.4, 9)))

    assert line.timings() == {"unit 1": Timing(KnownLatency(0.3, 0.01, 0.4, 9))}
    assert line.latencies["unit 1"].timeout_s == pytest.approx(0.6)


def test_a_meter_is_called_as_its_line_calls_it() -> None:
    assert station_of(METERS[0]) == "unit 1"
    assert station_of(replace(METERS[0], address="000000000161")) == "meter 000000000161"
