"""`jieneng backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.backups.manifest import Manifest

password_file = click.option(
    "--password-file", type=click.Path(path_type=Path), help="File with the password that keys are sealed under."
)


@click.group(invoke_without_command=True)
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder of the backups.")
@password_file
@click.option("--with-secrets", is_flag=True, help="Put keys in as they are: guard the file like the keys themselves.")
@click.option("--without-secrets", is_flag=True, help="Leave keys out: keep them elsewhere.")
@click.option("--gzip", is_flag=True, help="Pack it: half the size, several times as long.")
@click.option("--keep", type=click.IntRange(1), help="Then remove all but the newest so many from the folder.")
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.store,
    options.records,
    options.audit_folder,
    options.channels,
    options.providers,
    options.listen,
    options.token_file,
)
@click.pass_context
def command(ctx: click.Context, /, config: Path | None, folder: Path | None, **given: Any) -> None:
    """Save everything as one file, while it runs: readings, ledger, records, audit log, quarantine, outboxes, what was
    learnt, keys, and the files that the settings name.

    One of --password-file, --with-secrets and --without-secrets is to be chosen. The gateway may run; it is asked, with
    --token-file where it asks who comes (a token that operates everything).

    \b
        jieneng backup --config config/settings.yaml --to /backup --password-file /root/backup.password --keep 14
        jieneng backup verify /backup/jieneng-20261121T020000Z.tar
    """
    if ctx.invoked_subcommand is not None:
        return
    if folder is None:
        raise click.UsageError("say where the backup goes: --to FOLDER")
    _take(config, folder, **given)


def _take(
    config: Path | None,
    folder: Path,
    password_file: Path | None,
    with_secrets: bool,
    without_secrets: bool,
    gzip: bool,
    keep: int | None,
    **given: Any,
) -> None:
    from jieneng.backups.secrecy import password_of
    from jieneng.backups.taking import Wanted, take
    from jieneng.commands.import_readings import Bar
    from jieneng.settings import load_settings

    if sum((password_file is not None, with_secrets, without_secrets)) != 1:
        raise click.UsageError(
            "say what becomes of the keys: --password-file FILE seals them under a password, --with-secrets puts them "
            "in as they are, --without-secrets leaves them out"
        )
    password = None if password_file is None else password_of(password_file)
    wanted = Wanted(folder, with_secrets, password, gzip, keep, config)
    file, made = take(load_settings(config, **given), wanted, Bar())
    click.echo(f"{file}: {_said(made)}")
    if made.left_out:
        left_out = ", ".join(name.removeprefix("data/") for name in made.left_out)
        click.echo(f"without {left_out}: keep copies of these elsewhere", err=True)


@command.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify(file: Path) -> None:
    """Read all of a backup and compare it with its manifest. Exit code 2 where it is damaged or not whole.

    That it can be restored is only shown by restoring it: `jieneng restore FILE --data EMPTY-FOLDER`.
    """
    from jieneng.backups.taking import looked_through
    from jieneng.commands.import_readings import Bar

    click.echo(f"{file}: {_said(looked_through(file, Bar()))}; nothing is damaged")


def _said(made: Manifest) -> str:
    from jieneng.commands.tables import local

    store = made.part("store.duckdb")
    readings = 0 if store is None else store.rows.get("closed", 0) + store.rows.get("recent", 0)
    records = next((p for p in made.parts if p.name.startswith("records.")), None)
    kept = 0 if records is None else sum(records.rows.values())
    return (
        f"everything of {local(made.begun_at)}, {readings:,} readings, {kept:,} rows of records, "
        f"{made.bytes / 1e6:,.1f} MB"
    )
