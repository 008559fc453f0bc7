"""`jieneng read`."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from jieneng.commands import options


@click.command()
@click.argument("what", metavar="METER|LINE", required=False)
@click.option("--site", type=click.Path(path_type=Path), help="Site file, where a METER is named.")
@click.option("--profile", help="Id of a shipped profile, such as eastron/sdm630, or a .yaml file.")
@click.option("--line", help="tcp://HOST[:PORT], rtu+tcp://HOST:PORT or serial:/dev/DEVICE?baud=2400&parity=E.")
@click.option("--unit", type=click.IntRange(0, 255), default=1, show_default=True, help="Unit id of the meter.")
@click.option("--address", help="The digits on a meter of DL/T 645 (12) or CJ/T 188 (14), instead of a unit.")
@click.option("--quantity", "quantities", multiple=True, help="Read only this quantity; may be repeated.")
@click.option("--ct", type=float, default=1.0, show_default=True, help="Ratio of the current transformers.")
@click.option("--pt", type=float, default=1.0, show_default=True, help="Ratio of the voltage transformers.")
@click.option("--timeout", type=float, default=1.0, show_default=True, help="Seconds that an answer may take.")
@click.option("--raw", is_flag=True, help="Print the registers as they travelled, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(context: click.Context, /, what: str | None, site: Path | None, as_json: bool, **given: Any) -> None:
    """Read one meter once, and print its readings and the requests that were made.

    \b
        jieneng read tcp://192.0.2.7:502 --profile eastron/sdm630 --unit 3
        jieneng read "rtu+tcp://192.0.2.8:4001?baud=2400&parity=E" --profile dlt645/three-phase \\
            --address 000123456789
        jieneng read office-main --site config/site.yaml --raw

    A meter of a site file is read as it is installed there: its line, its ratios. Ctrl-C ends it; what was read until
    then is printed. Exit code 1 if any request failed, 130 if it was stopped.
    """
    import msgspec

    from jieneng.commands.import_readings import Bar

    with Bar() as bar:
        so_far = _SoFar(bar)
        options.run_until_signalled(_work(context, what, site, {**given, "told": so_far.told}))
    answer = so_far.answer
    if answer is not None and as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer)))
    elif answer is not None:
        _print(answer)
    if so_far.share < 1:
        click.echo("stopped before all was read", err=True)
        sys.exit(_STOPPED)
    if answer is not None and any(request.error for request in answer.requests):
        sys.exit(1)


class _SoFar:
    """What was read so far: all that is left where somebody stops it."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self.answer: Any = None
        self.share = 0.0

    def told(self, answer: Any, share: float) -> None:
        self.answer, self.share = answer, share
        self._bar.at("read", share)


_STOPPED = 130
_OF_THE_SITE = ("profile", "line", "unit", "address", "ct", "pt", "timeout")


def _work(
    context: click.Context, what: str | None, site: Path | None, given: dict[str, Any]
) -> Coroutine[Any, Any, Any]:
    """What is to be done: a meter of a site file, or one on a line."""
    from adapters.clocks import SystemClock
    from jieneng.reading import read_installed, read_meter

    clock = SystemClock()
    if site is not None:
        told = [key for key in _OF_THE_SITE if context.get_parameter_source(key) is ParameterSource.COMMANDLINE]
        if what is None or told:
            words = f"--{', --'.join(told)} stand in the site file" if told else "name the METER of the site file"
            raise click.UsageError(words)
        chosen = {key: given[key] for key in ("quantities", "raw", "told")}
        return read_installed(site, what, clock, **chosen)
    line, profile = given.pop("line") or what, given.pop("profile")
    if line is None or profile is None or (what is not None and what != line):
        raise click.UsageError("give a LINE and its --profile, or a METER and its --site")
    return read_meter(profile, line, given.pop("unit"), clock, **given)


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
        if request.raw is not None:
            console.print(f"  {request.raw}", highlight=False, soft_wrap=True)
