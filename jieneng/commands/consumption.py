"""`jieneng consumption`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options


@click.command()
@click.argument("point")
@click.option("--from", "start", type=options.INSTANT, required=True, help="Beginning, ISO 8601 with an offset.")
@click.option("--to", "end", type=options.INSTANT, required=True, help="End, ISO 8601 with an offset; not included.")
@click.option("--by", type=click.Choice(["hour", "day", "week", "month", "year"]), default="day", show_default=True)
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="Zone in which days and months begin.")
@click.option("--events", type=click.Path(path_type=Path, exists=True), help="CSV file of the meter's exchanges.")
@click.option(
    "--limit", "limit_per_h", type=float, help="The most that can flow in an hour. [learnt from the readings]"
)
@click.option("--modulus", type=float, help="The total at which the register restarts from zero.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.data
@options.store
def command(point: str, start: datetime, end: datetime, as_json: bool, **given: Any) -> None:
    """What flowed through a counter: POINT is METER:QUANTITY. Works on a store whose gateway is not running.

    A register that falls, or rises beyond what the meter can carry, is not booked: it is disputed until an event
    explains it. The events file has the columns meter,kind,at,final_register,initial_register,note:

    \b
        meter,kind,at,final_register,initial_register,note
        main,exchanged,2026-03-02T10:30:00+08:00,184260.0,0,new meter

    \b
        jieneng consumption main:active_energy_import --from 2026-01-01T00:00:00+08:00 --to 2027-01-01T00:00:00+08:00
    """
    import msgspec

    answer = asyncio.run(_ask(point, start, end, **given))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer)))
    else:
        _print(answer)


async def _ask(point: str, start: datetime, end: datetime, **given: Any) -> Any:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from adapters.stores import open_store
    from energy.periods import Span
    from energy.readings import Point
    from jieneng.consumption import Asked, consumption, read_exchanges
    from jieneng.settings import load_settings

    parsed = Point.parse(point)
    if not start < end:
        raise click.UsageError(f"--from {start.isoformat()} must be before --to {end.isoformat()}")
    try:
        zone = ZoneInfo(given["zone"])
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.UsageError(f"--zone {given['zone']}: no such zone; write one such as Asia/Shanghai") from error
    exchanges = read_exchanges(given["events"], parsed.meter) if given["events"] else []
    asked = Asked(parsed, start, end, Span(given["by"]), zone, exchanges, given["limit_per_h"], given["modulus"])
    settings = load_settings(None, data=given["data"], store=given["store"])
    async with open_store(settings.store_address) as store:
        return await consumption(store, asked)


def _print(answer: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(110, Console().width))
    table = Table(title=f"{answer.point} [{answer.unit}] by {answer.by}".replace("[", "\\["), title_justify="left")
    for column in ("from", answer.unit, "measured", "estimated", "disputed", "missing"):
        table.add_column(column, justify="left" if column == "from" else "right", no_wrap=True)
    for period in [*answer.periods, answer.total]:
        shares = period.shares
        if period is answer.total:
            table.add_section()
        table.add_row(
            "total" if period is answer.total else period.from_,
            "unknown" if period.value is None else f"{period.value:,.3f}",
            *(
                f"{share:.1%}" if share else ""
                for share in (shares.measured, shares.estimated, shares.disputed, shares.missing)
            ),
        )
    console.print(table)
    for at in answer.strayed:
        console.print(f"read wrong, does not count: {at}", highlight=False)
