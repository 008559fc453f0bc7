"""`jieneng mappings`."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from adapters.wire import MeterReadings
    from energy.sites import Meter
    from gateway.ingest.judge import Judged


@click.group()
def command() -> None:
    """Mapping files: how readings that other people's gateways publish are understood."""


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.site
def check(files: tuple[Path, ...], site: Path | None) -> None:
    """Check files: all that is wrong at once, each with its line. A folder is checked as a gateway would read it.

    With --site, meters must be of that site. Exit code 1 if any is wrong.
    """
    from adapters.mapping_files import read_mapping, read_mappings
    from energy.errors import ConfigurationError
    from jieneng.composition import load_installed

    meters = None if site is None else {meter.id for meter in load_installed(site).site.meters}
    wrong = False
    for path in files:
        try:
            found = read_mappings(path, meters) if path.is_dir() else [read_mapping(path, meters)]
        except ConfigurationError as error:
            wrong = True
            click.echo("\n".join(error.faults))
            continue
        for one in found:
            topics = ", ".join(pattern.subscription for pattern in one.patterns)
            click.echo(f"{one.path}: {one.id}: {len(one.words.quantities)} names; takes {topics}")
    sys.exit(1 if wrong else 0)


@command.command("try")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--topic", required=True, help="Topic of the message, as its gateway publishes it.")
@click.argument("payloads", metavar="PAYLOAD...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.site
@click.option("--at", type=options.INSTANT, help="When the message comes. [now]")
def try_mapping(file: Path, topic: str, payloads: tuple[Path, ...], site: Path | None, at: datetime | None) -> None:
    """Print what of messages would be stored, and what refused; nothing is stored.

    PAYLOAD are files with what was published, in this order. Meters are those of --site; without it, whichever the
    messages name. Exit code 1 if nothing would be stored.
    """
    from adapters.mapping_files import read_mapping
    from energy.errors import ConfigurationError
    from energy.ports import Message
    from energy.readings import to_ms
    from gateway.foreign.service import Foreign
    from gateway.ingest.judge import Judge
    from jieneng.composition import load_installed

    mapping = read_mapping(file)
    now_ms = to_ms(at or datetime.now(UTC))
    stored = 0
    scout = Foreign([mapping])
    imagined: dict[str, Meter] = {}
    judge = Judge(load_installed(site).site.meters if site is not None else (), foreign=Foreign([mapping]))
    for path in payloads:
        try:
            message = Message(topic, path.read_bytes())
        except OSError as error:
            raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from error
        if site is None:
            taken = scout.take(message, now_ms)
            imagined |= {meter.id: meter for meter in _imagined(taken.readings if taken is not None else [])}
            judge.take(imagined.values())
        judged = judge.judge([message], now_ms)
        stored += len(judged.columns)
        _print(judged)
    sys.exit(0 if stored else 1)


def _imagined(readings: list[MeterReadings]) -> list[Meter]:
    """Meters of the names that came."""
    from energy.names import ID_PATTERN
    from energy.quantities import Medium
    from energy.sites import Meter, Text

    known = sorted({r.meter for r in readings if re.fullmatch(ID_PATTERN, r.meter)})
    return [Meter(name, Text(name, name), Medium.ELECTRICITY) for name in known]


def _print(judged: Judged) -> None:
    from energy.quantities import quantity
    from energy.readings import Quality, Reason, from_ms

    columns = judged.columns
    for i in range(len(columns)):
        point = columns.points[columns.index[i]]
        quality, reason = Quality(int(columns.quality[i])), Reason.of(int(columns.reason[i]))
        told = f"  {quality.word}: {reason.value}" if quality is not Quality.GOOD else ""
        at = from_ms(int(columns.taken_at_ms[i])).isoformat(timespec="milliseconds")
        value = float(columns.value[i])
        shown = "–" if value != value else repr(value)
        click.echo(f"stored   {point}  {shown} {quantity(point.quantity).unit}  {at}{told}")
    for refusal in judged.refusals:
        where = ":".join(part for part in (refusal.meter, refusal.quantity) if part)
        click.echo(f"refused  {where or '(all)'}  {refusal.reason}: {refusal.detail}")
    for sender, state in judged.states:
        silent = [meter for meter, found in state.meters.items() if found.state == "silent"]
        click.echo(f"told     {sender} is {state.state}" + (f"; silent: {', '.join(silent)}" if silent else ""))
    for topic, _ in judged.commands:
        click.echo(f"asked    {topic}: a birth certificate")
