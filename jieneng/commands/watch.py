"""`jieneng watch`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options


@click.command()
@click.argument("site", type=click.Path(path_type=Path))
@click.argument("meters", nargs=-1, metavar="[METER]...")
@click.option(
    "--quantity", "quantities", multiple=True, help="Watch this quantity; repeatable.  [what one looks at first]"
)
@click.option("--every", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Seconds between readings.")
@click.option("--rounds", type=click.IntRange(1), help="Stop after so many.  [until Ctrl-C]")
def command(site: Path, meters: tuple[str, ...], quantities: tuple[str, ...], every: float, rounds: int | None) -> None:
    """Watch the meters of a SITE file as they are read: value, age, quality, state.

    \b
        jieneng watch site.yaml
        jieneng watch site.yaml meter-1 meter-7 --quantity voltage_l1 --quantity active_power --every 1

    Stop the edge first: a line has one master. Where the output is no terminal, each value is printed as a line. Ctrl-C
    ends it. Exit code 1 if a meter did not answer the last time it was asked.
    """
    from adapters.clocks import SystemClock
    from energy.quantities import quantity
    from jieneng.composition import load_installed
    from jieneng.watching import watch, watched_meters

    for name in quantities:
        quantity(name)
    clock, installed = SystemClock(), load_installed(site)
    watched = watched_meters(installed, meters, quantities, every)
    if sys.stdout.isatty():
        from rich.live import Live

        with Live(get_renderable=lambda: _table(watched, clock.now()), refresh_per_second=4):
            options.run_until_signalled(
                watch(installed, watched, clock, lambda one: None, every_s=every, rounds=rounds)
            )
    else:
        options.run_until_signalled(watch(installed, watched, clock, _line, every_s=every, rounds=rounds))
    if any(one.error is not None for one in watched):
        sys.exit(1)


def _value(seen: Any) -> str:
    return "" if seen.value is None else f"{seen.value:.10g}"


def _quality(seen: Any) -> str:
    return f"{seen.quality}: {seen.reason}" if seen.reason else str(seen.quality)


def _line(one: Any) -> None:
    """What was read of a meter, a line for each value."""
    if one.error is not None:
        click.echo(f"{one.meter.id}\t{one.state}\t{one.error}")
        return
    for name in one.quantities:
        seen = one.values.get(name)
        if seen is not None:
            at = seen.taken_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            click.echo(f"{one.meter.id}\t{one.state}\t{at}\t{name}\t{_value(seen)}\t{seen.unit}\t{_quality(seen)}")


def _table(watched: Any, now: datetime) -> Any:
    """All meters as they stand now; what is old says how old it is."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("meter", "state", "quantity", "value", "quality", "age"):
        numeric = column in ("value", "age")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric or column == "state")
    for one in watched:
        called, state = f"{one.meter.name.zh} {one.meter.id}", one.state
        for name in one.quantities:
            table.add_row(called, state, name, *_cells(one.values.get(name), now))
            called = state = ""
        if one.error is not None:
            table.add_row("", "", one.error, "", "", "")
    return table


def _cells(seen: Any, now: datetime) -> tuple[str, str, str]:
    if seen is None:
        return "", "", ""
    value = "" if seen.value is None else f"{seen.value:.8g} {seen.unit}"
    return value, _quality(seen), f"{max(0.0, (now - seen.taken_at).total_seconds()):.0f} s"
