"""`jieneng alerts`."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """Rules of alarms, alarms, and the channels by which people are told. See docs/alarms.md."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.of_records
def check(file: Path, settings: Settings) -> None:
    """Say what is wrong with a file of rules, line by line; nothing is changed.

    Points and places are looked up in the site of the records, where there is one.
    """
    sys.exit(asyncio.run(_check(file, file.read_text(encoding="utf-8"), settings)))


async def _check(file: Path, document: str, settings: Settings) -> int:
    from analytics.alarms.rule_file import read_rules
    from jieneng.alerts import kept_alerts

    if not settings.has_records:
        book = read_rules(file)
        click.echo(f"{file}: {len(book.rules)} rules; there are no records yet to look points up in")
        return 0
    async with kept_alerts(settings) as (alerts, site):
        book = read_rules(file, site if site.meters else None)
        changes = await alerts.rules.differences(document)
    click.echo(f"{file}: {len(book.rules)} rules, all right; {len(changes)} differ from those that hold")
    for change in changes:
        click.echo(f"  {'new' if change.before is None else 'gone' if change.after is None else 'other'} {change.key}")
    return 0


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@options.of_records
def import_file(file: Path, who: str, why: str, settings: Settings) -> None:
    """Let the rules of FILE hold from now on, instead of all that held before.

    \b
        jieneng alerts import config/alerts.yaml --why "limits agreed on 2026-03-02"
    """
    asyncio.run(_import(file, file.read_text(encoding="utf-8"), who, why, settings))


async def _import(file: Path, document: str, who: str, why: str, settings: Settings) -> None:
    from analytics.alarms.rule_file import read_rules
    from jieneng.alerts import kept_alerts

    async with kept_alerts(settings) as (alerts, site):
        read_rules(file, site if site.meters else None)  # names the file in what is wrong
        changes = await alerts.rules.save(document, who, why)
    click.echo(f"{len(changes)} changes; a running gateway takes them over within seconds")


@command.command("list")
@click.option("--all", "closed", is_flag=True, help="Closed ones too.")
@options.of_records
def list_alarms(closed: bool, settings: Settings) -> None:
    """List the alarms, newest first."""
    asyncio.run(_list(closed, settings))


async def _list(closed: bool, settings: Settings) -> None:
    from energy.readings import from_ms
    from jieneng.alerts import kept_alerts

    async with kept_alerts(settings) as (alerts, site):
        found = await alerts.alarms.alarms(open_only=not closed)
    for alarm in found:
        since: datetime = from_ms(alarm.raised.crossed_ms).astimezone(site.zone_info)
        by = f" by {alarm.acknowledged_by}" if alarm.acknowledged_by else ""
        state = f"{alarm.life.level} {alarm.life.state}{by}"
        click.echo(f"{alarm.id:6} {since:%Y-%m-%d %H:%M} {state:32} {alarm.raised.title.zh}")
    if not found:
        click.echo("no alarms" if closed else "no open alarms")


@command.command("test")
@click.argument("channel")
@click.argument("address")
@options.channels
@options.config
def test_channel(channel: str, address: str, channels: Path | None, config: Path | None) -> None:
    """Send a message by CHANNEL to ADDRESS, and say what the channel answered.

    \b
        jieneng alerts test duty-robot 13800000000 --channels config/channels.yaml
    """
    sys.exit(asyncio.run(_test(channel, address, channels, config)))


async def _test(channel: str, address: str, file: Path | None, config: Path | None) -> int:
    from adapters.channel_files import open_channels
    from energy.errors import EnergyError
    from energy.notices import Notice, Outcome
    from jieneng.alerts import alarm_channels
    from jieneng.settings import load_settings

    settings = load_settings(config, channels=file)
    async with open_channels(alarm_channels(settings)) as opened:
        if channel not in opened:
            raise EnergyError(f"there is no channel {channel!r}; there are {', '.join(opened) or 'none'}")
        text = "这是一条测试消息，收到即表示通道可用。 This is a test."
        receipt = await opened[channel].send(Notice("jieneng-test", address, "【测试】节能平台告警通道", text))
    click.echo(f"{receipt.outcome}: {receipt.answer}")
    return 0 if receipt.outcome is Outcome.SENT else 1
