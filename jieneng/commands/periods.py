"""`jieneng period`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import click

from jieneng.commands import options

_of_data = options.chosen(
    options.config, options.data, options.records, options.store, options.listen, options.token_file
)
_SHOWN = 1000


@click.group()
def command() -> None:
    """Months that are closed: they keep their figures, and are corrected by reversing entries. See docs/closing.md.

    Of a running gateway they are asked, and closed, through its API.
    """


@command.command("list")
@_of_data
def list_periods(**given: Any) -> None:
    """The months that were closed."""
    from jieneng.commands.tables import local, row, show, table
    from jieneng.periods import listed
    from jieneng.settings import load_settings

    found = asyncio.run(listed(load_settings(given.pop("config"), **given)))
    made = table("month", "closed at", "who", "why", title=f"Closed months of {found.site}")
    for one in found.closings:
        row(made, one.month, local(one.closed_at), one.who, one.why)
    show(made)


@command.command()
@click.argument("month", metavar="YYYY-MM")
@options.who
@options.why
@_of_data
def close(month: str, who: str, why: str, **given: Any) -> None:
    """Close the month YYYY-MM: keep what the ledger says of every counter. Once, and not before it has ended.

    \b
        jieneng period close 2026-03 --why "report of the first quarter"
    """
    from gateway.closing.words import NewClosing
    from jieneng.periods import closed

    found = _answer(closed, NewClosing(_month(month), who=who, why=why), given)
    click.echo(f"{month} is closed: {found.counters} counters")
    _show_sums(found)


@command.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--meter", multiple=True, help="Of this meter alone; can be given several times.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_of_data
def show(month: str, meter: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """What was closed of the month YYYY-MM, what was booked beside it, and what would differ now."""
    import msgspec

    from gateway.closing.words import PeriodQuery
    from jieneng.periods import shown

    found = _answer(shown, PeriodQuery(_month(month), list(meter), _SHOWN), given)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    _show_figures(found)
    _show_entries(found)
    _show_differences(found)


@command.command()
@click.argument("month", metavar="YYYY-MM")
@options.who
@click.option("--why", required=True, help="Why the closed figures were wrong.")
@_of_data
def correct(month: str, who: str, why: str, **given: Any) -> None:
    """Book, in the month of today, a reversal of what stood of YYYY-MM and what the ledger says now. It stays closed.

    \b
        jieneng period correct 2026-03 --why "exchange of office-main entered late"
    """
    from gateway.closing.words import NewCorrection
    from jieneng.periods import corrected

    found = _answer(corrected, NewCorrection(_month(month), why, who), given)
    _show_entries(found)


_Asked = Callable[[Any, Any], Coroutine[Any, Any, Any]]


def _answer(ask: _Asked, words: Any, given: dict[str, Any]) -> Any:
    from jieneng.settings import load_settings

    return asyncio.run(ask(load_settings(given.pop("config"), **given), words))


def _month(text: str) -> str:
    from zoneinfo import ZoneInfo

    from energy.periods import month_of

    try:
        month_of(text, ZoneInfo("UTC"))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return text


_NUMBERS = ("closed", "booked beside", "differs now", "yuan closed", "yuan beside", "yuan differing")


def _show_sums(found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    made = table("quantity", "unit", "counters", *_NUMBERS, numbers=("counters", *_NUMBERS), title="All counters")
    for one in found.sums:
        booked = one.closed, one.entries, one.difference
        row(made, one.quantity, one.unit, one.counters, *(b.amount for b in booked), *(b.cost for b in booked))
    show(made)


def _show_figures(found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    shares = ("measured", "estimated", "manual", "disputed", "missing")
    title = f"{found.closing.month}, closed by {found.closing.who}"
    made = table(
        "meter", "quantity", "closed", "unit", "yuan", *shares, numbers=("closed", "yuan", *shares), title=title
    )
    for one in found.figures:
        told = (f"{getattr(one.shares, share):.1%}" if getattr(one.shares, share) else None for share in shares)
        row(made, one.meter, one.quantity, one.closed.amount or "unknown", one.unit, one.closed.cost, *told)
    show(made)
    if found.counters > len(found.figures):
        click.echo(f"and {found.counters - len(found.figures)} more; --meter chooses")
    _show_sums(found)


def _show_entries(found: Any) -> None:
    from jieneng.commands.tables import local, row, show, table

    if not found.entries:
        return
    made = table(
        "meter", "quantity", "kind", "amount", "yuan", "booked in", "at", "who", "why", numbers=("amount", "yuan")
    )
    for one in found.entries:
        booked = one.booked.amount, one.booked.cost, one.booked_in
        row(made, one.meter, one.quantity, one.kind, *booked, local(one.at), one.who, one.why)
    show(made)


def _show_differences(found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    if not found.differences:
        click.echo("nothing differs from what was closed and booked beside it")
        return
    numbers = ("stands", "now", "difference", "yuan stands", "yuan now")
    made = table("meter", "quantity", *numbers, numbers=numbers, title="What the ledger would say now")
    for one in found.differences:
        amounts = one.standing.amount, one.now.amount, one.difference.amount
        row(made, one.meter, one.quantity, *amounts, one.standing.cost, one.now.cost)
    show(made)
    click.echo(f"{found.differing} counters differ; jieneng period correct books it")
