"""`jieneng profiles`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collectors.makes import Make


@click.group()
def command() -> None:
    """Makes of meters: list and show those that are known, check a file of your own."""


@command.command("list")
@click.option("--markdown", is_flag=True, help="Print the page of supported meters.")
@click.option(
    "--profiles",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of your own, too: profiles/ beside the site file.",
)
def list_profiles(markdown: bool, folder: Path | None) -> None:
    """List the makes that are shipped, and yours; which of them decode a recorded reply."""
    from collectors.makes import load_make, make_ids, own_ids
    from jieneng.meter_pages import supported_meters

    if markdown:
        click.echo(supported_meters(), nl=False)
        return
    for name in make_ids():
        _list(name, load_make(name))
    if folder is not None:
        for name in own_ids(folder):
            _list(name, load_make(str((folder / f"{name}.yaml").resolve())), own=True)


def _list(name: str, make: Make, *, own: bool = False) -> None:
    from jieneng.meter_pages import tested_by

    told = f"{make.maker} {make.model}{', your own' if own else ''}"
    click.echo(f"{name:26} {make.medium:12} {len(make.quantities):3} quantities  {tested_by(make):9} {told}")


@command.command()
@click.argument("name", metavar="ID|FILE")
def show(name: str) -> None:
    """Show a make: its registers or items, where they are known from, and what has fooled others."""
    from collectors.makes import load_make

    _print(load_make(name))


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check files, or all in a folder: all that is wrong at once, each with its line; recordings must decode to what
    was published.

    Exit code 1 if any is wrong.
    """
    from collectors.makes import SPOKEN
    from collectors.meter_profile import Profile
    from collectors.profile_check import check_make
    from energy.errors import ConfigurationError

    wrong = False
    for file in [inner for each in files for inner in (sorted(each.rglob("*.yaml")) if each.is_dir() else [each])]:
        try:
            make, remarks = check_make(file)
        except ConfigurationError as error:
            wrong = True
            for fault in error.faults:
                click.echo(fault)
            continue
        recordings = f"{len(make.recordings)} recordings" if isinstance(make, Profile) else SPOKEN[make.protocol]
        click.echo(f"{file}: right; {len(make.quantities)} quantities, {recordings}")
        for remark in remarks:
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


def _print(make: Make) -> None:
    from rich.console import Console
    from rich.table import Table

    from collectors.meter_profile import Profile
    from jieneng.meter_pages import make_rows, make_traps

    console = Console(width=max(120, Console().width), highlight=False)
    serial = make.serial or "" if isinstance(make, Profile) else ""
    console.print(f"{make.id}: {make.maker} {make.model}, {make.medium}; {serial}", soft_wrap=True)
    for source in make.sources:
        console.print(f"  source: {source}", soft_wrap=True, markup=False)
    for trap in make_traps(make):
        console.print(f"  trap: {trap}", soft_wrap=True, markup=False)
    table = Table()
    head, rows = make_rows(make)
    for name in head:
        table.add_column(name, no_wrap=name != "uncertain")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if not isinstance(make, Profile):
        return
    for marking in (*make.nameplate, *make.status):
        console.print(f"{marking.name}: {marking.table} {marking.address}, {marking.type}", markup=False)
    for setting in make.writable:
        bounds = f"{setting.low} to {setting.high} {setting.unit}".rstrip()
        told = f"{setting.name}: may be written, function {setting.function} at {setting.address}, {bounds}"
        console.print(told, markup=False)
