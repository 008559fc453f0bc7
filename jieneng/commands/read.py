"""`jieneng read`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click


@click.command()
@click.option("--profile", required=True, help="Id of a shipped profile, such as eastron/sdm630, or a .yaml file.")
@click.option(
    "--line", required=True, help="tcp://HOST[:PORT], rtu+tcp://HOST:PORT or serial:/dev/DEVICE?baud=2400&parity=E."
)
@click.option("--unit", type=click.IntRange(0, 255), default=1, show_default=True, help="Unit id of the meter.")
@click.option("--address", help="The digits on a meter of DL/T 645 (12) or CJ/T 188 (14), instead of a unit.")
@click.option("--quantity", "quantities", multiple=True, help="Read only this quantity; may be repeated.")
@click.option("--ct", type=float, default=1.0, show_default=True, help="Ratio of the current transformers.")
@click.option("--pt", type=float, default=1.0, show_default=True, help="Ratio of the voltage transformers.")
@click.option("--timeout", type=float, default=1.0, show_default=True, help="Seconds that an answer may take.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(profile: str, line: str, unit: int, as_json: bool, **given: Any) -> None:
    """Read one meter once, and print its readings and the requests that were made.

    \b
        jieneng read --profile eastron/sdm630 --line tcp://192.0.2.7:502 --unit 3
        jieneng read --profile dlt645/three-phase --line "rtu+tcp://192.0.2.8:4001?baud=2400&parity=E" \\
            --address 000123456789

    Exit code 1 if any request failed.
    """
    import msgspec

    from adapters.clocks import SystemClock
    from jieneng.reading import read_meter

    answer = asyncio.run(read_meter(profile, line, unit, SystemClock(), **given))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer)))
    else:
        _print(answer)
    if any(request.error for request in answer.requests):
        sys.exit(1)


def _print(answer: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    called = f"unit {answer.unit}" if answer.address is None else f"meter {answer.address}"
    console = Console(width=max(110, Console().width))
    readings = Table(title=f"{answer.profile} · {answer.line} · {called}", title_justify="left")
    for column in ("quantity", "value", "unit", "quality", "taken at (UTC)"):
        readings.add_column(column, justify="right" if column == "value" else "left", no_wrap=True)
    for reading in answer.readings:
        value = "" if reading.value is None else f"{reading.value:.10g}"
        quality = reading.quality + (f": {reading.reason}" if reading.reason else "")
        readings.add_row(reading.quantity, value, reading.unit, quality, reading.taken_at)
    console.print(readings)
    for request in answer.requests:
        outcome = request.error or f"{request.took_ms:.1f} ms"
        digits = {"item": "08X", "record": "04X"}.get(request.table, "d")
        asked = f"{request.address:{digits}}"
        console.print(f"{request.table} {asked}+{request.count}: {outcome}", highlight=False)
