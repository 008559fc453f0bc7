"""`jieneng grafana`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy.errors import EnergyError
from jieneng.commands import options

if TYPE_CHECKING:
    from gateway.dashboards.panels import Folder, Model
    from gateway.dashboards.pushing import Done
    from gateway.dashboards.sources import Sources
    from jieneng.grafana import Reader
    from jieneng.settings import Settings


@click.group()
def command() -> None:
    """Dashboards of Grafana, made out of the site. See docs/grafana.md."""


def _making(command: Callable[..., Any]) -> Callable[..., Any]:
    """Put on a command what says how dashboards are made; it is given as `settings`, `reader` and the rest."""

    @options.config
    @options.data
    @options.records
    @options.store
    @click.option("--language", type=click.Choice(["zh", "en"]), default="zh", help="Of titles and legends. [zh]")
    @click.option("--metrics", help="Prometheus that fetches /metrics of the gateway. [the VictoriaMetrics]")
    @click.option("--reader", "role", default="jieneng_reader", help="Role by which Grafana reads PostgreSQL.")
    @click.option(
        "--reader-password-file",
        default="/run/secrets/jieneng-reader",
        help="File with its password. [/run/secrets/jieneng-reader]",
    )
    @click.option(
        "--show-hidden",
        is_flag=True,
        envvar="JIENENG_GRAFANA_SHOW_HIDDEN",
        help="Make dashboards although the site hides some of its nodes.",
    )
    @click.option("--dry-run", "dry", is_flag=True, help="Only tell what would be done.")
    @click.option("--force", is_flag=True, help="Replace what was changed by somebody too.")
    @wraps(command)
    def resolved(
        *args: Any,
        config: Path | None,
        data: Path | None,
        records: str | None,
        store: str | None,
        ledger: str | None,
        role: str,
        reader_password_file: str,
        **given: Any,
    ) -> Any:
        from jieneng.grafana import Reader
        from jieneng.settings import load_settings

        settings = load_settings(config, data=data, records=records, store=store, ledger=ledger)
        return command(*args, settings=settings, reader=Reader(role, reader_password_file), **given)

    return resolved


@command.command()
@click.option("--into", type=click.Path(path_type=Path), required=True, help="Folder of provisioning.")
@click.option("--mounted", default="/etc/grafana/provisioning", help="Where Grafana sees that folder.")
@click.option("--grant", is_flag=True, help="Let the reader read, as the owner of the tables that the settings name.")
@click.option("--every", type=click.IntRange(10), help="Go on, and do it again after so many seconds.")
@_making
def files(
    into: Path, mounted: str, grant: bool, every: int | None, settings: Settings, reader: Reader, language: str,
    metrics: str | None, show_hidden: bool, dry: bool, force: bool,
) -> None:  # fmt: skip
    """Write data sources and dashboards as files that Grafana is provisioned by.

    \b
        jieneng grafana files --config config/production.yaml --into deploy/grafana/provisioning

    With them comes SQL that lets a role of its own read what they show, and nothing else. Exit code 1 where a file was
    left alone since somebody changed it.
    """
    from gateway.dashboards.files import Files, write_whole
    from jieneng.grafana import grant_all, grants

    def write(*, quietly: bool = False) -> int:
        folder, models, sources = _made(settings, reader, language, metrics, show_hidden)
        left = _tell(Files(into, mounted, dry, force).write(folder, models, sources.all), quietly=quietly)
        for name, text in grants(settings, reader).items():
            if not dry:
                write_whole(into / name, text)
        if grant and not dry:
            asyncio.run(grant_all(settings, reader))
        if not quietly:
            _tell_missing(sources)
        return left

    left = write()
    if every is not None:
        options.run_until_signalled(_again(lambda: write(quietly=True), every))
    sys.exit(1 if left else 0)


async def _again(write: Callable[[], int], every_s: int) -> None:
    """Do it again and again; what goes wrong is told, and tried the next time."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(write)
        except EnergyError as error:
            click.echo(str(error), err=True)


@command.command()
@click.option("--url", required=True, help="The Grafana: http://HOST:3000.")
@click.option("--token-file", type=click.Path(path_type=Path), required=True, help="File with a token of it.")
@click.option("--ca", help="File of whom https believes. [those of the system]")
@_making
def push(
    url: str, token_file: Path, ca: str | None, settings: Settings, reader: Reader, language: str,
    metrics: str | None, show_hidden: bool, dry: bool, force: bool,
) -> None:  # fmt: skip
    """Put data sources and dashboards into a running Grafana, and take away those of what is no more.

    \b
        jieneng grafana push --config config/production.yaml --url http://127.0.0.1:3000 --token-file token

    What somebody made or changed is left alone and told; then the exit code is 1.
    """
    from adapters.grafana_server import GrafanaServer
    from gateway.dashboards.pushing import Pushing
    from jieneng.grafana import token_of

    grafana = GrafanaServer(url, token_of(token_file), ca=ca)
    folder, models, sources = _made(settings, reader, language, metrics, show_hidden)
    left = _tell(Pushing(grafana, dry, force).push(folder, models, sources.all))
    _tell_missing(sources)
    sys.exit(1 if left else 0)


def _made(
    settings: Settings, reader: Reader, language: Any, metrics: str | None, show_hidden: bool
) -> tuple[Folder, list[Model], Sources]:
    from gateway.dashboards.making import dashboards, must_hide_nothing
    from gateway.dashboards.panels import Folder, Words
    from jieneng.grafana import known, sources_of

    sources = sources_of(settings, reader, metrics)
    found = asyncio.run(known(settings))
    if not show_hidden:
        must_hide_nothing(found.site)
    folder = Folder.of(found.site.id, found.site.name, Words(language))
    return folder, dashboards(found, sources, language), sources


def _tell(done: Iterable[Done], *, quietly: bool = False) -> int:
    """Print what became of everything, of what is as it should be only where it is not to be quiet; how much was left
    alone."""
    left = 0
    for one in done:
        left += one.left_alone
        if quietly and one.fate == "same":
            continue
        click.echo(f"{one.fate:<20} {one.what} {one.title} ({one.uid})" + (f": {one.why}" if one.why else ""))
    if left:
        click.echo(f"{left} left alone; --force replaces what was changed", err=True)
    return left


def _tell_missing(sources: Sources) -> None:
    for what in sources.missing:
        click.echo(f"not shown: {what}", err=True)
