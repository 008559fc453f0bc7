"""`jieneng restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from jieneng.commands import options
from jieneng.commands.backup import password_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@password_file
@click.option("--replace", is_flag=True, help="Move aside what is in its place.")
@options.chosen(options.config, options.data, options.store, options.records, options.audit_folder)
def command(file: Path, config: Path | None, password_file: Path | None, replace: bool, **given: Any) -> None:
    """Put a backup of `jieneng backup` back into an empty data folder. Everything is checked, opened and counted before
    it gets its place; records of an older version are brought up to this one.

    Records that were on PostgreSQL go into a new, empty database: createdb, and --records. What was read after the
    backup was begun comes back only as far as edges still hold it: see docs/operating.md.

    \b
        jieneng restore /backup/jieneng-20261121T020000Z.tar --data var --password-file /root/backup.password
    """
    import asyncio

    from jieneng.backups.proving import proved
    from jieneng.backups.restoring import restore
    from jieneng.backups.secrecy import password_of
    from jieneng.commands.import_readings import Bar
    from jieneng.commands.tables import local
    from jieneng.settings import load_settings

    settings = load_settings(config, **given)
    password = None if password_file is None else password_of(password_file)
    done = restore(file, settings, Bar(), replace=replace, password=password)
    click.echo(f"{settings.data} is as everything was on {local(done.manifest.begun_at)}")
    for aside in done.aside:
        click.echo(f"what was there before is in {aside}")
    if done.files is not None:
        click.echo(f"files from outside of the data folder are in {done.files}:")
        for name, was in done.manifest.files.items():
            click.echo(f"  {name} was {was}")
    for warning in asyncio.run(proved(file, settings, done.manifest)):
        click.echo(f"note: {warning}", err=True)
