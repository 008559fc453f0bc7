"""`jieneng migrate`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--from", "old", type=click.Path(path_type=Path), required=True, help="Settings file of today.")
@click.option("--to", "new", type=click.Path(path_type=Path), required=True, help="Settings file of tomorrow.")
def command(old: Path, new: Path) -> None:
    """Move readings, records and ledger to where other settings say they lie: from files to servers, and back.

    The gateway must not be running. What differs between the two settings files is moved: readings, which are read
    back and compared bit by bit; records, in one transaction; the ledger, which is made anew and whose totals are
    compared, and with it what has come from each edge, and the quarantine. The old stores stay as they are. Stopped or
    killed, it goes on where it was when it is called again.

    \b
        jieneng migrate --from config/gateway.yaml --to config/production.yaml
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from jieneng.moving import move
    from jieneng.settings import load_settings
    from jieneng.supervisor import sole_user

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    before, after = load_settings(old), load_settings(new)
    with sole_user(before.data), Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def tell(what: str, share: float) -> None:
            kind = what.partition(":")[0]
            if kind not in tasks:
                tasks[kind] = progress.add_task(kind, total=1.0)
            progress.update(tasks[kind], completed=share, description=what)

        result = asyncio.run(move(before, after, tell))
    if result.readings is not None:
        r = result.readings
        click.echo(f"{r.readings:,} readings of {r.points:,} points are in the new store, bit by bit the same")
    if result.records is not None:
        click.echo(f"{sum(result.records.values()):,} rows of {len(result.records)} tables are in the new records")
    if result.ledger_points is not None:
        click.echo(f"the ledger of {result.ledger_points:,} counters was made anew, and each comes to what it did")
    if result.outboxes is not None:
        click.echo(f"what has come of {result.outboxes:,} outboxes, and {result.refused:,} refusals, went along")
    click.echo(f"start the gateway with --config {new}; when all is well, the old stores can be deleted")
