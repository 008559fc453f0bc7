"""Addresses of lines, checked without opening anything: which wire, and how characters travel on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from energy.errors import LineError
from energy.sites import LineSettings

DEFAULT_PORT = 502
BAUDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
FORMS = "tcp://HOST:PORT, rtu+tcp://HOST:PORT or serial:/dev/DEVICE?baud=9600&parity=N&stop=1"


@dataclass(frozen=True, slots=True)
class Characters:
    """How characters travel: 8 bits of data between a start bit and one or two stop bits; parity `N`, `E` or `O`."""

    baud: int = 9600
    parity: str = "N"
    stop: int = 1

    @property
    def bits(self) -> int:
        return 9 + (self.parity != "N") + self.stop

    @property
    def seconds(self) -> float:
        """How long one character takes."""
        return self.bits / self.baud

    @property
    def silence_s(self) -> float:
        """What parts two frames: 3.5 characters, above 19200 baud 1.75 ms (Modbus over Serial Line V1.02, 2.5.1.1)."""
        return 3.5 * self.seconds if self.baud <= 19200 else 1.75e-3

    def __str__(self) -> str:
        return f"baud={self.baud}&parity={self.parity}&stop={self.stop}"


class TcpAddress(NamedTuple):
    """Where Modbus TCP is spoken."""

    host: str
    port: int

    @property
    def wire(self) -> str:
        """What there is one of: two addresses of one wire are one line."""
        return f"tcp {self.host.lower()} {self.port}"

    def __str__(self) -> str:
        return f"tcp://{_host(self.host)}:{self.port}"


class SerialServerAddress(NamedTuple):
    """A serial line behind a host and port that passes its bytes on as they are."""

    host: str
    port: int
    characters: Characters = Characters()

    @property
    def wire(self) -> str:
        return f"tcp {self.host.lower()} {self.port}"

    def __str__(self) -> str:
        return f"rtu+tcp://{_host(self.host)}:{self.port}?{self.characters}"


class SerialAddress(NamedTuple):
    """A serial port of this machine."""

    device: str
    characters: Characters = Characters()

    @property
    def wire(self) -> str:
        return f"serial {self.device}"

    def __str__(self) -> str:
        return f"serial:{self.device}?{self.characters}"


Address = TcpAddress | SerialServerAddress | SerialAddress


def parse_address(text: str) -> Address:
    """The address of a line as it is written in a site file; LineError says what would be right.

    >>> parse_address("tcp://192.0.2.7").port
    502
    >>> parse_address("serial:/dev/ttyUSB0?baud=2400&parity=E").characters.bits
    11
    """
    try:
        parts = urlsplit(text)
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise LineError(f"line address {text!r}: {error}") from error
    match parts.scheme:
        case "tcp" if _is_host(parts) and not parts.query:
            return TcpAddress(parts.hostname or "", port)
        case "rtu+tcp" if _is_host(parts):
            if parts.port is None:
                raise LineError(f"line address {text!r} names no port; a serial server has one, rtu+tcp://HOST:PORT")
            return SerialServerAddress(parts.hostname or "", port, _characters(text, parts.query))
        case "serial" if not parts.netloc and parts.path.startswith("/") and not parts.fragment:
            return SerialAddress(parts.path, _characters(text, parts.query))
    raise LineError(f"line address {text!r} must be of the form {FORMS}")


def clashes(addresses: Mapping[str, Address]) -> list[tuple[str, str]]:
    """Lines, by id, that name the wire of an earlier one but another way to speak on it: (id, sentence)."""
    first: dict[str, tuple[str, Address]] = {}
    found: list[tuple[str, str]] = []
    for line, address in addresses.items():
        earlier, other = first.setdefault(address.wire, (line, address))
        if other != address:
            found.append((line, f"{address} is the wire of line {earlier!r}, which speaks otherwise on it: {other}"))
    return found


def by_edge(lines: Iterable[LineSettings], addresses: Mapping[str, Address]) -> list[dict[str, Address]]:
    """The addresses of lines, those of one edge together: what is called alike at two edges are two wires."""
    found: dict[str | None, dict[str, Address]] = defaultdict(dict)
    for line in lines:
        if line.id in addresses:
            found[line.edge][line.id] = addresses[line.id]
    return list(found.values())


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_host(parts: SplitResult) -> bool:
    return bool(parts.hostname) and parts.path in ("", "/") and not parts.fragment


def _characters(text: str, query: str) -> Characters:
    """What stands behind the question mark; all that is wrong with it is told at once."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    faults = [
        f"{key} is not known; there are baud, parity and stop" for key in given.keys() - {"baud", "parity", "stop"}
    ]
    baud = _one_of("baud", given.get("baud", "9600"), [str(b) for b in BAUDS], faults)
    parity = _one_of("parity", given.get("parity", "N").upper(), ["N", "E", "O"], faults)
    stop = _one_of("stop", given.get("stop", "1"), ["1", "2"], faults)
    if faults:
        raise LineError(f"line address {text!r}: {'; '.join(faults)}")
    return Characters(int(baud), parity, int(stop))


def _one_of(key: str, value: str, possible: Sequence[str], faults: list[str]) -> str:
    if value not in possible:
        faults.append(f"{key}={value} is not one of {', '.join(possible)}")
    return value
