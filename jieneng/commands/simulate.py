"""`jieneng simulate`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options
from jieneng.commands.simulate_bus import bus


@click.group(invoke_without_command=True)
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    help="Site file whose meters are played; with --data it is written if it is not there. [the demo campus]",
)
@click.option("--recipes", type=click.Path(path_type=Path), help="What the loads are made of. [SITE-campus.yaml]")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of recorded hourly consumption to play instead.")
@click.option("--every", default="60s", show_default=True, help="With --data: how often the meters are to be read.")
@click.option("--play-from", type=options.INSTANT, help="With --data: play from this instant on; counters begin at 0.")
@click.option("--play-to", type=options.INSTANT, help="With --data: after this instant nothing flows.")
@click.option("--fault", "faults", multiple=True, help="Let this fault begin; may be repeated.")
@click.option(
    "--faults-file",
    type=click.Path(path_type=Path),
    default=Path("var/simulated/faults.json"),
    show_default=True,
    help="Where it is kept when each fault was on.",
)
@options.clock
@click.pass_context
def command(context: click.Context, /, site: Path | None, data: Path | None, clock: str | None, **given: Any) -> None:
    """Play the meters of a site: each line of the site file is listened on, and every meter answers there with the
    registers of its profile, over Modbus TCP on 127.0.0.1.

    The loads come from a model of a campus (weather, calendar, people), or with --data from recorded hours: a folder
    with electricity_hourly_*.parquet and gas_hourly_*.parquet, a column per building. Totals and powers agree: the
    power is the slope of the energy. Try

    \b
        jieneng simulate &
        mbpoll -m tcp -p 15021 -a 2 -t 3:float -B -r 53 -1 127.0.0.1

    Meters on a serial line that misbehave: `jieneng simulate bus --help`.
    """
    if context.invoked_subcommand is not None:
        return
    from adapters.clocks import open_clock
    from jieneng.logs import configure_logs

    configure_logs()
    running = open_clock(clock or "system")
    if data is not None:
        fleet = _recorded(data, site or Path("var/simulated/estate.yaml"), running, given)
    else:
        fleet = _modelled(site, running, given)
    options.run_until_signalled(_serve(fleet))


def _recorded(data: Path, site_file: Path, clock: Any, given: dict[str, Any]) -> Any:
    from collectors.simulators.fleet import Fleet
    from jieneng.composition import load_installed
    from jieneng.estate import Estate, estate_words, write_estate_site

    estate = Estate(data, clock.now(), play_from=given["play_from"], play_to=given["play_to"])
    if not site_file.exists():
        write_estate_site(estate_words(estate.recordings, every=given["every"]), site_file)
    click.echo(f"The site file is {site_file}; run `jieneng run --site {site_file}` on it.")
    return Fleet(load_installed(site_file).site, estate.plant(), now=clock.now)


def _modelled(site_file: Path | None, clock: Any, given: dict[str, Any]) -> Any:
    from jieneng.campus import open_campus

    fleet = open_campus(site_file, given["recipes"], given["faults_file"], clock)
    for fault in given["faults"]:
        fleet.switch(fault, on=True)
    return fleet


async def _serve(fleet: Any) -> None:
    async with fleet:
        for line, address in fleet.addresses.items():
            click.echo(f"{line}: {address}")
        await asyncio.Event().wait()


command.add_command(bus)
