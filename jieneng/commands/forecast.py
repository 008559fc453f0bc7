"""`jieneng forecast`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--readings", "files", multiple=True, required=True, type=_FILE, help="CSV or Parquet, as for import.")
@click.option("--weather", type=_FILE, help="A file of readings of air_temperature, for forecasts of a year.")
@click.option("--as-of", "as_of", required=True, help="An instant with an offset; nothing after it is used.")
@click.option("--period", type=click.Choice(["month", "year"]), default="month", show_default=True)
@click.option("--quota", "quotas", multiple=True, metavar="METER=AMOUNT", help="What a meter may use in the period.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="Whose days and months.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    files: tuple[Path, ...],
    weather: Path | None,
    as_of: str,
    period: str,
    quotas: tuple[str, ...],
    zone: str,
    as_json: bool,
) -> None:
    """Tell what each meter will have used by the end of the month or year, and how surely.

    \b
        jieneng forecast --readings 2026.csv --as-of 2026-03-10T08:00+08:00 --period year --quota main=87600 --json

    Whole local days before that instant are used, and nothing after it. Where too little is known, that is said in
    place of a number. How it is foretold, and how well: docs/quotas.md.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    import msgspec

    from analytics.quotas.intervals import Horizon
    from jieneng.forecasting import Question, forecasts

    try:
        asked = Question(files, weather, _instant(as_of), Horizon(period), ZoneInfo(zone), dict(map(_quota, quotas)))
    except ZoneInfoNotFoundError:
        raise click.BadParameter(f"{zone!r} is no time zone, such as Asia/Shanghai", param_hint="--zone") from None
    found = asyncio.run(forecasts(asked))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        _show(found)


def _instant(text: str) -> datetime:
    try:
        made = datetime.fromisoformat(text)
        if made.tzinfo is not None:
            return made
    except ValueError:
        pass
    hint = "must be ISO 8601 with an offset, such as 2026-03-10T08:00+08:00"
    raise click.BadParameter(f"{text!r} {hint}", param_hint="--as-of")


def _quota(text: str) -> tuple[str, float]:
    meter, _, amount = text.partition("=")
    try:
        if meter and float(amount) > 0:
            return meter, float(amount)
    except ValueError:
        pass
    raise click.BadParameter(f"{text!r} must be METER=AMOUNT, such as main=87600", param_hint="--quota")


def _show(found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    numbers = ("used", "expected", "least", "most", "quota", "chance")
    made = table("meter", "unit", *numbers, "by", numbers=numbers, title=f"{found.from_} to {found.to}")
    for one in found.meters:
        told = [None if n is None else f"{n:,.1f}" for n in (one.used, one.expected, one.least, one.most, one.quota)]
        chance = None if one.chance is None else f"{one.chance:.0%}"
        row(made, one.meter, one.unit, *told, chance, one.reason or one.method)
    show(made)
