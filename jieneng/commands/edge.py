"""`jieneng edge`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from jieneng.commands import options
from jieneng.settings import load_settings


@click.command()
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
)
def command(config: Path | None, **given: Any) -> None:
    """Run the process at the site: read the meters of the site file at their ticks, keep the readings in an outbox on
    disk, publish them, and forget them when the gateway has stored them.

    The broker of `jieneng run` is found without --bus; any other is named, for example

    \b
        jieneng edge --site config/site.yaml --edge north --bus mqtts://broker.example:8883?ca=ca.pem
    """
    from adapters.clocks import open_clock
    from adapters.outbox_sqlite import Bounds
    from edge.app import EdgeSettings, run_edge
    from jieneng.composition import load_installed
    from jieneng.logs import configure_logs

    configure_logs()
    settings = load_settings(config, **given)
    installed = load_installed(settings.site_file())
    edge = EdgeSettings(
        edge=settings.edge,
        site=installed.site,
        profiles=installed.profiles,
        bus=settings.bus_address,
        outbox=settings.data / "outbox" / f"{settings.edge}.sqlite",
        bounds=Bounds(settings.outbox_bytes, settings.outbox_days, settings.outbox_when_full),
        history_bytes_per_s=settings.history_bytes_per_s,
        learnt=settings.data / "learnt" / settings.edge,
    )
    options.run_until_signalled(run_edge(edge, open_clock(settings.clock)))
