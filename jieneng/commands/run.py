"""`jieneng run`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options
from jieneng.settings import Settings, load_settings


@click.command()
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.edge,
    options.bus,
    options.broker_port,
    options.store,
    options.listen,
    options.clock,
)
def command(config: Path | None, **given: Any) -> None:
    """Run edge, gateway and, unless --bus names another, a broker: everything for one site on this machine.

    Ctrl-C ends all of it. Example:

        jieneng run --site config/site.yaml --listen 127.0.0.1:8080
    """
    from jieneng.composition import load_installed
    from jieneng.logs import configure_logs
    from jieneng.supervisor import await_health, children, must_be_free, stopped_by_signals, watch

    configure_logs()
    settings = load_settings(config, **given)
    load_installed(settings.site_file())
    with ExitStack() as stack:
        stop = stack.enter_context(stopped_by_signals())
        must_be_free(*settings.host_and_port)
        start_broker(settings, stack)
        started = stack.enter_context(children(parts(settings, logs=None)))
        address = f"http://{settings.listen}"
        if await_health(address, started, stop):
            click.echo(address)
            watch(started, stop)


def start_broker(settings: Settings, stack: ExitStack) -> None:
    """Start the embedded broker if it is the one that is wanted."""
    from adapters.broker_nats import embedded_broker

    if settings.bus == "embedded":
        stack.enter_context(embedded_broker(settings.data / "broker", settings.broker_port))


def parts(settings: Settings, logs: Path | None) -> list[Any]:
    """Gateway and edge as children of this process."""
    from jieneng.supervisor import Part

    common = ["--site", str(settings.site_file()), "--data", str(settings.data), "--bus", settings.bus_address]
    common += ["--clock", settings.clock]
    gateway = ["gateway", *common, "--store", settings.store_address, "--listen", settings.listen]
    edge = ["edge", *common, "--edge", settings.edge]
    return [
        Part("gateway", gateway, logs / "gateway.log" if logs else None),
        Part("edge", edge, logs / "edge.log" if logs else None),
    ]
