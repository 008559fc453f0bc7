"""`jieneng edge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options
from jieneng.settings import Settings, load_settings

if TYPE_CHECKING:
    from edge.applying import Handed


@click.command()
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.edge,
    options.gateway_key,
    options.bus,
    options.broker_port,
    options.clock,
)
def command(config: Path | None, **given: Any) -> None:
    """Run the process at the site: read the meters of the site file at their ticks, keep the readings in an outbox on
    disk, publish them, and forget them when the gateway has stored them.

    With --gateway-key the site file comes from the gateway, and --site is read until the first one has come, if it is
    given at all; without it --site holds. The broker of `jieneng run` is found without --bus; any other is named, for
    example

    \b
        jieneng edge --site config/site.yaml --edge north --bus mqtts://broker.example:8883?ca=ca.pem
    """
    from adapters.clocks import open_clock
    from edge.app import EdgeSettings, run_edge
    from jieneng.composition import load_own, version_of
    from jieneng.logs import configure_logs

    configure_logs()
    settings = load_settings(config, **given)
    handed = _handed(settings)
    file = settings.site if handed is not None else settings.site_file()
    installed = None if file is None else load_own(file, settings.edge)
    edge = EdgeSettings(
        edge=settings.edge,
        site=None if installed is None else installed.site,
        profiles={} if installed is None else installed.profiles,
        bus=settings.bus_address,
        outbox=settings.data / "outbox" / f"{settings.edge}.sqlite",
        version="none" if file is None else version_of(file),
        handed=handed,
        learnt=settings.data / "learnt" / settings.edge,
    )
    options.run_until_signalled(run_edge(edge, open_clock(settings.clock)))


def _handed(settings: Settings) -> Handed | None:
    from adapters.site_keeping import SiteKeeping
    from adapters.site_signing import read_public_key
    from edge.applying import Handed
    from jieneng.composition import load_installed

    if settings.gateway_key is None:
        return None
    files = SiteKeeping(settings.data / "handed" / settings.edge)
    return Handed(read_public_key(settings.gateway_key), files, load_installed)
