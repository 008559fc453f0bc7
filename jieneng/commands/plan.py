"""`jieneng plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collectors.lines.address import Address
    from collectors.register_map import Profile
    from energy.sites import Meter
    from jieneng.planning import PlanAnswer

_RTU_FRAME, _TCP_FRAME = 13, 21
_LONGEST = 125
_PARITIES = {"N": "none", "E": "even", "O": "odd"}


@click.command()
@click.argument("what", metavar="METER|PROFILE")
@click.option("--site", type=click.Path(path_type=Path), help="Site file, where a meter is named.")
@click.option(
    "--baud", type=click.IntRange(300, 1_000_000), help="Baud of a serial line.  [default: of the line, or 9600]"
)
@click.option("--parity", type=click.Choice(["none", "even", "odd"]), help="[default: of the line, or none]")
@click.option("--stop-bits", type=click.IntRange(1, 2), help="[default: of the line, or 1]")
@click.option("--latency", type=click.FloatRange(0), default=20.0, show_default=True, help="Milliseconds of the meter.")
@click.option("--tcp", is_flag=True, help="Modbus TCP instead of a serial line.")
@click.option("--quantity", "quantities", multiple=True, help="Plan only this quantity; may be repeated.")
@click.option("--every", type=click.FloatRange(0.1), help="Seconds between readings.  [default: of the meter, or 60]")
@click.option("--counters-every", type=click.FloatRange(0.1), help="Seconds between readings of counters.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    what: str,
    site: Path | None,
    baud: int | None,
    parity: str | None,
    stop_bits: int | None,
    latency: float,
    tcp: bool,
    quantities: tuple[str, ...],
    every: float | None,
    counters_every: float | None,
    as_json: bool,
) -> None:
    """Print the requests by which a meter is read, what they cost on the line, and what other ways would cost.

    \b
        jieneng plan eastron/sdm630 --baud 9600 --latency 20
        jieneng plan office-main --site config/site.yaml
        jieneng plan abb/b23 --every 5 --counters-every 60

    A meter is planned for its line and its rates, a profile for a serial line of 9600 8N1. Nothing is read.
    """
    from dataclasses import replace

    import msgspec

    from collectors.lines.address import Characters, TcpAddress
    from collectors.planner import RequestCost
    from jieneng.planning import plan_meter

    meter, profile, address = _named(what, site)
    meter = replace(meter, quantities=quantities or meter.quantities, interval_s=every or meter.interval_s)
    characters = getattr(address, "characters", Characters())
    baud, stop_bits = baud or characters.baud, stop_bits or characters.stop
    parity = parity or _PARITIES[characters.parity]
    if tcp or isinstance(address, TcpAddress):
        cost, line = RequestCost.tcp(latency / 1000), f"Modbus TCP, {latency:g} ms a turn"
    else:
        cost = RequestCost.serial(baud, parity=parity, stop_bits=stop_bits, latency_s=latency / 1000)
        line = f"{baud} 8{parity[0].upper()}{stop_bits}, {latency:g} ms latency"
    frame = _TCP_FRAME if tcp else _RTU_FRAME
    answer = plan_meter(meter, profile, cost, line, frame_bytes=frame, counters_every_s=counters_every)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer)))
    else:
        _print(answer)


def _named(what: str, site: Path | None) -> tuple[Meter, Profile, Address | None]:
    """The meter of a site file with the address of its line, or a meter of a profile."""
    from collectors.lines.address import parse_address
    from collectors.meter_profile import Profile, load_profile
    from energy.errors import UnknownName
    from energy.sites import Meter, Text
    from jieneng.composition import load_installed

    if site is None:
        profile = load_profile(what)
        return Meter("meter", Text("", ""), profile.medium), profile, None
    installed = load_installed(site)
    meter = installed.site.meter(what)
    if meter.profile is None:
        raise UnknownName(f"meter {what!r} has no profile: it is read by hand")
    made = installed.profiles[meter.profile]
    if not isinstance(made, Profile):
        raise UnknownName(f"meter {what!r} is asked item by item, not by blocks of registers: there is nothing to plan")
    line = next((line for line in installed.site.lines if line.id == meter.line), None)
    return meter, made, None if line is None else parse_address(line.address)


def _print(answer: PlanAnswer) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(110, Console().width), highlight=False)
    table = Table(title=f"{answer.profile} · {answer.line}", title_justify="left")
    for name in ("request", "registers", "bytes", "ms", "every s"):
        table.add_column(name, justify="left" if name == "request" else "right", no_wrap=True)
    table.add_column("values")
    for block in answer.blocks:
        span = f"{block.table} {block.address}..{block.address + block.registers - 1}"
        numbers = (str(block.registers), str(block.bytes), f"{block.ms:.1f}", f"{block.every_s:g}")
        table.add_row(span, *numbers, f"{len(block.quantities)}: {_shortened(block.quantities)}")
    console.print(table)
    console.print(
        f"{len(answer.blocks)} requests, {answer.cycle_ms:.1f} ms on the line; {answer.line_share:.2%} of its time. "
        f"A request costs {answer.fixed_ms:.2f} ms and {answer.register_ms:.3f} ms a register: "
        f"holes of up to {min(answer.break_even, _LONGEST):g} registers are read over.",
        soft_wrap=True,
    )
    if answer.together_share < answer.line_share - 1e-9:
        console.print(
            f"Were slow values taken along in faster requests: {answer.together_share:.2%}. The edge does not yet.",
            soft_wrap=True,
        )
    for other in answer.others:
        console.print(f"{other.way}: {other.requests} requests, {other.ms:.1f} ms")


def _shortened(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:2])} … {names[-1]}"
