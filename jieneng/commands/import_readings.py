"""`jieneng import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options

_SHOWN = 20


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--site", type=click.Path(path_type=Path), help="Take only meters of this site file, within its bounds.")
@click.option("--refused", type=click.Path(path_type=Path), help="Write every refused row to this CSV file.")
@options.data
@options.store
def command(files: tuple[Path, ...], site: Path | None, refused: Path | None, **given: Any) -> None:
    """Take readings from CSV or Parquet FILES into the store, whose gateway must not be running.

    A file has the columns meter,quantity,taken_at,value, with a header; taken_at is ISO 8601 with an offset:

    \b
        meter,quantity,taken_at,value
        office-a-main,active_energy_import,2026-01-31T08:00:00+08:00,184250.25

    Importing a file again changes nothing. Rows that are wrong are refused with their line and cause, the others are
    taken; the exit code is then 1. The names of quantities are in docs/glossary.md.
    """
    import asyncio

    from jieneng.importing import import_files
    from jieneng.settings import load_settings

    results = asyncio.run(import_files(files, load_settings(None, **given).stores, site, Bar()))
    for result in results:
        _tell(result)
    if refused is not None:
        _write(refused, results)
        click.echo(f"refused rows are in {refused}", err=True)
    if any(result.refused for result in results):
        sys.exit(1)


class Bar:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn())
        self._progress = Progress(
            TextColumn("{task.description}"), *columns, console=console, disable=not console.is_terminal
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def at(self, what: str, share: float, shown: str | None = None) -> None:
        """`what` has come so far, 0 to 1; `shown` are other words for it."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=1.0)
        self._progress.update(self._tasks[what], completed=share, description=shown or what)


def _tell(result: Any) -> None:
    line = f"{result.path}: {result.stored} stored, {result.repeated} were there already, {len(result.refused)} refused"
    rate = f" ({result.rows / result.seconds:,.0f} rows/s)" if result.rows and result.seconds > 0 else ""
    click.echo(line + rate)
    for meter in result.new_meters[:_SHOWN]:
        click.echo(f"  new meter: {meter}")
    if len(result.new_meters) > _SHOWN:
        click.echo(f"  and {len(result.new_meters) - _SHOWN} more new meters")
    if result.after_now:
        click.echo(f"  note: {result.after_now} rows are dated after now", err=True)
    for row in result.refused[:_SHOWN]:
        click.echo(f"{result.path}:{row.line}: {row.cause}: {row.text}", err=True)
    if len(result.refused) > _SHOWN:
        click.echo(f"... and {len(result.refused) - _SHOWN} more; --refused FILE writes all of them", err=True)


def _write(path: Path, results: list[Any]) -> None:
    import csv

    from adapters.sheets import harmless

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "cause", "row"])
        for result in results:
            told = ((result.path, row.line, row.cause, row.text) for row in result.refused)
            writer.writerows([harmless(cell) for cell in row] for row in told)
