"""An address of a line is checked before anything is opened."""

from __future__ import annotations

import pytest

from collectors.lines.address import Characters, SerialAddress, SerialServerAddress, TcpAddress, clashes, parse_address
from energy.errors import LineError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tcp://192.0.2.7", "192.0.2.7", 502),
        ("tcp://192.0.2.7:5020", "192.0.2.7", 5020),
        ("tcp://meters.example:1502/", "meters.example", 1502),
        ("tcp://[2001:db8::7]:503", "2001:db8::7", 503),
    ],
)
def test_an_address_names_a_host_and_perhaps_a_port(text: str, host: str, port: int) -> None:
    assert parse_address(text) == TcpAddress(host, port)


@pytest.mark.parametrize(
    "text", ["", "192.0.2.7", "udp://192.0.2.7", "tcp://", "tcp://:502", "tcp://h/path", "tcp://h:99999", "tcp://h:x"]
)
def test_an_address_that_names_no_line_is_refused_as_it_was_written(text: str) -> None:
    with pytest.raises(LineError, match=f"line address '{text}'"):
        parse_address(text)


def test_an_address_is_written_as_it_is_read() -> None:
    assert parse_address(str(TcpAddress("192.0.2.7", 5020))) == TcpAddress("192.0.2.7", 5020)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("serial:/dev/ttyUSB0", SerialAddress("/dev/ttyUSB0", Characters(9600, "N", 1))),
        ("serial:/dev/ttyS1?baud=2400&parity=E&stop=2", SerialAddress("/dev/ttyS1", Characters(2400, "E", 2))),
        ("rtu+tcp://192.0.2.7:8899?parity=o", SerialServerAddress("192.0.2.7", 8899, Characters(9600, "O", 1))),
        ("rtu+tcp://[2001:db8::7]:23", SerialServerAddress("2001:db8::7", 23, Characters())),
    ],
)
def test_a_serial_line_says_how_characters_travel_on_it(
    text: str, address: SerialAddress | SerialServerAddress
) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("serial:/dev/ttyUSB0?baud=9601", "baud=9601 is not one of 300, 600"),
        ("serial:/dev/ttyUSB0?parity=X&stop=3", "parity=X is not one of N, E, O; stop=3 is not one of 1, 2"),
        ("serial:/dev/ttyUSB0?speed=9600", "speed is not known; there are baud, parity and stop"),
        ("serial:ttyUSB0", "must be of the form tcp://HOST:PORT, rtu"),
        ("rtu+tcp://192.0.2.7", "names no port"),
        ("tcp://192.0.2.7?baud=9600", "must be of the form"),
    ],
)
def test_an_address_that_is_wrong_is_told_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(LineError) as refused:
        parse_address(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("characters", "bits", "silence_ms"),
    [
        (Characters(9600, "N", 1), 10, 3.646),
        (Characters(2400, "E", 1), 11, 16.042),
        (Characters(19200, "E", 1), 11, 2.005),
        (Characters(115200, "N", 1), 10, 1.75),
    ],
)
def test_frames_are_parted_by_three_and_a_half_characters(characters: Characters, bits: int, silence_ms: float) -> None:
    assert characters.bits == bits
    assert characters.silence_s * 1000 == pytest.approx(silence_ms, abs=0.001)


def test_two_lines_of_one_wire_must_speak_alike_on_it() -> None:
    texts = {
        "a": "serial:/dev/ttyUSB0?baud=9600",
        "b": "serial:/dev/ttyUSB0",
        "c": "serial:/dev/ttyUSB0?baud=2400",
        "d": "tcp://meters:8899",
        "e": "rtu+tcp://METERS:8899",
    }
    found = dict(clashes({line: parse_address(text) for line, text in texts.items()}))

    assert found.keys() == {"c", "e"}
    assert "is the wire of line 'a'" in found["c"]
