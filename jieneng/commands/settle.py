"""`jieneng settle`."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from gateway.contracts.words import StatementAnswer
    from jieneng.settings import Settings

_of_data = options.chosen(
    options.config, options.data, options.records, options.store, options.listen, options.token_file
)
_DAY = click.DateTime(["%Y-%m-%d"])
_first = click.option("--from", "first", type=_DAY, required=True, help="The first day.")
_last = click.option("--to", "last", type=_DAY, required=True, help="The last day, included.")


@click.group()
def command() -> None:
    """Statements of contracts: draft, freeze, and reckon again from the file alone. See docs/contracts.md."""


@command.command()
@click.argument("contract")
@_first
@_last
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_of_data
def draft(contract: str, first: Any, last: Any, as_json: bool, **given: Any) -> None:
    """The statement of CONTRACT as it would be frozen now, and what stands in its way.

    \b
        jieneng settle draft lighting-2026 --from 2026-07-01 --to 2026-07-31
    """
    import msgspec

    from gateway.contracts.words import StatementAsked
    from jieneng.contracts import drafted
    from jieneng.settings import load_settings

    asked = StatementAsked(contract, *_days(first, last))
    found = asyncio.run(drafted(load_settings(given.pop("config"), **given), asked))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    _show(found)
    for objection in found.objections:
        click.echo(f"in its way: {objection}", err=True)
    sys.exit(1 if found.objections else 0)


@command.command()
@click.argument("contract")
@_first
@_last
@options.who
@options.why
@_of_data
def freeze(contract: str, first: Any, last: Any, who: str, why: str, **given: Any) -> None:
    """Keep the statement of CONTRACT for ever: what changes later is settled by reversing it.

    \b
        jieneng settle freeze lighting-2026 --from 2026-07-01 --to 2026-07-31
    """
    from gateway.contracts.words import NewStatement
    from jieneng.contracts import frozen
    from jieneng.settings import load_settings

    body = NewStatement(contract, *_days(first, last), who, why)
    found = asyncio.run(frozen(load_settings(given.pop("config"), **given), body))
    _show(found)
    click.echo(f"{found.number} is frozen: SHA-256 {found.sha256}")


@command.command()
@click.argument("contract")
@click.argument("clause")
@_first
@_last
@click.option("--model", type=click.Choice(["daily", "monthly", "agreed"]), default="daily", help="[daily]")
@click.option("--per-day", type=str, help="Of an agreed one: how much a day.")
@click.option("--leave-out", multiple=True, metavar="DAY=WHY", help="A day that both parties leave out, and why.")
@click.option("--freeze", "keep", is_flag=True, help="Freeze it as the next version: statements go by it from now on.")
@options.who
@options.why
@_of_data
def baseline(
    contract: str,
    clause: str,
    first: Any,
    last: Any,
    model: Any,
    per_day: str | None,
    leave_out: tuple[str, ...],
    keep: bool,
    who: str,
    why: str,
    **given: Any,
) -> None:
    """Fit a baseline of a CLAUSE to the ledger, see how well it fits, and freeze it.

    \b
        jieneng settle baseline lighting-2026 savings --from 2025-01-01 --to 2025-12-31
        jieneng settle baseline lighting-2026 savings --from 2025-01-01 --to 2025-12-31 --freeze --why "both signed"
    """
    from decimal import Decimal

    from gateway.contracts.words import BaselineAsked
    from jieneng.contracts import baseline as fitted
    from jieneng.settings import load_settings

    if keep and not why:
        raise click.UsageError("a frozen baseline says why: --why")
    out = {date.fromisoformat(day): reason or why for day, _, reason in (one.partition("=") for one in leave_out)}
    amount = None if per_day is None else Decimal(per_day)
    asked = BaselineAsked(contract, clause, *_days(first, last), model, amount, out)
    settings = load_settings(given.pop("config"), **given)
    found = asyncio.run(fitted(settings, asked, (who, why) if keep else None)).baseline
    for segment in found.segments:
        sides = f"heating {segment.heating} below {segment.heating_below}, cooling {segment.cooling} above"
        click.echo(f"{', '.join(segment.kinds)}: base {segment.base}, {sides} {segment.cooling_above}")
    if found.figures is not None:
        f = found.figures
        click.echo(f"R2 {f.r2}, CV(RMSE) {f.cv_rmse}, NMBE {f.nmbe}, n {f.n}, p {f.p}")
    for check in found.checks:
        click.echo(f"{'passed' if check.passed else 'NOT PASSED'}: {check.text.en}: {check.found} ({check.wanted})")
    click.echo(f"version {found.version}{' is frozen' if keep else ''}: SHA-256 {found.sha256}")


@command.command("list")
@options.of_records
def list_statements(settings: Settings) -> None:
    """The frozen statements of all contracts."""
    from jieneng.commands.tables import row, show, table
    from jieneng.contracts import listed

    made = table("contract", "number", "kind", "from", "to", "due", "state", "SHA-256", numbers=("due",))
    for kept, statements in asyncio.run(listed(settings)):
        for s in statements:
            days = s.first, s.end - timedelta(days=1)
            row(made, kept.contract.id, s.number, s.kind, *days, s.due, s.standing.state, s.sha256)
    show(made)


@command.command()
@click.argument("number")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.of_records
def export(number: str, file: Path, settings: Settings) -> None:
    """Write the frozen statement NUMBER into FILE, for the other party to verify."""
    from jieneng.contracts import file_of

    file.write_bytes(asyncio.run(file_of(settings, number)).encode())
    click.echo(f"{number} is in {file}")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--hash", "expected", help="The SHA-256 that is printed on the signed paper.")
def verify(file: Path, expected: str | None) -> None:
    """Reckon the statement in FILE again from its own inputs, offline, and say what differs.

    It needs no account, no data and no network. Exit status 0: every line comes out as it stands.

    \b
        jieneng settle verify HT-2026-018-001.json --hash 41ab...
    """
    from analytics.contracts.settlement import verify as reckoned_again

    found = reckoned_again(file.read_bytes())
    faults = list(found.faults)
    if expected is not None and expected.lower() != found.sha256:
        faults.append(f"its hash is {found.sha256}, not {expected}: it is another statement than the signed one")
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        click.echo(f"{found.number}: {len(faults)} faults", err=True)
        sys.exit(1)
    click.echo(f"{found.number}: {found.lines} lines reckoned again, {found.due} yuan due, all as it stands")
    click.echo(f"SHA-256 {found.sha256}")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--station", required=True, help="The station, as contracts name it.")
@options.who
@options.why
@options.of_records
def weather(file: Path, station: str, who: str, why: str, settings: Settings) -> None:
    """Keep the mean temperatures of FILE: a day and a number in each row, or instants of which the mean is taken.

    \b
        jieneng settle weather temperatures.csv --station 54511 --why "bulletin of 2026-07"
    """
    from jieneng.contracts import weather_brought

    count = asyncio.run(weather_brought(settings, station, file, who, why))
    click.echo(f"{count} days are new or other")


def _days(first: Any, last: Any) -> tuple[date, date]:
    return first.date(), last.date() + timedelta(days=1)


def _show(found: StatementAnswer) -> None:
    from jieneng.commands.tables import row, show, table

    numbers = ("adjusted", "actual", "saving", "price", "share %", "amount")
    made = table("line", "kind", "from", "to", *numbers, numbers=numbers, title=f"{found.number}")
    for line in found.lines:
        days = line.from_, line.to - timedelta(days=1)
        told = line.adjusted, line.actual, line.saving, line.price, line.share_percent
        row(made, line.id, line.kind, *days, *told, line.amount)
    show(made)
    click.echo(f"due {found.due} yuan ({found.capitals})")
