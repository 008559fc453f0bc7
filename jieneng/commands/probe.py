"""`jieneng probe`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options

_STOPPED = 130


def _units(context: click.Context, parameter: click.Parameter, value: str) -> list[int]:
    from collectors.simulators.bus.misbehaviour import numbers

    try:
        found = numbers(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}") from error
    assert isinstance(found, set)
    if not found <= set(range(1, 248)):
        raise click.BadParameter("units are 1..247")
    return sorted(found)


def _listed(*possible: str) -> Any:
    """A list with commas, each of it one of these."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
        given = [part.strip() for part in value.split(",")] if value else []
        if wrong := [part for part in given if part not in possible]:
            raise click.BadParameter(f"{', '.join(wrong)} is none of {', '.join(possible)}")
        return list(dict.fromkeys(given))

    return read


_BAUDS = ("300", "600", "1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("line")
@click.option("--units", default="1-32", show_default=True, callback=_units, help="Unit ids: 3, 1-32, 1-4+9.")
@click.option("--baud", "bauds", callback=_listed(*_BAUDS), help="Bauds to try.  [9600,2400,19200,4800,1200]")
@click.option("--parity", "parities", callback=_listed("N", "E", "O"), help="Parities to try.  [N,E]")
@click.option(
    "--protocol",
    "protocols",
    default="modbus,dlt645,cjt188",
    show_default=True,
    callback=_listed("modbus", "dlt645", "cjt188"),
    help="What to speak.",
)
@click.option("--profile", "own", multiple=True, help="Look for a profile of your own as well (.yaml); repeatable.")
@click.option("--timeout", type=click.FloatRange(0.05, 10), help="Seconds to wait.  [0.3; 1 on Modbus TCP]")
@click.option(
    "--pause", type=click.FloatRange(0, 10), default=0.02, show_default=True, help="Seconds between questions."
)
@click.option("--all-speeds", is_flag=True, help="Go on with the other speeds when somebody has answered.")
@click.option("--site", "site_file", type=_FILE, help="Write the site file that follows (YAML).")
@click.option("--record", "record_file", type=_FILE, help="Write every question and what came, to be played again.")
@click.option("--force", is_flag=True, help="Replace a --site or --record file that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(line: str, **given: Any) -> None:
    """Look which meters hang on LINE, what they are, and propose the site file. Nothing is ever written to a meter.

    \b
        jieneng probe serial:/dev/ttyUSB0 --units 1-32 --site site.yaml
        jieneng probe "serial:/dev/ttyUSB0?baud=2400&parity=E" --protocol dlt645,cjt188
        jieneng probe tcp://192.0.2.7 --units 1-8 --record town-hall.yaml

    Stop the edge first: a line has one master. Ctrl-C ends it; what was found until then is printed and written.

    Exit code 0 if meters were found and all was asked, 1 if nobody answered, 130 if it was stopped.
    """
    from adapters.clocks import SystemClock
    from collectors.commissioning.order import Asking
    from collectors.lines.address import TcpAddress
    from jieneng.commands.import_readings import Bar
    from jieneng.probing import Probed, addresses_tried, known_makes, longest, probe

    for path in (given["site_file"], given["record_file"]):
        if path is not None and path.exists() and not given["force"]:
            raise click.UsageError(f"{path} is there already; --force replaces it")
    clock = SystemClock()
    tried = addresses_tried(line, [int(baud) for baud in given["bauds"]], given["parities"])
    # A gateway waits for the meters behind it itself, and says only then that there is none.
    timeout_s = given["timeout"] or (1.0 if isinstance(tried[0], TcpAddress) else 0.3)
    asking = Asking(given["units"], tuple(given["protocols"]), timeout_s, given["pause"])
    makes = known_makes(given["own"])
    probed = Probed(tried[0], clock.now())
    seconds = longest(asking, tried)
    asked = f"speeds to try: {len(tried)}; unit ids: {len(asking.units)}"
    click.echo(f"{asked}; about {_spoken(seconds)} if nobody answers, more for each meter to look at", err=True)
    try:
        with Bar() as bar:
            told = _One(bar).told
            work = probe(probed, tried, asking, makes, clock, told, all_speeds=given["all_speeds"])
            options.run_until_signalled(work)
    finally:
        # Whatever ended it, what was found is not lost.
        if probed.exchanges:
            _write(probed, given["site_file"], given["record_file"])
            _print(probed, as_json=given["as_json"])
    if not probed.complete:
        click.echo("stopped before all was asked", err=True)
        sys.exit(_STOPPED)
    if not probed.found.meters:
        sys.exit(1)


class _One:
    """All of a probe as one bar."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def told(self, what: str, share: float) -> None:
        self._bar.at("probe", share, what)


def _spoken(seconds: float) -> str:
    return f"{max(1.0, seconds):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _write(probed: Any, site_file: Path | None, record_file: Path | None) -> None:
    from collectors.exchanges import write_exchanges
    from energy.errors import EnergyError
    from jieneng.proposing import site_proposal

    if record_file is not None:
        write_exchanges(record_file, probed.exchanges, probed.recorded_at)
        click.echo(f"{len(probed.exchanges)} exchanges are in {record_file}", err=True)
    if site_file is not None and not probed.found.meters:
        click.echo(f"nobody answered: {site_file} is not written", err=True)
    elif site_file is not None:
        try:
            site_file.write_text(site_proposal(probed), encoding="utf-8")
        except OSError as error:
            raise EnergyError(f"{site_file}: cannot be written: {error.strerror}") from error
        click.echo(f"the proposal is in {site_file}", err=True)


def _print(probed: Any, *, as_json: bool) -> None:
    from jieneng.proposing import explained

    meters, notes = probed.found.meters, probed.found.notes
    if as_json:
        import msgspec

        told = {
            "complete": probed.complete,
            "meters": [
                {
                    "line": m.line,
                    "protocol": m.protocol,
                    "unit": m.unit,
                    "address": m.address,
                    "verdict": m.verdict,
                    "profiles": [{"id": f.make.id, "score": f.score, "why": f.sentence} for f in m.likely],
                    "identification": m.identification,
                    "proof": m.proof,
                    "explained": explained(m),
                }
                for m in meters
            ],
            "notes": notes,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(told)))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(110, Console().width), highlight=False)
    table = Table(title=f"{len(meters)} found", title_justify="left")
    for column in ("line", "meter", "make", "evidence", "why"):
        table.add_column(column, no_wrap=column == "meter", overflow="fold")
    for m in meters:
        makes = "\n".join(f.make.id for f in m.likely) or m.verdict
        score = "\n".join(f"{f.score:.1f}" for f in m.likely)
        said = "".join(f"{name} {text}; " for name, text in m.identification.items())
        table.add_row(m.line, m.station, makes, score, said + explained(m) + (f"; {m.note}" if m.note else ""))
    if meters:
        console.print(table, markup=False)
    else:
        console.print("nobody answered", markup=False)
    for note in notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)
