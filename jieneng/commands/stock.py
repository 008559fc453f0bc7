"""`jieneng stock`."""

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
    """Fuels that are bought and kept: petrol, diesel, coal, bottled gas. See docs/billing.md."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@click.option("--again", is_flag=True, help="Take rows again that were withdrawn before.")
@options.of_records
def import_file(file: Path, who: str, why: str, again: bool, settings: Settings) -> None:
    """Enter what a CSV or Excel FILE tells of stocks; where a row is wrong, none. Entering a file again adds nothing.

    \b
        of,fuel,kind,at,quantity,unit,amount,note
        organisation/bureau,diesel,purchase,2026-03-05,400,L,3020.00,receipt 118

    Exit code 1 if a count says otherwise than the one that is kept; the other rows are entered.
    """
    from adapters.stock_files import read_stock
    from gateway.stock.service import FUELS

    sys.exit(asyncio.run(_import(read_stock(file, FUELS), who, why, again, settings)))


async def _import(moves: Any, who: str, why: str, again: bool, settings: Settings) -> int:
    from jieneng.commands.tables import entries_told
    from jieneng.records import kept_stock, unknown_owners

    async with kept_stock(settings) as (stock, sites):
        added = await stock.add(moves, who, why, again=again)
        unknown = await unknown_owners(sites, [move.of for move in moves])
    click.echo("\n".join(entries_told(added)))
    if unknown:
        click.echo(f"not in the records of any site: {', '.join(unknown[:20])}; is the name right?")
    for one in added.contradicting:
        click.echo(f"not added: {_told(one.given)}; {_other(one.kept)}", err=True)
    return 1 if added.contradicting else 0


def _told(move: Any) -> str:
    return f"{move.of} {move.fuel} {move.kind} {move.day}: {move.quantity} {move.unit}"


def _other(kept: Any) -> str:
    if kept.id == 0:
        return f"the same file says {_told(kept.value)}"
    return f"entry {kept.id} says {_told(kept.value)}: withdraw it first, if it is wrong"


@command.command("list")
@click.argument("of", required=False)
@click.option("--withdrawn", is_flag=True, help="Those that hold no longer, too.")
@options.of_records
def list_stock(of: str | None, withdrawn: bool, settings: Settings) -> None:
    """What was bought, counted and used; OF organisation/ID or place/ID, or of all."""
    from jieneng.commands.tables import row, show, table

    columns = ("id", "of", "fuel", "kind", "at", "quantity", "unit", "yuan", "note", "who", "why")
    made = table(*columns, numbers=("quantity", "yuan"))
    for kept in asyncio.run(_entries(of, withdrawn, settings)):
        m = kept.value
        gone = f"withdrawn by {kept.withdrawn_by}: {kept.withdrawn_why}" if kept.withdrawn_at_ms is not None else ""
        why = "; ".join(part for part in (kept.why, gone) if part)
        row(made, kept.id, m.of, m.fuel, m.kind, m.day, m.quantity, m.unit, m.amount, m.note, kept.who, why)
    show(made)


async def _entries(of: str | None, withdrawn: bool, settings: Settings) -> Any:
    from jieneng.records import kept_stock

    async with kept_stock(settings) as (stock, _):
        found = await stock.entries(None if of is None else [of], withdrawn=withdrawn)
    return sorted(found, key=lambda kept: (kept.value.of, kept.value.fuel, kept.value.day, kept.id))


@command.command("withdraw")
@click.argument("move_id", metavar="ID", type=int)
@options.who
@click.option("--why", required=True, help="What is wrong with it.")
@options.of_records
def withdraw(move_id: int, who: str, why: str, settings: Settings) -> None:
    """Let the entry ID hold no longer; it is kept, with who withdrew it and why.

    \b
        jieneng stock withdraw 17 --why "counted in the wrong tank"
    """
    kept = asyncio.run(_withdraw(move_id, who, why, settings))
    click.echo(f"withdrawn: {_told(kept.value)}")


async def _withdraw(move_id: int, who: str, why: str, settings: Settings) -> Any:
    from jieneng.records import kept_stock

    async with kept_stock(settings) as (stock, _):
        return await stock.withdraw(move_id, who, why)
