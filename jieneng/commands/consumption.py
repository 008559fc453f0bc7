"""`jieneng consumption`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import click

from jieneng.commands import options


@click.command()
@click.argument("point")
@click.option("--from", "start", type=options.INSTANT, required=True, help="Beginning, ISO 8601 with an offset.")
@click.option("--to", "end", type=options.INSTANT, required=True, help="End, ISO 8601 with an offset; not included.")
@click.option("--by", type=click.Choice(["hour", "day", "week", "month", "year"]), default="day", show_default=True)
@click.option("--zone", help="Zone in which days and months begin. [the site's, else Asia/Shanghai]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; of a node a list, one for each medium.")
@options.chosen(options.config, options.data, options.records, options.store, options.listen, options.token_file)
def command(point: str, start: datetime, end: datetime, by: str, zone: str | None, as_json: bool, **given: Any) -> None:
    """What flowed through a counter: POINT is METER:QUANTITY, or a node such as place/ID or meter/ID.

    Out of the ledger, which is brought up to date first; of a running gateway it is asked through its API. A register
    that falls, or rises beyond what the meter can carry, is not booked: it is disputed until an event explains it (see
    `jieneng events`).

    \b
        jieneng consumption main:active_energy_import --from 2026-01-01T00:00:00+08:00 --to 2027-01-01T00:00:00+08:00
    """
    import msgspec

    found = asyncio.run(_ask(point, start, end, by, zone, **given))
    if as_json:
        one = found[0] if len(found) == 1 and "/" not in point else found
        click.echo(msgspec.json.format(msgspec.json.encode(one)))
        return
    for consumed in found:
        _print(consumed)


async def _ask(of: str, start: datetime, end: datetime, by: str, zone: str | None, **given: Any) -> Any:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from energy.periods import Span
    from jieneng.consumption import Question, consumption
    from jieneng.settings import load_settings

    if not start < end:
        raise click.UsageError(f"--from {start.isoformat()} must be before --to {end.isoformat()}")
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.UsageError(f"--zone {zone}: no such zone; write one such as Asia/Shanghai") from error
    return await consumption(load_settings(given.pop("config"), **given), Question(of, start, end, Span(by), zone))


def _print(consumed: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(110, Console().width))
    title = f"{consumed.point} {consumed.quantity if '/' in consumed.point else ''} [{consumed.unit}] by {consumed.by}"
    table = Table(title=title.replace("[", "\\["), title_justify="left")
    for column in ("from", consumed.unit, "yuan", "measured", "estimated", "manual", "disputed", "missing"):
        table.add_column(column, justify="left" if column == "from" else "right", no_wrap=True)
    for period in [*consumed.periods, consumed.total]:
        if period is consumed.total:
            table.add_section()
        table.add_row("total" if period is consumed.total else period.from_, *_cells(period))
    console.print(table)
    for at in consumed.strayed:
        console.print(f"read wrong, does not count: {at}", highlight=False)
    for doubt in consumed.doubts:
        console.print(f"{doubt.kind.replace('_', ' ')}: {doubt.meter}, {doubt.from_} to {doubt.to}", highlight=False)


def _cells(period: Any) -> list[str]:
    shares = period.shares
    return [
        "unknown" if period.value is None else f"{period.value:,.3f}",
        "" if period.cost is None else f"{float(period.cost):,.2f}",
        *(
            f"{share:.1%}" if share else ""
            for share in (shares.measured, shares.estimated, shares.manual, shares.disputed, shares.missing)
        ),
    ]
