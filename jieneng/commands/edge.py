"""`jieneng edge`: the process at the site; and who may come to the broker as an edge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from adapters.identity_index import Enrolled
    from edge.handed import Handed
    from jieneng.composition import Installed
    from jieneng.settings import Settings

_DAYS = 730


@click.group(invoke_without_command=True)
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.edge,
    options.bus,
    options.broker_port,
    options.clock,
    options.outbox_bytes,
    options.outbox_days,
    options.outbox_when_full,
    options.history_bytes_per_s,
    options.broker_listen,
    options.identity,
    options.listen_health,
)
@click.pass_context
def command(context: click.Context, /, config: Path | None, **given: Any) -> None:
    """Run the process at the site: read the meters of the site file at their ticks, keep the readings in an outbox on
    disk, publish them, and forget them when the gateway has stored them.

    Where it knows the key of its gateway, as by the folder of `enroll`, the site file comes from there; --site is read
    until the first one has come, if it is given at all.

    The broker of `jieneng run` is found without --bus; any other is named. What an edge needs to come to a broker is
    made by `enroll` on the gateway's machine, for example

    \b
        jieneng edge enroll north --broker gateway.example:8883
        jieneng edge --config north/edge.yaml
    """
    if context.invoked_subcommand is None:
        from jieneng.settings import load_settings

        _run(load_settings(config, **given))
    elif any(value is not None for value in given.values()):
        raise click.UsageError(f"options of {context.invoked_subcommand} stand behind it, not before")


def _run(settings: Settings) -> None:
    from adapters.clocks import open_clock
    from adapters.outbox_bounds import Bounds
    from adapters.site_signing import CHECKING_KEY
    from edge.app import EdgeSettings, run_edge
    from jieneng.composition import load_own, version_of
    from jieneng.logs import configure_logs

    configure_logs()
    knows_gateway = any((folder / CHECKING_KEY).exists() for folder in settings.checking_keys)
    file = settings.site if knows_gateway else settings.site_file()
    installed = None if file is None else load_own(file, settings.edge)
    edge = EdgeSettings(
        edge=settings.edge,
        site=None if installed is None else installed.site,
        profiles={} if installed is None else installed.profiles,
        bus=settings.bus_of(settings.edge),
        outbox=settings.data / "outbox" / f"{settings.edge}.sqlite",
        version="none" if file is None else version_of(file),
        handed=_handed(settings, installed) if knows_gateway else None,
        bounds=Bounds(settings.outbox_bytes, settings.outbox_days, settings.outbox_when_full),
        history_bytes_per_s=settings.history_bytes_per_s,
        learnt=settings.data / "learnt" / settings.edge,
        data=settings.data,
        health=settings.health_host_and_port,
    )
    options.run_until_signalled(run_edge(edge, open_clock(settings.clock)))


def _handed(settings: Settings, local: Installed | None) -> Handed:
    """How site files are taken from the gateway, whose key is known; what may be written the local file says alone."""
    from adapters.site_keeping import SiteKeeping
    from adapters.site_signing import CHECKING_KEY, read_checking_key
    from edge.handed import Handed
    from jieneng.composition import load_installed, with_permissions

    def load(file: Path) -> Installed:
        handed = load_installed(file)
        return handed if local is None else with_permissions(handed, local)

    known = next(folder for folder in settings.checking_keys if (folder / CHECKING_KEY).exists())
    return Handed(read_checking_key(known), SiteKeeping(settings.data / "handed" / settings.edge), load)


@command.command()
@click.argument("name")
@click.option("--broker", help="HOST:PORT where edges find the broker by TLS. [as said the last time]")
@click.option("--into", type=click.Path(path_type=Path), help="Folder to write it into. [NAME]")
@click.option("--password", is_flag=True, help="A password in place of a certificate: for programs that have no TLS.")
@click.option("--topic", multiple=True, help="It may publish to this topic too; repeat it.")
@click.option("--hear", multiple=True, help="It may subscribe to this topic too; repeat it.")
@click.option("--days", type=click.IntRange(1, 3650), default=_DAYS, show_default=True, help="How long it holds.")
@click.option(
    "--renew", is_flag=True, help="A new one for an edge that is enrolled; the old certificate ends by itself."
)
@options.who
@options.why
@options.chosen(options.bus, options.broker_port, options.broker_listen)
@options.of_records
def enroll(
    name: str,
    broker: str | None,
    into: Path | None,
    who: str,
    why: str,
    settings: Settings,
    renew: bool,
    password: bool,
    **given: Any,
) -> None:
    """Let the edge NAME come to the broker, and write the folder that it needs for that: carry it to the site, and
    let only its owner read it. It may publish its own readings and state, and hear what is meant for it.

    \b
        jieneng edge enroll north --broker gateway.example:8883 --why "letter 12"
        jieneng edge enroll water-system --password
        jieneng edge enroll north --renew --into north-2028
    """
    from jieneng.enrolment import address_of, bus_for, identities

    topics, hears, days = given.pop("topic"), given.pop("hear"), given.pop("days")
    settings, into = _with(settings, given), into or Path(name)
    known = identities(settings)
    if renew:
        made = known.renew(name, into, None if broker is None else address_of(broker), by=who, days=days)
    else:
        bus = bus_for(settings, known, broker, password=password)
        kept, more = settings.bus == "embedded", {"topics": topics, "hears": hears}
        made = known.enroll(name, into, bus, by=who, why=why, password=password, kept=kept, days=days, **more)
    click.echo(f"{name} comes to {made.bus} by what is in {into}/; whoever has that folder comes as {name}")
    _tell(settings, made, "renewed" if renew else "enrolled", who, why)


@command.command()
@click.argument("name")
@options.who
@options.why
@options.chosen(options.bus, options.broker_port, options.broker_listen)
@options.of_records
def revoke(name: str, who: str, why: str, settings: Settings, **given: Any) -> None:
    """Let the edge NAME come to the broker no more, whatever it was given, and end its connection.

    \b
        jieneng edge revoke north --why "the box was stolen"
    """
    from jieneng.enrolment import identities

    settings = _with(settings, given)
    made = identities(settings).revoke(name, by=who)
    click.echo(f"{name} is revoked")
    _tell(settings, made, "revoked", who, why)


@command.command("list")
@options.chosen(options.config, options.data)
def list_(config: Path | None, **given: Any) -> None:
    """Who may come to the broker, by what, until when; and who might once."""
    from jieneng.commands.tables import local, row, show, table
    from jieneng.enrolment import identities
    from jieneng.settings import load_settings

    made = table("edge", "comes by", "until", "enrolled", "by", "state")
    for one in sorted(identities(load_settings(config, **given)).index.edges.values(), key=lambda e: e.name):
        state = "holds" if one.revoked_at is None else f"revoked {local(one.revoked_at)} by {one.revoked_by}"
        row(made, one.name, _means(one), one.until and local(one.until), local(one.at), one.by or "itself", state)
    show(made)


def _means(one: Enrolled) -> str:
    if one.own:
        return "both, on this machine"
    return "certificate" if one.certificates else "password"


def _with(settings: Settings, given: dict[str, Any]) -> Settings:
    return replace(settings, **{key: value for key, value in given.items() if value is not None})


def _tell(settings: Settings, one: Enrolled, what: str, who: str, why: str) -> None:
    """Tell the broker and the audit log what was done."""
    from jieneng.enrolment import told_audit, told_broker

    click.echo(told_broker(settings))
    serials = [held.serial for held in one.certificates]
    given = {"serials": serials, "until": one.until}
    after = {"state": what, **given, "topics": one.topics, "hears": one.hears, "password": not serials}
    doubt = told_audit(settings, one.name, {"after": after, "who": who, "why": why}, who)
    if doubt:
        click.echo(doubt, err=True)
