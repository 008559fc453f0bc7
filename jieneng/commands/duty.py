"""`jieneng duty`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from gateway.duty.service import Duty
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """Who is on duty: bring a roster into the records, see what is there. See docs/alarms.md."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@options.channels
@options.of_records
def import_file(file: Path, who: str, why: str, channels: Path | None, settings: Settings) -> None:
    """Let the roster of FILE hold from now on: persons and shifts (.yaml), or the shifts alone (.csv, .xlsx).

    \b
        jieneng duty import config/duty.yaml
        jieneng duty import shifts-2026-04.xlsx --why "April"
    """
    sheet = file.suffix.lower() in (".csv", ".xlsx")
    document = None if sheet else file.read_text(encoding="utf-8")
    asyncio.run(_import(file, document, who, why, channels, settings))


async def _import(
    file: Path, document: str | None, who: str, why: str, channels: Path | None, settings: Settings
) -> None:
    from adapters.channel_files import read_channels
    from adapters.duty_files import read_roster
    from jieneng.alerts import kept_alerts

    known = None if channels is None else read_channels(channels)
    async with kept_alerts(settings, known) as (alerts, site):
        if document is None:
            document = await _with_shifts(file, alerts.duty)
        else:
            read_roster(file, site.zone_info, None if known is None else known.ids)  # names the file in what is wrong
        changes = await alerts.duty.save(document, who, why)
        flaws = alerts.duty.flaws((await alerts.duty.roster()).roster)
    click.echo(f"{len(changes)} changes")
    for flaw in flaws:
        start, end = (one.astimezone(site.zone_info) for one in (flaw.start, flaw.end))
        click.echo(f"  {flaw.kind}: {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} {flaw.detail}".rstrip())


async def _with_shifts(file: Path, duty: Duty) -> str:
    """The roster that holds, with the shifts of a sheet instead of its own."""
    import yaml

    from adapters.duty_files import read_shifts
    from energy.errors import EnergyError

    kept = await duty.roster()
    if not kept.kept.number:
        raise EnergyError("there are no persons yet; bring in a roster with persons first (.yaml)")
    given = yaml.safe_load(kept.kept.document)
    given.pop("rota", None)
    given["shifts"] = read_shifts(file)
    return yaml.safe_dump(given, allow_unicode=True, sort_keys=False, width=120)


@command.command()
@options.of_records
def show(settings: Settings) -> None:
    """Say who is on duty now, and in the shifts to come."""
    asyncio.run(_show(settings))


async def _show(settings: Settings) -> None:
    from datetime import UTC, datetime

    from energy.duty import Post
    from gateway.duty.service import masked
    from jieneng.alerts import kept_alerts

    async with kept_alerts(settings) as (alerts, site):
        roster = (await alerts.duty.roster()).roster
    now = datetime.now(UTC)
    names = {p.id: p.name for p in roster.persons}
    for post in Post:
        person = roster.person(roster.on_duty(now, post) or "")
        ways = ", ".join(f"{r.channel} {masked(r.address)}" for r in person.reach) if person else ""
        click.echo(f"{post:8} {person.name if person else 'nobody'} {ways}".rstrip())
    for shift in [s for s in roster.shifts if s.end > now][:14]:
        who = ", ".join(f"{p} {names.get(roster.on_duty(shift.start, p) or '', '?')}" for p in shift.posts)
        click.echo(f"{shift.start.astimezone(site.zone_info):%Y-%m-%d %H:%M}  {who}")
