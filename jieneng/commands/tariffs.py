"""`jieneng tariffs`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """What energy and water cost, in the records: bring a tariff file in, see what is there. See docs/tariffs.md.

    Tariffs can be changed while a gateway runs; it makes the costs anew by itself.
    """


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@click.option("--yes", is_flag=True, help="Change the records without asking.")
@options.of_records
def import_file(file: Path, who: str, why: str, yes: bool, settings: Settings) -> None:
    """Show how the tariffs of FILE differ from the records, ask, and let them hold. Others stay as they are.

    \b
        jieneng tariffs import config/tariffs/example-tou.yaml --why "price letter of 2026-03"
    """
    from gateway.tariffs.documents import documents_of

    sys.exit(asyncio.run(_import(documents_of(file), who, why, yes, settings)))


async def _import(documents: dict[str, str], who: str, why: str, yes: bool, settings: Settings) -> int:
    from jieneng.records import kept_tariffs

    async with kept_tariffs(settings) as tariffs:
        changes = await tariffs.differences(documents)
        if not changes:
            click.echo("no difference")
            return 0
        _show(changes)
        if not yes and not click.confirm("Change the tariffs of the records so?"):
            click.echo("nothing was changed")
            return 1
        await tariffs.apply(documents, changes, who, why)
    added = sum(change.before is None for change in changes)
    click.echo(f"{added} added, {len(changes) - added} changed")
    return 0


def _show(changes: Any) -> None:
    from jieneng.commands.tables import row, show, table

    made = table("tariff", "key", "from", "to")
    for change in changes:
        if change.before is None:
            row(made, change.key, "added", None, f"{len(change.after)} keys")
            continue
        for i, (key, before, after) in enumerate(change.fields):
            row(made, change.key if i == 0 else None, key, before, after)
    show(made)


@command.command("list")
@options.of_records
def list_tariffs(settings: Settings) -> None:
    """The tariffs that hold, with their versions."""
    from jieneng.commands.tables import row, show, table

    made = table("tariff", "name", "medium", "unit", "region", "from", "to", "confidence", "source")
    for kept in asyncio.run(_kept(settings)):
        t = kept.tariff
        for i, v in enumerate(t.versions):
            head = (t.id, t.name.zh, t.medium, t.unit, t.region) if i == 0 else (None,) * 5
            row(made, *head, v.valid_from, v.valid_to, v.confidence, v.source)
    show(made)


async def _kept(settings: Settings) -> Any:
    from jieneng.records import kept_tariffs

    async with kept_tariffs(settings) as tariffs:
        return await tariffs.kept()


@command.command("show")
@click.argument("tariff_id", metavar="ID")
@options.of_records
def show_tariff(tariff_id: str, settings: Settings) -> None:
    """The tariff ID as a tariff file, to be changed and imported again.

    \b
        jieneng tariffs show example-tou > tou.yaml
    """
    kept = asyncio.run(_one(tariff_id, settings))
    click.echo(kept.document, nl=False)
    why = f", {kept.why}" if kept.why else ""
    from jieneng.commands.tables import local

    click.echo(f"entered {local(kept.entered_at_ms)} by {kept.who}{why}", err=True)


async def _one(tariff_id: str, settings: Settings) -> Any:
    from jieneng.records import kept_tariffs

    async with kept_tariffs(settings) as tariffs:
        return await tariffs.one(tariff_id)
