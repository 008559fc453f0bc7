"""`jieneng ledger`."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import click

from jieneng.commands import options


@click.group()
def command() -> None:
    """The ledger: consumption by hour, made from readings and events."""


@command.command()
@options.chosen(options.config, options.data, options.records, options.store)
def rebuild(**given: Any) -> None:
    """Make the whole ledger anew from readings, events and tariffs. The gateway must not be running.

    It is never needed for the figures to be right: what changes is worked in by itself. It shows that they are.
    """
    asyncio.run(_build(given, anew=True))


@command.command()
@options.chosen(options.config, options.data, options.records, options.store)
def build(**given: Any) -> None:
    """Work in what is new: readings, events, tariffs. The gateway must not be running; it does so by itself."""
    asyncio.run(_build(given, anew=False))


async def _build(given: dict[str, Any], *, anew: bool) -> None:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from jieneng.books import open_books
    from jieneng.settings import load_settings

    began = time.perf_counter()
    async with open_books(load_settings(given.pop("config"), **given)) as books:
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
        with Progress(*columns, transient=True) as progress:
            task = progress.add_task("making the ledger", total=1.0)

            def tell(share: float) -> None:
                progress.update(task, completed=share)

            built = await (books.builder.rebuild(tell) if anew else books.catch_up(tell))
    seconds = time.perf_counter() - began
    click.echo(
        f"{built.points} counters made from {built.readings:,} readings in {seconds:.1f} s; "
        f"{built.rows:,} hours are different now"
    )
