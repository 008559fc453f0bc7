"""`jieneng accounts`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
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


@command.command()
@click.argument("name")
@click.argument("subject")
@click.option("--providers", required=True, type=click.Path(path_type=Path), help="The file of identity providers.")
@click.option("--provider", help="The id of the provider, where the file has several.")
@options.who
@options.why
@options.of_records
def link(name: str, subject: str, providers: Path, provider: str | None, settings: Settings, **said: str) -> None:
    """Let whom an identity provider knows as SUBJECT sign in as the account NAME.

    \b
        jieneng accounts link wang.li 4711 --providers oidc.yaml --why "letter 12"
    """
    from energy.errors import EnergyError
    from jieneng.providers import load_providers

    known = load_providers(providers).all
    chosen = [p for p in known if provider in (None, p.id)]
    if len(chosen) != 1:
        raise EnergyError(f"name one of {', '.join(p.id for p in known)} with --provider")

    async def linked(accounts: Accounts) -> None:
        account = (await accounts.people.one(name)).account
        author = accounts.author(said["who"], said["why"])
        await accounts.openid.subjects.link(account, chosen[0].issuer, subject, author)

    _done(settings, linked)


@command.command()
@click.argument("name")
@options.of_records
def links(name: str, settings: Settings) -> None:
    """Whom identity providers know as the account NAME."""
    from jieneng.commands.tables import local, row, show, table

    async def found(accounts: Accounts) -> Any:
        return await accounts.openid.subjects.of((await accounts.people.one(name)).account)

    made = table("link", "issuer", "subject", "linked", "who", numbers=("link",))
    for one in _done(settings, found):
        row(made, one.id, one.issuer, one.subject, local(one.linked_at_ms), one.who)
    show(made)


@command.command()
@click.argument("link_id", metavar="LINK", type=int)
@options.who
@options.why
@options.of_records
def unlink(link_id: int, who: str, why: str, settings: Settings) -> None:
    """Take the link of this number, as `links` shows it, away."""
    _done(settings, lambda a: a.openid.subjects.unlink(link_id, None, a.author(who, why)))


@command.command()
@click.argument("name")
@options.who
@options.why
@click.confirmation_option(prompt="What tells who this account is of will be gone for good. Go on?")
@options.of_records
def erase(name: str, who: str, why: str, settings: Settings) -> None:
    """Erase the account NAME on request of whose it is: it signs in no more, and under what it did stands a pseudonym.

    The audit log is not rewritten; its rows go when they are old enough (--audit-days).
    """

    async def erased(accounts: Accounts) -> str:
        return await accounts.erase((await accounts.people.one(name)).account, accounts.author(who, why))

    click.echo(f"now called {_done(settings, erased)}")


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
