"""An address of a line is checked before anything is opened."""

from __future__ import annotations

import pytest

from collectors.lines.address import TcpAddress, parse_address
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
