"""Addresses of lines, checked without opening anything."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from energy.errors import LineError

DEFAULT_PORT = 502


class TcpAddress(NamedTuple):
    """Where Modbus TCP is spoken."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{self.host}:{self.port}"


def parse_address(text: str) -> TcpAddress:
    """The address that is written `tcp://HOST[:PORT]`.

    >>> parse_address("tcp://192.0.2.7").port
    502
    """
    parts = urlsplit(text)
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise LineError(f"line address {text!r}: {error}") from error
    if parts.scheme != "tcp" or not parts.hostname or parts.path not in ("", "/"):
        raise LineError(f"line address {text!r} must be of the form tcp://HOST:PORT")
    return TcpAddress(parts.hostname, port)
