"""`jieneng audit`."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from gateway.audit.chain import Row
    from gateway.audit.service import Wanted
    from jieneng.settings import Settings

_PAGE = 5_000
_from = click.option("--from", "from_", type=options.INSTANT, help="From this instant on.")
_to = click.option("--to", type=options.INSTANT, help="Before this instant.")
_account = click.option("--account", help="Of this account.")
_action = click.option("--action", help="sign_in, refused, export, change, approve ...")
_subject = click.option("--subject", help="Of this subject, such as meter/east; meter/ is all meters.")
chosen = options.chosen(_from, _to, _account, _action, _subject)


@click.group()
def command() -> None:
    """What was done: who, when, from where, with what outcome. See docs/audit.md."""


@command.command("verify")
@click.option(
    "--head",
    "heads",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="A copy of audit.head that was kept elsewhere; may be repeated.",
)
@options.of_records
def verify(heads: tuple[Path, ...], settings: Settings) -> None:
    """Look through the whole log: is every row as it was written, and none gone, put in, or elsewhere?

    Exit code 1 where one is not; the first is told.
    """
    finding = asyncio.run(_verify(heads, settings))
    if finding.fault is None:
        click.echo(f"{finding.rows} rows are as they were written, up to row {finding.head.seq} {finding.head.hash}")
        return
    click.echo(f"row {finding.seq} {finding.fault}; {finding.rows} rows before it are as they were written", err=True)
    sys.exit(1)


async def _verify(heads: tuple[Path, ...], settings: Settings) -> Any:
    from gateway.audit.seal import Head
    from jieneng.records import kept_audit

    known = [Head.parse(file.read_text(encoding="ascii", errors="replace"), str(file)) for file in heads]
    async with kept_audit(settings) as audit:
        return await audit.verify(known)


@command.command("list")
@chosen
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@options.of_records
def list_rows(limit: int, settings: Settings, **given: Any) -> None:
    """The newest rows, the newest last."""
    from jieneng.commands.tables import local, row, show, table

    made = table("row", "at", "account", "address", "action", "subject", "outcome", "detail")
    for kept in reversed(asyncio.run(_list(_wanted(**given), limit, settings))):
        said = (kept.account, kept.address, kept.action, kept.subject, kept.outcome, kept.detail)
        row(made, kept.seq, local(kept.at_ms), *said)
    show(made)


async def _list(wanted: Wanted, limit: int, settings: Settings) -> list[Row]:
    from jieneng.records import kept_audit

    async with kept_audit(settings) as audit:
        return await audit.rows(wanted, limit=limit)


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@chosen
@click.option("--csv/--json", "as_csv", default=True, help="CSV for a spreadsheet, or one JSON object a line. [csv]")
@options.of_records
def export(file: Path | None, as_csv: bool, settings: Settings, **given: Any) -> None:
    """Write rows to FILE, or to standard output, oldest first. That it was done is a row itself.

    JSON keeps each row as it was hashed. In CSV a text that a spreadsheet would compute has a ' before it.

    \b
        jieneng audit export march.csv --from 2026-03-01T00:00:00+08:00 --to 2026-04-01T00:00:00+08:00
    """
    asyncio.run(_export(file, as_csv, _wanted(**given), settings))


async def _export(file: Path | None, as_csv: bool, wanted: Wanted, settings: Settings) -> None:
    from gateway.audit.chain import Action
    from gateway.audit.service import Audit
    from gateway.audit.sheet import csv_of, json_of
    from jieneng.records import kept_audit

    async def pages(audit: Audit) -> AsyncGenerator[list[Row], None]:
        after = 0
        while page := await audit.rows(wanted, limit=_PAGE, after=after):
            yield page
            after = page[-1].seq

    async with kept_audit(settings) as audit:
        name = "-" if file is None else file.name
        await audit.record(Action.EXPORT, "audit", account=getpass.getuser(), detail={"file": name, **asdict(wanted)})
        with sys.stdout if file is None else file.open("w", encoding="utf-8-sig" if as_csv else "utf-8") as out:
            head = True
            async with aclosing(pages(audit)) as found:
                async for page in found:
                    out.write(csv_of(page, head=head) if as_csv else json_of(page))
                    head = False


def _wanted(
    from_: datetime | None, to: datetime | None, account: str | None, action: str | None, subject: str | None
) -> Wanted:
    from energy.readings import to_ms
    from gateway.audit.service import Wanted

    from_ms, to_ms_ = (None if at is None else to_ms(at) for at in (from_, to))
    return Wanted(from_ms, to_ms_, account, action, subject)
