"""`jieneng simulate bus`."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import click

from jieneng.commands import options


def _endpoint(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} must be HOST:PORT or PORT")
    return host or "127.0.0.1", int(port)


def _units(context: click.Context, parameter: click.Parameter, value: str) -> list[int]:
    from collectors.simulators.bus.misbehaviour import numbers

    try:
        found = numbers(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}") from error
    assert isinstance(found, set)
    if not found <= set(range(1, 248)):
        raise click.BadParameter("units are 1..247")
    return sorted(found)


def _duration(context: click.Context, parameter: click.Parameter, value: str) -> float:
    from collectors.simulators.bus.misbehaviour import seconds

    try:
        return float(str(seconds(value)))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}") from error


_FILE = click.Path(path_type=Path)


@click.command("bus", short_help="Play a bus of meters that may misbehave, timed byte by byte.")
@click.option("--pty", type=_FILE, help="Answer on a pseudo terminal, to be opened by this name.")
@click.option("--rtu-tcp", callback=_endpoint, help="Answer RTU on this [HOST:]PORT, as a transparent serial server.")
@click.option("--tcp", callback=_endpoint, help="Answer Modbus TCP on this [HOST:]PORT.")
@click.option("--units", default="1", show_default=True, callback=_units, help="Unit ids: 3, 1-32, 1-4+9.")
@click.option("--profile", help="Fill the registers of this profile by a steady flow. [registers tell whose they are]")
@click.option("--registers", type=_FILE, help="File of registers: `holding: {100: [1, 2]}` (YAML).")
@click.option("--recording", type=_FILE, help="Answer as a bus did that `jieneng probe --record` recorded.")
@click.option("--max-registers", type=click.IntRange(1, 125), help="The most that a meter returns at once.")
@click.option("--baud", type=click.IntRange(min=50), default=9600, show_default=True)
@click.option("--parity", type=click.Choice(["N", "E", "O"]), default="N", show_default=True)
@click.option("--stop-bits", type=click.IntRange(1, 2), default=1, show_default=True)
@click.option("--latency", default="20ms", show_default=True, callback=_duration, help="How long a meter thinks.")
@click.option("--jitter", default="0ms", show_default=True, callback=_duration, help="By how much longer, by chance.")
@click.option("--misbehave", "deeds", multiple=True, metavar="KIND:KEY=VALUE,...", help="See below; may be repeated.")
@click.option("--misbehaviours", type=_FILE, help="The same as a file (YAML).")
@click.option("--echo", is_flag=True, help="Who asks hears itself, as behind some converters.")
@click.option("--no-collisions", is_flag=True, help="Two that speak at once do not garble each other (four strands).")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@click.option("--log", "log_file", type=_FILE, help="Write what was done to which request, a JSON object a line.")
def bus(**given: Any) -> None:
    """Play meters on one bus, timed byte by byte at its baud rate, that may misbehave.

    Where: one of --pty, --rtu-tcp, --tcp. What misbehaves is said by kind, meters, and how often:

    \b
        jieneng simulate bus --pty /tmp/meters --units 1-32 --profile eastron/sdm630 \\
            --misbehave late:unit=3,every=3,by=350ms --misbehave silent:unit=7+9,from=30s
        mbpoll -m rtu -b 9600 -P none -a 3 -t 3:float -B -r 1 -1 /tmp/meters

    \b
    silent  slow:by=  late:by=        nothing; later; later than anybody waits
    garble:bytes=  cut:bytes=         other bytes; bytes missing at the end
    short:registers=  long:registers= another length than asked, a right checksum
    wrong_unit  wrong_function  wrong_transaction
    glued  dribble:gap=  noise:bytes=,by=  reset:bytes=
    exception:code=                   an exception instead of the answer
    reboot:by=                        silent for so long, then counters from 0
    rollover:at=2^32,steps=10         counters that begin shortly before they roll over
    hole:addresses=100-103,code=2     registers that cannot be read

    \b
    unit=3 | 1-4+9    which meters; all if none is named
    every=3  rate=0.1  after=10  times=5  from=10s  until=1min   how often and when; each time if nothing is said

    With a --profile of DL/T 645 or CJ/T 188, such as dlt645/three-phase, the addresses are the units with zeros in
    front: 000000000003, and a line of such meters has --baud 2400 --parity E.

    Ctrl-C ends it; then, and on SIGUSR1, it prints what each meter did.
    """
    from collectors.simulators.bus.hosts import precise_loop

    with ExitStack() as stack:
        place, settings, log = _bus(stack, given)
        options.run_until_signalled(_serve_bus(place, settings, log), loop_factory=precise_loop)


def _bus(stack: ExitStack, given: dict[str, Any]) -> tuple[Any, Any, Any]:
    from collectors.exchanges import read_exchanges
    from collectors.lines.address import Characters
    from collectors.makes import load_make
    from collectors.meter_profile import Profile
    from collectors.simulators.bus.contents import read_table
    from collectors.simulators.bus.meters import Latency
    from collectors.simulators.bus.misbehaviour import read_misbehaviours, spelled_misbehaviour
    from collectors.simulators.bus.recorded_slave import is_framed
    from collectors.simulators.bus.served import ServedLog
    from jieneng.simulated_bus import BusSettings, Place

    if sum(given[key] is not None for key in ("pty", "rtu_tcp", "tcp")) != 1:
        raise click.UsageError("give one of --pty, --rtu-tcp, --tcp")
    if sum(given[key] is not None for key in ("profile", "registers", "recording")) > 1:
        raise click.UsageError("give one of --profile, --registers, --recording")
    deeds = [spelled_misbehaviour(text) for text in given["deeds"]]
    if given["misbehaviours"] is not None:
        deeds += read_misbehaviours(given["misbehaviours"])
    make = None if given["profile"] is None else load_make(given["profile"])
    if given["tcp"] is not None and not isinstance(make, Profile | None):
        raise click.UsageError(f"{given['profile']} does not speak Modbus TCP; give --pty or --rtu-tcp")
    recorded = [] if given["recording"] is None else read_exchanges(given["recording"])
    if given["recording"] is not None and is_framed(recorded) != (given["tcp"] is not None):
        raise click.UsageError("a recording of Modbus TCP is played on --tcp, any other on --pty or --rtu-tcp")
    settings = BusSettings(
        given["units"],
        deeds,
        recorded=recorded,
        profile=make if isinstance(make, Profile) else None,
        addressed=None if isinstance(make, Profile) else make,
        tables=None if given["registers"] is None else read_table(given["registers"]),
        max_registers=given["max_registers"],
        characters=Characters(given["baud"], given["parity"], given["stop_bits"]),
        latency=Latency(given["latency"], given["jitter"]),
        echo=given["echo"],
        collisions=not given["no_collisions"],
        seed=given["seed"],
    )
    told: Any = None
    if given["log_file"] is not None:
        try:
            file = stack.enter_context(given["log_file"].open("w", encoding="utf-8", buffering=1))
        except OSError as error:
            raise click.UsageError(f"--log {given['log_file']}: {error.strerror}") from error

        told = partial(_write, file)
    return Place(given["pty"], given["rtu_tcp"], given["tcp"]), settings, ServedLog(told=told)


def _write(file: TextIO, served: Any) -> None:
    file.write(served.as_json() + "\n")


async def _serve_bus(place: Any, settings: Any, log: Any) -> None:
    from datetime import UTC, datetime

    from collectors.makes import SPOKEN
    from jieneng.simulated_bus import host_of, meters_of

    meters = meters_of(settings, now=lambda: datetime.now(UTC), log=log, framed=place.tcp is not None)
    async with host_of(settings, place, meters) as host:
        line = settings.characters
        spoken = "RTU" if settings.addressed is None else SPOKEN[settings.addressed.protocol]
        timed = "Modbus TCP" if place.tcp is not None else f"{spoken}, {line.baud} 8{line.parity}{line.stop}"
        count = len(meters.names)
        slow = "as slow as recorded" if settings.recorded else f"{settings.latency.least_s * 1000:g} ms"
        click.echo(f"{host.address}: {timed}, {count} units, {slow}")
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: _tell(meters.names, log))
        try:
            await asyncio.Event().wait()
        finally:
            _tell(meters.names, log)


def _tell(names: list[str], log: Any) -> None:
    """What each meter was asked and what it did."""
    for name, asked, did in log.counts(names):
        deeds = "".join(f"  {kind} {count}" for kind, count in did.items())
        if asked or did:
            click.echo(f"{name:10} asked {asked}{deeds}")
    click.echo(f"{'nobody':10} asked {log.asked[None]}")
