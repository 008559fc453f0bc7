"""`jieneng setup`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from energy.errors import EnergyError
from jieneng.commands import options


@click.command()
@options.config
@options.chosen(options.data, options.store)
@click.option("--keep-days", type=click.IntRange(0), help="How long readings are kept; 0 is for ever. [as it is]")
@click.option("--hours-keep-days", type=click.IntRange(0), help="How long hourly figures are kept. [as it is]")
@click.option(
    "--admin-token-file",
    type=click.Path(path_type=Path),
    help="File with a token that may make buckets and tasks. [token_file of the store]",
)
@click.option("--delete-older", is_flag=True, help="Let InfluxDB delete what a bucket shall keep no longer.")
@click.option("--dry-run", is_flag=True, help="Tell what would be changed, and change nothing.")
def command(
    config: Path | None,
    keep_days: int | None,
    hours_keep_days: int | None,
    admin_token_file: Path | None,
    delete_older: bool,
    dry_run: bool,
    **given: Any,
) -> None:
    """Make what a store in InfluxDB needs: its bucket, one of hourly figures for other tools, and the task that tells
    them. What is there already stays; only what differs is changed. InfluxDB deletes readings that are older than
    --keep-days; a bucket that keeps more is changed with --delete-older alone.

    \b
        jieneng setup --config config/gateway.yaml --admin-token-file admin-token --dry-run
    """
    from jieneng.settings import load_settings

    address = load_settings(config, **given).store_address
    if not address.startswith("influx+"):
        raise EnergyError("only a store in InfluxDB needs to be set up: influx+http://HOST:8086/ORGANISATION/BUCKET")
    from adapters.stores import set_up_influx

    told = set_up_influx(
        address, admin_token_file, keep_days, hours_keep_days, dry_run=dry_run, may_delete=delete_older
    )
    for step in told or ["all is as it should be"]:
        click.echo(f"would {step}" if dry_run and told else step)
