"""`jieneng findings`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """What does not look as it should: found by the gateway, decided by people. See docs/anomalies.md."""


@command.command("list")
@click.option("--state", type=click.Choice(["open", "ended", "confirmed", "dismissed", "gone"]), multiple=True)
@click.option("--meter", multiple=True, help="Of this meter only. Repeatable.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@options.of_records
def list_findings(state: tuple[str, ...], meter: tuple[str, ...], limit: int, settings: Settings) -> None:
    """List findings, the newest first."""
    lines = asyncio.run(_list(state, meter, limit, settings))
    click.echo("\n".join(lines) or "there are none")


async def _list(states: tuple[str, ...], meters: tuple[str, ...], limit: int, settings: Settings) -> list[str]:
    from gateway.findings.kept import State
    from jieneng.records import kept_findings

    async with kept_findings(settings) as sites:
        found = [
            kept
            for findings in sites
            for kept in await findings.found(meters=meters or None, states=[State(s) for s in states], limit=limit)
        ]
    return [_line(kept) for kept in sorted(found, key=lambda k: -k.finding.start_ms)[:limit]]


def _line(kept: Any) -> str:
    from energy.readings import from_ms
    from gateway.findings.causes import cause

    finding = kept.finding
    began = from_ms(finding.start_ms).isoformat(timespec="minutes")
    return f"{kept.id:>5}  {began}  {finding.point.meter:24} {finding.kind:9} {kept.state:9} {cause(finding).en}"


@command.command("decide")
@click.argument("finding_id", type=int)
@click.argument("state", type=click.Choice(["confirmed", "known", "wrong", "open"]))
@options.who
@options.why
@options.of_records
def decide(finding_id: int, state: str, who: str, why: str, settings: Settings) -> None:
    """Say of a finding that it is confirmed, known, wrong, or open again."""
    click.echo(asyncio.run(_decide(finding_id, state, who, why, settings)))


async def _decide(finding_id: int, said: str, who: str, why: str, settings: Settings) -> str:
    from energy.errors import UnknownName
    from gateway.findings.kept import Reason, State
    from jieneng.records import kept_findings

    reason = Reason(said) if said in tuple(Reason) else None
    state = State.DISMISSED if reason else State(said)
    async with kept_findings(settings) as sites:
        for findings in sites:
            try:
                return _line(await findings.decide(finding_id, state, who, why, reason))
            except UnknownName:
                continue
    raise UnknownName(f"finding {finding_id} is not known")
