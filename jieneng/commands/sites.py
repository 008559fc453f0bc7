"""`jieneng site`."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from gateway.records.changes import Change
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """What is measured where, in the records: bring a site file in, write one out, see what was changed.

    They can be worked on while a gateway runs, which reads them when it starts.
    """


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--who", default=getpass.getuser, help="Who changes the records. [the user of this session]")
@click.option("--why", default="", help="Why: a letter, an order, a visit.")
@click.option("--yes", is_flag=True, help="Change them without asking.")
@options.of_records
def import_file(file: Path, who: str, why: str, yes: bool, settings: Settings) -> None:
    """Show how the site FILE (YAML or .xlsx) differs from the records, ask, and change them; all or nothing.

    \b
        jieneng site import config/site.yaml --why "measured anew, letter of 2026-03-02"
    """
    if file.suffix.lower() == ".xlsx":
        from adapters.site_book_files import read_book

        site = read_book(file)
    else:
        from jieneng.composition import load_installed

        site = load_installed(file).site
    sys.exit(asyncio.run(_import(site, settings, who, why, yes)))


async def _import(site: Any, settings: Settings, who: str, why: str, yes: bool) -> int:
    from jieneng.records import kept_sites

    async with kept_sites(settings) as sites:
        changes = await sites.differences(site)
        if not changes:
            click.echo(f"{site.id}: no difference")
            return 0
        _show(changes)
        if not yes and not click.confirm(f"Change the records of {site.id} so?"):
            click.echo("nothing was changed")
            return 1
        await sites.apply(site.id, changes, who, why)
    click.echo(f"{site.id}: {_counted(changes)}")
    return 0


@command.command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--id", "site_id", help="Which site, where the records hold several.")
@options.of_records
def export_file(file: Path | None, site_id: str | None, settings: Settings) -> None:
    """Write the site of the records as a site file, to FILE or to standard output. Importing it again changes nothing.

    \b
        jieneng site export site.yaml
    """
    from adapters.site_export import site_text
    from jieneng.records import relative_to

    site = relative_to(asyncio.run(_exported(site_id, settings)), file.parent if file else Path())
    if file is not None and file.suffix.lower() == ".xlsx":
        from adapters.site_book_export import write_book

        write_book(site, file)
        click.echo(f"{file}: {len(site.places)} places, {len(site.meters)} meters", err=True)
        return
    text = site_text(site)
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        click.echo(f"{file}: {len(site.places)} places, {len(site.meters)} meters", err=True)


async def _exported(site_id: str | None, settings: Settings) -> Any:
    from jieneng.records import kept_sites, the_site

    async with kept_sites(settings) as sites:
        return await the_site(sites, site_id)


@command.command("template")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def template(file: Path) -> None:
    """Write an Excel workbook to fill in, with its sheets and the names of their columns, to FILE."""
    from adapters.site_book_export import write_book

    write_book(None, file)
    click.echo(f"{file}: fill it in, then `jieneng site import {file}`", err=True)


@command.command("history")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="So many of the newest changes.")
@options.of_records
def history(limit: int, settings: Settings) -> None:
    """What was changed in the records, when, by whom and why; the newest last."""
    from rich.markup import escape

    table = _table("when", "who", "why", "record", "field", "from", "to")
    for logged in asyncio.run(_history(limit, settings)):
        when = _local(logged.at_ms)
        for row in _rows(logged.change):
            table.add_row(when, escape(logged.who), escape(logged.why), *row)
            when = ""
    _print(table)


async def _history(limit: int, settings: Settings) -> Any:
    from gateway.records.changes import logged_changes
    from gateway.sites.keeping import KEPT
    from jieneng.records import kept

    async with kept(settings) as records:
        return await logged_changes(records, newest=limit, kinds=list(KEPT))


def _local(ms: int) -> str:
    from energy.readings import from_ms

    return from_ms(ms).astimezone().isoformat(sep=" ", timespec="seconds")


def _show(changes: Sequence[Change]) -> None:
    table = _table("record", "field", "from", "to")
    for change in changes:
        for row in _rows(change):
            table.add_row(*row)
    _print(table)


def _rows(change: Change) -> list[tuple[str, str, str, str]]:
    from rich.markup import escape

    record = escape(f"{change.kind} {change.key}")
    if change.before is None or change.after is None:
        word = "added" if change.before is None else "removed"
        name = (change.after or change.before or {}).get("name_zh", "")
        return [(record, word, "", escape(name)) if change.before is None else (record, word, escape(name), "")]
    rows = [(record, field, escape(_said(before)), escape(_said(after))) for field, before, after in change.fields]
    return [rows[0], *(("", *row[1:]) for row in rows[1:])]


def _said(value: Any) -> str:
    import msgspec

    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _counted(changes: Sequence[Change]) -> str:
    added = sum(change.before is None for change in changes)
    removed = sum(change.after is None for change in changes)
    return f"{added} added, {len(changes) - added - removed} changed, {removed} removed"


def _table(*columns: str) -> Any:
    from rich.table import Table

    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: Any) -> None:
    from rich.console import Console

    Console(width=max(110, Console().width)).print(table)
