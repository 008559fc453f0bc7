"""`jieneng statistics`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options

_of_data = options.chosen(
    options.config, options.data, options.records, options.store, options.listen, options.token_file
)
_factors = click.option("--factors", metavar="SET", help="The factor set; the first of the factor file without it.")


@click.group()
def command() -> None:
    """The monthly statistics: who has filed, what is found in it, the month as a workbook. See docs/statistics.md.

    They are filled in, submitted, returned and accepted on the page or through the API, by who is signed in.
    """


@command.command("list")
@click.argument("month", metavar="YYYY-MM")
@click.option("--state", type=click.Choice(["draft", "submitted", "returned", "accepted"]))
@click.option("--late", is_flag=True, default=None, help="Those alone that should have submitted.")
@_of_data
def list_filings(month: str, state: Any, late: bool | None, **given: Any) -> None:
    """The filings of the month YYYY-MM, and what the checks find in each."""
    from gateway.reporting.words import FilingsQuery
    from jieneng.commands.tables import row, show, table
    from jieneng.filings import listed
    from jieneng.settings import load_settings

    query = FilingsQuery(month, state, late, limit=5000)
    found = asyncio.run(listed(load_settings(given.pop("config"), **given), query))
    numbers = ("errors", "warnings", "notes", "to explain")
    made = table("institution", "name", "state", "late", *numbers, numbers=numbers, title=f"Filings of {found.month}")
    for one in found.filings:
        counts = (one.errors, one.warnings, one.notes, one.unexplained)
        row(made, one.organisation, one.name.zh, one.state, "late" if one.late else None, *counts)
    show(made)
    states = ", ".join(f"{count} {name}" for name, count in sorted(found.states.items()))
    click.echo(f"{found.total} institutions: {states}; {found.late} late; rules {found.rules}")


@command.command()
@click.argument("month", metavar="YYYY-MM")
@click.argument("institution")
@_factors
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_of_data
def show(month: str, institution: str, factors: str | None, as_json: bool, **given: Any) -> None:
    """One filing: each figure and where it comes from, what is found, the indicators, what was done with it."""
    import msgspec

    from gateway.reporting.words import FilingQuery
    from jieneng.commands.tables import local
    from jieneng.filings import shown
    from jieneng.settings import load_settings

    query = FilingQuery(month, institution, factors)
    found = asyncio.run(shown(load_settings(given.pop("config"), **given), query))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    _show_cells(found)
    for one in found.found:
        click.echo(f"{one.severity}: {one.text.en} [{one.key}]{f'; reason: {one.reason}' if one.reason else ''}")
    for step in found.steps:
        click.echo(f"{local(step.at)} {step.step} by {step.who}{f': {step.why}' if step.why else ''}")


@command.command()
@click.argument("month", metavar="YYYY-MM")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_factors
@click.option("--drafts", is_flag=True, help="Add up what is not submitted yet, too.")
@_of_data
def export(month: str, file: Path, factors: str | None, drafts: bool, **given: Any) -> None:
    """Write the month YYYY-MM into the Excel FILE: institutions, sums, origins, what the checks find.

    \b
        jieneng statistics export 2026-05 may.xlsx
    """
    from jieneng.filings import exported
    from jieneng.settings import load_settings

    try:
        count = asyncio.run(exported(load_settings(given.pop("config"), **given), month, file, factors, drafts=drafts))
    except FileExistsError as error:
        raise click.UsageError(f"{file} is there already; name a new file") from error
    click.echo(f"{file}: {count} institutions")


def _show_cells(found: Any) -> None:
    from jieneng.commands.tables import row, show, table

    title = f"{found.name.zh} {found.month}: {found.state}{', late' if found.late else ''}"
    numbers = ("value", "estimated", "missing", "now")
    made = table("cell", "value", "from", "estimated", "missing", "now", "basis", numbers=numbers, title=title)
    for one in found.cells:
        if one.value is not None or one.differs:
            doubt = (f"{share:.1%}" if share else None for share in (one.estimated, one.missing))
            row(made, one.cell, one.value, one.origin, *doubt, one.now if one.differs else None, one.basis)
    show(made)
    for one in found.indicators:
        shown = f"{one.value} {one.unit}" if one.value is not None else f"none: {one.reason.en}"
        click.echo(f"{one.name.zh} {one.name.en}: {shown}{f' ({one.factor_set})' if one.factor_set else ''}")
