"""`jieneng profiles`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collectors.meter_profile import Profile


@click.group()
def command() -> None:
    """Makes of meters: list and show those that are known, check a file of your own."""


@command.command("list")
@click.option("--markdown", is_flag=True, help="Print the page of supported meters.")
def list_profiles(markdown: bool) -> None:
    """List the profiles that are shipped, and which of them decode a recorded reply."""
    from collectors.meter_profile import load_profile, profile_ids
    from jieneng.meter_pages import supported_meters

    if markdown:
        click.echo(supported_meters(), nl=False)
        return
    for name in profile_ids():
        profile = load_profile(name)
        tested = "recorded" if profile.recordings else "untested"
        told = f"{profile.maker} {profile.model}"
        click.echo(f"{name:26} {profile.medium:12} {len(profile.registers):3} quantities  {tested:9} {told}")


@command.command()
@click.argument("name", metavar="ID|FILE")
def show(name: str) -> None:
    """Show a profile: its registers, where they are known from, and what has fooled others."""
    from collectors.meter_profile import load_profile

    _print(load_profile(name))


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check files: all that is wrong at once, each with its line; recordings must decode to what was published.

    Exit code 1 if any is wrong.
    """
    from collectors.profile_check import check_profile
    from energy.errors import ConfigurationError

    wrong = False
    for file in files:
        try:
            found = check_profile(file)
        except ConfigurationError as error:
            wrong = True
            for fault in error.faults:
                click.echo(fault)
            continue
        profile = found.profile
        click.echo(f"{file}: right; {len(profile.registers)} quantities, {len(profile.recordings)} recordings")
        for remark in found.remarks:
            click.echo(f"  {remark}")
    if wrong:
        sys.exit(1)


@command.command()
@click.argument("name", metavar="ID|FILE")
@click.option("--line", required=True, help="Address of the line, such as tcp://192.0.2.7:502.")
@click.option("--unit", type=click.IntRange(0, 255), default=1, show_default=True, help="Unit id of the meter.")
@click.option("--timeout", type=float, default=1.0, show_default=True, help="Seconds that an answer may take.")
def texts(name: str, line: str, unit: int, timeout: float) -> None:
    """Read what the nameplate of a meter says, and its state.

    Exit code 1 if a text could not be read.
    """
    import asyncio

    from adapters.clocks import SystemClock
    from jieneng.nameplates import read_texts

    found = asyncio.run(read_texts(name, line, unit, SystemClock(), timeout))
    for each in found:
        click.echo(f"{each.name}: {each.error or ('no text' if each.text is None else each.text)}")
    if any(each.error for each in found):
        sys.exit(1)


def _print(profile: Profile) -> None:
    from rich.console import Console
    from rich.table import Table

    from jieneng.meter_pages import register_rows

    console = Console(width=max(120, Console().width), highlight=False)
    console.print(f"{profile.id}: {profile.maker} {profile.model}, {profile.medium}; {profile.serial or ''}")
    for source in profile.sources:
        console.print(f"  source: {source}", soft_wrap=True, markup=False)
    for trap in (*profile.traps, *([profile.uncertain] if profile.uncertain else [])):
        console.print(f"  trap: {trap}", soft_wrap=True, markup=False)
    table = Table()
    head, rows = register_rows(profile)
    for name in head:
        table.add_column(name, no_wrap=name != "uncertain")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for marking in (*profile.nameplate, *profile.status):
        console.print(f"{marking.name}: {marking.table} {marking.address}, {marking.type}", markup=False)
    for setting in profile.writable:
        bounds = f"{setting.low} to {setting.high} {setting.unit}".rstrip()
        told = f"{setting.name}: may be written, function {setting.function} at {setting.address}, {bounds}"
        console.print(told, markup=False)
