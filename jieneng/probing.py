"""A line looked through at every speed asked for: what was found, and the exchanges that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from collectors.commissioning.finding import Findings
from collectors.commissioning.noted_line import NotedLine
from collectors.commissioning.order import BAUDS, Asking, longest_s, speeds
from collectors.commissioning.search import Search, Told
from collectors.exchanges import Exchange
from collectors.lines.address import Address, Characters, SerialAddress, TcpAddress, parse_address
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.makes import Make, load_make, make_ids
from energy.errors import ConfigurationError, UnknownName
from energy.ports import Clock

Opened = Callable[[Address], Line]


@dataclass(slots=True)
class Probed:
    """What came of it so far; `complete` once everything was asked that was to be."""

    address: Address
    recorded_at: datetime
    found: Findings = field(default_factory=Findings)
    exchanges: list[Exchange] = field(default_factory=list)
    complete: bool = False


def addresses_tried(text: str, bauds: Sequence[int], parities: Sequence[str]) -> list[Address]:
    """The line at every speed that is to be tried; a speed in its own address is the only one, unless bauds are given.

    ConfigurationError for speeds of a line that has none of ours.
    """
    address = parse_address(text)
    if not isinstance(address, SerialAddress):
        if bauds or parities:
            own = "speaks over a network" if isinstance(address, TcpAddress) else "has its speed set in the server"
            raise ConfigurationError([f"line {text} {own}: --baud and --parity are for serial ports"])
        return [address]
    if "baud=" in text and not bauds:
        return [address]
    return [replace_characters(address, c) for c in speeds(bauds or BAUDS, parities or ("N", "E"))]


def replace_characters(address: SerialAddress, characters: Characters) -> SerialAddress:
    """The same port at another speed."""
    return address._replace(characters=replace(characters, stop=address.characters.stop))


def longest(asking: Asking, tried: Sequence[Address]) -> float:
    """How long it takes if nobody answers [s]."""
    return longest_s(asking, [getattr(address, "characters", Characters(baud=115200)) for address in tried])


def known_makes(own: Sequence[str] = ()) -> list[Make]:
    """All that are shipped, and files of one's own; UnknownName or ConfigurationError says what is wrong with those."""
    for name in own:
        if not name.endswith((".yaml", ".yml")):
            raise UnknownName(f"{name!r} is no file of a profile: it must end in .yaml")
    return [load_make(name) for name in (*own, *make_ids())]


async def probe(
    probed: Probed,
    tried: Sequence[Address],
    asking: Asking,
    makes: Sequence[Make],
    clock: Clock,
    told: Told,
    *,
    all_speeds: bool = False,
    opened: Opened | None = None,
) -> None:
    """Fill `probed`; ends at the first speed at which somebody answers, unless all are wanted.

    Cancelled, it leaves in `probed` what was found until then.
    """
    began = monotonic()

    def of_line(address: Address) -> Line:
        return open_line(str(address), now=clock.now, timeout_s=asking.timeout_s)

    for i, address in enumerate(tried):

        def told_here(what: str, share: float, address: Address = address, i: int = i) -> None:
            told(f"{_speed(address)}{what}", (i + share) / len(tried))

        framed = isinstance(address, TcpAddress)
        line = NotedLine(
            (opened or of_line)(address),
            str(address),
            framed=framed,
            exchanges=probed.exchanges,
            clock=lambda: monotonic() - began,
            pause_s=asking.pause_s,
        )
        async with line:
            await Search(line, asking, makes, probed.found, now=clock.now, told=told_here).run()
        if probed.found.meters and not all_speeds:
            break
    probed.complete = True


def _speed(address: Address) -> str:
    """The speed as one says it, where the line has one."""
    c = getattr(address, "characters", None)
    return f"{c.baud} 8{c.parity}{c.stop}, " if isinstance(c, Characters) else ""
