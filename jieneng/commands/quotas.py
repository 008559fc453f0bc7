"""`jieneng quotas`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """What organisations may use in a year, and how the year goes. See docs/quotas.md."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@click.option("--again", is_flag=True, help="Take quotas again that were withdrawn before.")
@options.of_records
def import_file(file: Path, who: str, why: str, again: bool, settings: Settings) -> None:
    """Enter the quotas of a CSV, Excel or YAML FILE; where a cell is wrong, none of it.

    \b
        organisation,of,year,amount,method,document,dated
        health,electricity,2026,350000,handed_down,市节能〔2026〕7号,2026-01-15

    A later document for the same year takes the place of the earlier one; both are kept. Exit code 1 if two of one
    day contradict each other; the others are entered.
    """
    from adapters.quota_files import read_quotas

    sys.exit(asyncio.run(_import(read_quotas(file), who, why, again, settings)))


async def _import(quotas: Any, who: str, why: str, again: bool, settings: Settings) -> int:
    from jieneng.commands.entries import contradictions_told
    from jieneng.commands.tables import entries_told
    from jieneng.records import kept_quotas, unknown_owners

    async with kept_quotas(settings) as (kept, sites):
        unknown = await unknown_owners(sites, [quota.of for quota in quotas])
        if unknown:
            click.echo(f"not in the records: {', '.join(unknown[:20])}; nothing was entered", err=True)
            return 1
        added = await kept.add(quotas, who, why, again=again)
    click.echo("\n".join(entries_told(added)))
    return contradictions_told(added, _told, "quota")


def _told(quota: Any) -> str:
    return f"{quota.of} {quota.limited} {quota.year}, {quota.dated}: {quota.amount} {quota.unit}"


@command.command("list")
@click.argument("organisation", required=False)
@click.option("--withdrawn", is_flag=True, help="Those that hold no longer, too.")
@options.of_records
def list_quotas(organisation: str | None, withdrawn: bool, settings: Settings) -> None:
    """What was entered of an ORGANISATION, or of all."""
    from jieneng.commands.entries import entries, why_told
    from jieneng.commands.tables import row, show, table
    from jieneng.records import kept_quotas

    columns = ("id", "organisation", "of", "year", "amount", "unit", "method", "document", "dated", "who", "why")
    made = table(*columns, numbers=("amount",))
    owners = None if organisation is None else [f"organisation/{organisation.removeprefix('organisation/')}"]
    found = entries(kept_quotas(settings), owners, withdrawn, lambda q: (q.of, q.limited, q.year, q.dated))
    for kept in asyncio.run(found):
        q = kept.value
        name = q.of.removeprefix("organisation/")
        said = kept.who, why_told(kept)
        row(made, kept.id, name, q.limited, q.year, q.amount, q.unit, q.method, q.document, q.dated, *said)
    show(made)


@command.command("withdraw")
@click.argument("quota_id", metavar="ID", type=int)
@options.who
@click.option("--why", required=True, help="What is wrong with it.")
@options.of_records
def withdraw(quota_id: int, who: str, why: str, settings: Settings) -> None:
    """Let the quota ID hold no longer; it is kept, with who withdrew it and why."""
    from jieneng.commands.entries import withdrawn
    from jieneng.records import kept_quotas

    kept = asyncio.run(withdrawn(kept_quotas(settings), quota_id, who, why))
    click.echo(f"withdrawn: {_told(kept.value)}")


@command.command("pace")
@click.argument("organisation", required=False)
@click.option("--year", type=int, help="Of this year. [the present one]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.chosen(options.config, options.data, options.records, options.store, options.listen, options.token_file)
def pace(organisation: str | None, year: int | None, as_json: bool, **given: Any) -> None:
    """How the year goes of an ORGANISATION and those directly below it, or of all; the worst first.

    \b
        jieneng quotas pace bureau --year 2026
    """
    import msgspec

    found = asyncio.run(_paces(organisation, year, given))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        _show(found)


async def _paces(organisation: str | None, year: int | None, given: dict[str, Any]) -> Any:
    from gateway.quotas.words import QuotasQuery
    from jieneng.quotas import paces
    from jieneng.settings import load_settings

    of = None if organisation is None else f"organisation/{organisation.removeprefix('organisation/')}"
    return await paces(load_settings(given.pop("config"), **given), QuotasQuery(of, year))


def _show(found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    numbers = ("quota", "used", "allowed", "expected", "within", "chance")
    columns = ("organisation", "of", "state", *numbers, "known")
    made = table(*columns, numbers=numbers, title=f"{found.year}, up to the beginning of {found.until}")
    for one in found.quotas:
        year = one.year
        within = None if year.least is None or year.most is None else f"{year.least:,.0f} to {year.most:,.0f}"
        expected = year.reason if year.expected is None else f"{year.expected:,.0f}"
        chance = None if one.chance is None else f"{one.chance:.0%}"
        amounts = (
            f"{one.quota.amount:,} {one.unit}",
            f"{one.used:,.0f}",
            f"{one.allowed:,.0f}",
            expected,
            within,
            chance,
        )
        name = one.quota.of.removeprefix("organisation/")
        row(made, name, one.quota.limited, one.state, *amounts, f"{one.completeness:.0%}")
    show(made)
