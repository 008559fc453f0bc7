"""`jieneng contracts`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """Contracts paid from savings, in the records: bring a file in, see what is there. See docs/contracts.md."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.who
@options.why
@options.of_records
def import_file(file: Path, who: str, why: str, settings: Settings) -> None:
    """Let the contracts of FILE hold. One that is other than before becomes its next version; frozen statements stay.

    \b
        jieneng contracts import contracts.yaml --why "signed 2025-12-20"
    """
    from analytics.contracts.contract_file import documents_of
    from energy.errors import EnergyError
    from jieneng.contracts import brought, meters_of

    known = asyncio.run(meters_of(settings))
    if not known:
        raise EnergyError("the records hold no site yet; bring one in with: jieneng site import FILE")
    changed = asyncio.run(brought(settings, documents_of(file, known), who, why))
    for name, version in changed.items():
        click.echo(f"{name}: version {version}")
    if not changed:
        click.echo("no difference")


@command.command("list")
@options.of_records
def list_contracts(settings: Settings) -> None:
    """The contracts that hold."""
    from jieneng.commands.tables import row, show, table
    from jieneng.contracts import listed

    made = table("id", "number", "name", "version", "client", "ESCO", "from", "to", "clauses", "statements")
    for kept, statements in asyncio.run(listed(settings)):
        c = kept.contract
        clauses = ", ".join(f"{clause.id} ({clause.kind})" for clause in c.clauses)
        parties = c.client.name, c.esco.name
        row(made, c.id, c.number, c.name.zh, kept.version, *parties, c.from_, c.to, clauses, len(statements))
    show(made)
