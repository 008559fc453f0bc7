"""`jieneng accounts`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gateway.access.roles import Permission, Role
from jieneng.commands import options

if TYPE_CHECKING:
    from gateway.accounts.service import Accounts
    from jieneng.settings import Settings

_SCOPES = sorted({p.value for p in Permission} - {Permission.OPEN.value, Permission.OWN.value})


@click.group()
def command() -> None:
    """Who may sign in, and what they may do. See docs/accounts.md.

    Works on the records, beside a running gateway, which follows within a second.
    """


@command.command()
@click.argument("name")
@options.who
@options.why
@options.of_records
def add(name: str, who: str, why: str, settings: Settings) -> None:
    """Make the account NAME. Its first password is printed this once, and must be changed at the first sign-in.

    \b
        jieneng accounts add wang.li --why "letter 12"
        jieneng accounts grant wang.li filler --organisation town-hall
    """
    password = _done(settings, lambda a: a.add(name, a.author(who, why)))
    click.echo(f"first password: {password}")


@command.command("list")
@options.of_records
def list_accounts(settings: Settings) -> None:
    """All accounts, and what each was granted."""
    from jieneng.commands.tables import local, row, show, table

    made = table("account", "state", "second factor", "grant", "role", "of", "from", "to", numbers=("grant",))
    for person in _done(settings, lambda a: a.people.all()):
        a = person.account
        state = "disabled" if a.disabled else "must change its password" if a.must_change else "active"
        cells: list[tuple[Any, ...]] = [
            (
                held.id,
                held.grant.role,
                held.grant.organisation or ", ".join(held.grant.meters) or "everything",
                local(held.from_ms),
                None if held.to_ms is None else local(held.to_ms),
            )
            for held in person.held
        ]
        for i, of_grant in enumerate(cells or [(None,) * 5]):
            row(made, *((a.name, state, "yes" if a.totp else "no") if i == 0 else (None,) * 3), *of_grant)
    show(made)


@command.command()
@click.argument("name")
@click.option("--again", is_flag=True, help="Let it sign in again.")
@options.who
@options.why
@options.of_records
def disable(name: str, again: bool, who: str, why: str, settings: Settings) -> None:
    """Let the account NAME sign in no more: its sessions end, and its tokens hold no longer."""

    async def disabled(accounts: Accounts) -> None:
        account = (await accounts.people.one(name)).account
        await accounts.disable(account, accounts.author(who, why), disabled=not again)

    _done(settings, disabled)


@command.command()
@click.argument("name")
@options.who
@options.why
@options.of_records
def reset(name: str, who: str, why: str, settings: Settings) -> None:
    """Give the account NAME another first password, which is printed this once. Second factor and sessions are gone;
    it is no longer locked."""

    async def again(accounts: Accounts) -> str:
        return await accounts.reset((await accounts.people.one(name)).account, accounts.author(who, why))

    click.echo(f"first password: {_done(settings, again)}")


@command.command()
@click.argument("name")
@click.argument("role", type=click.Choice([r.value for r in Role]))
@click.option("--organisation", help="Of this organisation and all below it. [everything]")
@click.option("--meter", multiple=True, help="Of this meter: for a partner, several times.")
@click.option("--from", "start", type=options.INSTANT, help="From this instant on. [now]")
@click.option("--to", "end", type=options.INSTANT, help="Until this instant. [no end]")
@options.who
@options.why
@options.of_records
def grant(name: str, role: str, who: str, why: str, settings: Settings, **given: Any) -> None:
    """Grant the account NAME a ROLE. System, security and audit administration are of three accounts.

    \b
        jieneng accounts grant audit.team auditor
        jieneng accounts grant contractor partner --meter boiler-gas --meter boiler-heat --to 2031-01-01T00:00:00+08:00
    """
    from energy.errors import EnergyError
    from energy.readings import to_ms
    from gateway.access.roles import Grant

    def ms(at: datetime | None) -> int | None:
        return None if at is None else to_ms(at)

    try:
        made = Grant(Role(role), given["organisation"], given["meter"])
    except ValueError as error:
        raise EnergyError(str(error)) from error

    async def granted(accounts: Accounts) -> int:
        person = await accounts.people.one(name)
        author = accounts.author(who, why)
        return await accounts.people.grant(person, made, author, ms(given["start"]), ms(given["end"]))

    click.echo(f"grant {_done(settings, granted)}")


@command.command()
@click.argument("grant_id", metavar="GRANT", type=int)
@options.who
@options.why
@options.of_records
def revoke(grant_id: int, who: str, why: str, settings: Settings) -> None:
    """Let the grant of this number, as `list` shows it, end now."""
    click.echo(f"of {_done(settings, lambda a: a.people.revoke(grant_id, a.author(who, why)))}")


@command.command()
@click.argument("name")
@click.option("--scope", multiple=True, required=True, type=click.Choice(_SCOPES), help="What it permits; repeat it.")
@click.option("--days", default=90, show_default=True, help="How long it holds.")
@click.option("--called", default="command line", show_default=True, help="What it is for.")
@options.who
@options.of_records
def token(name: str, scope: tuple[str, ...], days: int, called: str, who: str, settings: Settings) -> None:
    """Make a token of the account NAME, and print it this once. It permits what is in its scopes and granted to NAME.

    \b
        jieneng accounts token wang.li --scope read > token.txt
        curl -H "Authorization: Bearer $(cat token.txt)" http://127.0.0.1:8080/api/v1/site
    """

    async def made(accounts: Accounts) -> str:
        account = (await accounts.people.one(name)).account
        return await accounts.tokens.make(account, called, {Permission(s) for s in scope}, days, accounts.author(who))

    click.echo(_done(settings, made))


@command.command("first-link")
@options.of_records
@options.listen
def first_link(settings: Settings, listen: str | None) -> None:
    """Print a link by which a security administrator is made: once, within 24 hours. An older one holds no longer."""
    from jieneng.settings import load_settings

    secret = _done(settings, lambda a: a.new_link())
    click.echo(f"http://{load_settings(None, listen=listen or settings.listen).listen}/#/first?link={secret}")


def _done(settings: Settings, what: Callable[[Accounts], Awaitable[Any]]) -> Any:
    from jieneng.records import kept_accounts

    async def over() -> Any:
        async with kept_accounts(settings) as accounts:
            return await what(accounts)

    return asyncio.run(over())
