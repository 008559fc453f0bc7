"""`jieneng bills`."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def command() -> None:
    """What suppliers billed, and why it is not what the meters say. See docs/billing.md."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@click.option("--again", is_flag=True, help="Take bills again that were withdrawn before.")
@options.of_records
def import_file(file: Path, who: str, why: str, again: bool, settings: Settings) -> None:
    """Enter the bills of a CSV or Excel FILE; where a row is wrong, none of it. Entering a file again adds nothing.

    \b
        account,from,to,quantity,amount,number,note
        1100045678,2026-03-01,2026-04-01,125000,88412.55,2026-03/17,

    Exit code 1 if a bill charges for days that another one charges for; the others are entered.
    """
    from adapters.bill_files import read_bills

    sys.exit(asyncio.run(_import(read_bills(file), who, why, again, settings)))


async def _import(bills: Any, who: str, why: str, again: bool, settings: Settings) -> int:
    from jieneng.commands.entries import contradictions_told
    from jieneng.commands.tables import entries_told
    from jieneng.records import kept_bills, unknown_accounts

    async with kept_bills(settings) as (kept, sites):
        added = await kept.add(bills, who, why, again=again)
        unknown = await unknown_accounts(sites, [bill.account for bill in bills])
    click.echo("\n".join(entries_told(added)))
    if unknown:
        click.echo(f"accounts of no site: {', '.join(unknown[:20])}; is the number right?")
    return contradictions_told(added, _told, "bill")


def _told(bill: Any) -> str:
    return f"{bill.account} {bill.start} to {bill.end}: {bill.quantity}, {bill.amount} yuan"


@command.command("list")
@click.argument("account", required=False)
@click.option("--withdrawn", is_flag=True, help="Those that hold no longer, too.")
@options.of_records
def list_bills(account: str | None, withdrawn: bool, settings: Settings) -> None:
    """The bills of an ACCOUNT, or of all."""
    from jieneng.commands.entries import entries, why_told
    from jieneng.commands.tables import row, show, table
    from jieneng.records import kept_bills

    columns = ("id", "account", "from", "to", "quantity", "yuan", "number", "note", "who", "why")
    made = table(*columns, numbers=("quantity", "yuan"))
    accounts = None if account is None else [account]
    found = entries(kept_bills(settings), accounts, withdrawn, lambda b: (b.account, b.start))
    for kept in asyncio.run(found):
        b = kept.value
        row(made, kept.id, b.account, b.start, b.end, b.quantity, b.amount, b.number, b.note, kept.who, why_told(kept))
    show(made)


@command.command("withdraw")
@click.argument("bill_id", metavar="ID", type=int)
@options.who
@click.option("--why", required=True, help="What is wrong with it.")
@options.of_records
def withdraw(bill_id: int, who: str, why: str, settings: Settings) -> None:
    """Let the bill ID hold no longer; it is kept, with who withdrew it and why.

    \b
        jieneng bills withdraw 17 --why "credited, see 2026-04/3"
    """
    from jieneng.commands.entries import withdrawn
    from jieneng.records import kept_bills

    kept = asyncio.run(withdrawn(kept_bills(settings), bill_id, who, why))
    click.echo(f"withdrawn: {_told(kept.value)}")


@command.command("reconcile")
@click.argument("account")
@click.option("--from", "start", type=_DAY, required=True, help="First day, such as 2026-01-01.")
@click.option("--to", "end", type=_DAY, required=True, help="Day after the last, such as 2027-01-01.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.chosen(options.config, options.data, options.records, options.store, options.listen, options.token_file)
def reconcile(account: str, start: datetime, end: datetime, as_json: bool, **given: Any) -> None:
    """Compare the bills of an ACCOUNT with what its meters and its tariff say, and tell why they differ.

    \b
        jieneng bills reconcile 1100045678 --from 2026-01-01 --to 2027-01-01
    """
    import msgspec

    found = asyncio.run(_reconcile(account, start, end, given))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        _show(account, found)


async def _reconcile(account: str, start: datetime, end: datetime, given: dict[str, Any]) -> Any:
    from gateway.billing.words import BillsQuery
    from jieneng.bills import reconciled
    from jieneng.settings import load_settings

    settings = load_settings(given.pop("config"), **given)
    return await reconciled(settings, BillsQuery(account, start.date(), end.date()))


_CAUSES = ("period", "quantity", "price", "rounding", "unexplained")


def _show(account: str, found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    shown = [cause for cause in _CAUSES if any(d and getattr(d.causes, cause) for d in _differences(found))]
    numbers = ("billed", "metered", "billed yuan", "metered yuan", "difference", *shown)
    made = table("from", "to", *numbers, "by", numbers=numbers, title=f"Bills of {account}")
    for one in found.bills:
        b, m, d = one.bill.bill, one.metered, one.difference
        causes = [None if d is None else getattr(d.causes, cause) for cause in shown]
        quantities = b.quantity, "unknown" if m.quantity is None else f"{m.quantity:.3f}"
        row(made, b.from_, b.to, *quantities, b.amount, m.amount, d and d.amount, *causes, m.basis)
    show(made)
    for one in found.bills:
        b = one.bill.bill
        if one.metered.lacking is not None:
            click.echo(f"{b.from_} to {b.to} is not compared: {one.metered.lacking.en}")
        if one.metered.shares.estimated + one.metered.shares.missing + one.metered.shares.disputed > 0:
            click.echo(f"{b.from_} to {b.to}: of the time {_shares(one.metered.shares)}")
    for days in found.unbilled:
        click.echo(f"no bill for {days.from_} to {days.to}")


def _differences(found: Any) -> list[Any]:
    return [one.difference for one in found.bills]


def _shares(shares: Any) -> str:
    told = ((name, getattr(shares, name)) for name in ("measured", "estimated", "manual", "missing", "disputed"))
    return ", ".join(f"{share:.1%} {name}" for name, share in told if share)
