"""`jieneng events`."""

from __future__ import annotations

import asyncio
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings

_SHOWN = 20
who = click.option("--who", default=getpass.getuser, help="Who says so. [the user of this session]")


@click.group()
def command() -> None:
    """What happened to meters: exchanges, removals, faults, readings by hand. See docs/events.md.

    Events can be entered while a gateway runs.
    """


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@who
@click.option("--why", default="", help="Why, or where from: a work order, a letter.")
@click.option("--again", is_flag=True, help="Take events again that were withdrawn before.")
@options.of_records
def import_file(file: Path, who: str, why: str, again: bool, settings: Settings) -> None:
    """Enter the events of a CSV or Excel FILE; where a row is wrong, none of it. Entering a file again adds nothing.

    \b
        meter,kind,at,final_register,initial_register,note
        main,exchanged,2026-03-02T10:30:00+08:00,184260.0,0,new meter

    Exit code 1 if an event says otherwise than the one that is kept; the others are entered.
    """
    from adapters.event_files import read_events

    events = read_events(file)
    sys.exit(asyncio.run(_import(events, who, why, again, settings)))


async def _import(events: Any, who: str, why: str, again: bool, settings: Settings) -> int:
    from jieneng.records import kept_lives, unknown_meters

    async with kept_lives(settings) as (lives, sites):
        added = await lives.add(events, who, why, again=again)
        unknown = await unknown_meters(sites, [event.meter for event in events])
    click.echo(f"{len(added.ids)} added, {added.known} were there already")
    if added.withdrawn:
        click.echo(f"{len(added.withdrawn)} were withdrawn before and not added; --again adds them anew")
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        click.echo(f"not in the records of any site: {', '.join(unknown[:_SHOWN])}{more}; is the name right?")
    for one in added.contradicting:
        click.echo(f"not added: {_told(one.event)}; {_other(one.kept)}", err=True)
    return 1 if added.contradicting else 0


def _other(kept: Any) -> str:
    """Where the contradiction stands, and what can be done."""
    if kept.id == 0:
        return f"the same file says {_told(kept.event)}"
    return f"event {kept.id} says {_told(kept.event)}: withdraw it first, if it is wrong"


@command.command("list")
@click.argument("meter", required=False)
@click.option("--withdrawn", is_flag=True, help="Those that hold no longer, too.")
@options.of_records
def list_events(meter: str | None, withdrawn: bool, settings: Settings) -> None:
    """What happened to a METER, or to all."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for column in ("id", "meter", "kind", "at", "what", "note", "who", "why"):
        table.add_column(column, overflow="fold")
    for kept in asyncio.run(_events(meter, withdrawn, settings)):
        event = kept.event
        gone = f"withdrawn by {kept.withdrawn_by}: {kept.withdrawn_why}" if kept.withdrawn_at_ms is not None else ""
        cells = (str(kept.id), event.meter, str(event.kind), _local(event.at_ms), _details(event), event.note, kept.who)
        table.add_row(*(escape(cell) for cell in cells), escape("; ".join(part for part in (kept.why, gone) if part)))
    Console(width=max(140, Console().width)).print(table)


async def _events(meter: str | None, withdrawn: bool, settings: Settings) -> Any:
    from jieneng.records import kept_lives

    async with kept_lives(settings) as (lives, _):
        return await lives.events(None if meter is None else [meter], withdrawn=withdrawn)


@command.command("withdraw")
@click.argument("event_id", metavar="ID", type=int)
@who
@click.option("--why", required=True, help="What is wrong with it.")
@options.of_records
def withdraw(event_id: int, who: str, why: str, settings: Settings) -> None:
    """Let the event ID hold no longer; it is kept, with who withdrew it and why. `jieneng events list` shows the ids.

    \b
        jieneng events withdraw 17 --why "registers of the wrong meter"
    """
    kept = asyncio.run(_withdraw(event_id, who, why, settings))
    click.echo(f"withdrawn: {_told(kept.event)}")


async def _withdraw(event_id: int, who: str, why: str, settings: Settings) -> Any:
    from jieneng.records import kept_lives

    async with kept_lives(settings) as (lives, _):
        return await lives.withdraw(event_id, who, why)


def _told(event: Any) -> str:
    details = _details(event)
    return f"{event.meter} {event.kind} at {_local(event.at_ms)}" + (f" ({details})" if details else "")


def _details(event: Any) -> str:
    until = None if event.until_ms is None else _local(event.until_ms)
    given = [("until", until)]
    names = ("quantity", "final_register", "initial_register", "ratio", "place", "address")
    given += [(name, getattr(event, name)) for name in names]
    return ", ".join(f"{name} {value}" for name, value in given if value is not None)


def _local(ms: int) -> str:
    from energy.readings import from_ms

    return from_ms(ms).astimezone().isoformat(sep=" ", timespec="seconds")
