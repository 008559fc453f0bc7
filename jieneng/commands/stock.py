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
    from jieneng.commands.entries import contradictions_told
    from jieneng.commands.tables import entries_told
    from jieneng.records import kept_stock, unknown_owners

    async with kept_stock(settings) as (stock, sites):
        added = await stock.add(moves, who, why, again=again)
        unknown = await unknown_owners(sites, [move.of for move in moves])
    click.echo("\n".join(entries_told(added)))
    if unknown:
        click.echo(f"not in the records of any site: {', '.join(unknown[:20])}; is the name right?")
    return contradictions_told(added, _told, "entry")


def _told(move: Any) -> str:
    return f"{move.of} {move.fuel} {move.kind} {move.day}: {move.quantity} {move.unit}"


@command.command("list")
@click.argument("of", required=False)
@click.option("--withdrawn", is_flag=True, help="Those that hold no longer, too.")
@options.of_records
def list_stock(of: str | None, withdrawn: bool, settings: Settings) -> None:
    """What was bought, counted and used; OF organisation/ID or place/ID, or of all."""
    from jieneng.commands.entries import entries, why_told
    from jieneng.commands.tables import row, show, table
    from jieneng.records import kept_stock

    columns = ("id", "of", "fuel", "kind", "at", "quantity", "unit", "yuan", "note", "who", "why")
    made = table(*columns, numbers=("quantity", "yuan"))
    found = entries(kept_stock(settings), None if of is None else [of], withdrawn, lambda m: (m.of, m.fuel, m.day))
    for kept in asyncio.run(found):
        m = kept.value
        row(made, kept.id, m.of, m.fuel, m.kind, m.day, m.quantity, m.unit, m.amount, m.note, kept.who, why_told(kept))
    show(made)


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
    from jieneng.commands.entries import withdrawn
    from jieneng.records import kept_stock

    kept = asyncio.run(withdrawn(kept_stock(settings), move_id, who, why))
    click.echo(f"withdrawn: {_told(kept.value)}")
