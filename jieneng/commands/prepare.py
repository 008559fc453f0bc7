"""`jieneng prepare`."""

from __future__ import annotations

from pathlib import Path

import click

from jieneng.commands import options


@click.command()
@options.chosen(options.config, options.data)
@click.option(
    "--password",
    "passwords",
    type=click.Path(path_type=Path),
    multiple=True,
    help="File to hold a password, made where it is not there; repeat it.",
)
@click.option("--edge", "edges", multiple=True, help="Edge of this stack, which gets a folder; repeat it.")
@click.option("--into", type=click.Path(path_type=Path), default=Path("edges"), help="Where those folders lie. [edges]")
def command(
    config: Path | None, data: Path | None, passwords: tuple[Path, ...], edges: tuple[str, ...], into: Path
) -> None:
    """Make what a stack of containers or services needs before its first start, and only what is missing: random
    passwords in files for their owner alone, the authority and the certificates of the broker and of the gateway that
    the settings name, and folders with which edges come to it. Those that end within 60 days are renewed.

    \b
        jieneng prepare --config gateway.yaml --password /srv/postgres/password --edge simulated --into /srv/edges

    Other edges are let in by `jieneng edge enroll`.
    """
    from jieneng.preparing import prepare
    from jieneng.settings import load_settings

    for line in prepare(load_settings(config, data=data), passwords, edges, into):
        click.echo(line)
