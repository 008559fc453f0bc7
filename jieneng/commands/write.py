"""`jieneng write`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings


@click.command()
@click.argument("meter", metavar="METER")
@click.argument("setting", metavar="SETTING")
@click.argument("value", metavar="VALUE")
@options.chosen(options.config, options.site, options.data, options.edge, options.who)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; needs --yes.")
def command(
    config: Path | None, meter: str, setting: str, value: str, who: str, yes: bool, as_json: bool, **given: Any
) -> None:
    """Write one setting of a meter, and read it back. Off by default: the site file switches each setting on.

    \b
        jieneng write office-main ct_primary 200 --site config/site.yaml

    Prints what stands there, asks, writes once, and prints what the meter shows then. Where an edge runs on the data
    folder (--data, --edge) it does it, before anything else on its line. A write without an answer is not repeated.
    Exit code 0: the meter shows the new value; 1: it does not, or it is not known; 2: nothing was written.
    """
    import logging

    from jieneng.logs import configure_logs
    from jieneng.settings import load_settings

    configure_logs(logging.WARNING)
    if as_json and not yes:
        raise click.UsageError("--json cannot ask; give --yes, too")
    settings = load_settings(config, **given)
    holds: list[bool] = []
    options.run_until_signalled(_write(settings, (meter, setting, value), who, yes, as_json, holds))
    if not holds:
        sys.exit(2)
    sys.exit(0 if holds[0] else 1)


async def _write(
    settings: Settings, what: tuple[str, str, str], who: str, yes: bool, as_json: bool, holds: list[bool]
) -> None:
    import msgspec

    from adapters.clocks import SystemClock
    from edge.control import control_socket, write_log
    from jieneng.writing import open_writer

    socket, notes = control_socket(settings.data, settings.edge), write_log(settings.data, settings.edge)
    async with open_writer(settings.site_file(), *what, socket=socket, notes=notes, who=who, clock=SystemClock()) as (
        writer,
        old,
    ):
        unit = writer.order.setting.unit
        if not as_json:
            click.echo(f"{what[0]} {what[1]}, {writer.where}")
            click.echo(f"  now       {_shown(old, unit)}")
            click.echo(f"  new       {_shown(writer.order.value, unit)}")
        if not yes and not click.confirm("write it?"):
            click.echo("nothing was written")
            return
        outcome = await writer.write()
        holds.append(outcome.holds)
        if as_json:
            click.echo(msgspec.json.encode(outcome).decode())
            return
        click.echo(f"  read back {_shown(outcome.read_back, unit)}")
        click.echo(outcome.sentence + (f" ({outcome.detail})" if outcome.detail else ""))


def _shown(value: Any, unit: str) -> str:
    return "no number" if value is None else f"{value} {unit}".rstrip()
