"""`jieneng run`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options
from jieneng.settings import Settings, load_settings

if TYPE_CHECKING:
    from jieneng.supervisor import Part


@click.command()
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.edge,
    options.bus,
    options.broker_port,
    options.store,
    options.records,
    options.listen,
    options.accounts,
    options.behind_tls,
    options.clock,
    options.meter_clock_s,
    options.audit_days,
    options.audit_folder,
    options.password_days,
    options.providers,
    options.channels,
    options.outbox_bytes,
    options.outbox_days,
    options.outbox_when_full,
    options.history_bytes_per_s,
)
def command(config: Path | None, **given: Any) -> None:
    """Run edge, gateway and, unless --bus names another, a broker: everything for one site on this machine.

    At the first start the gateway prints a link by which the first administrator is made. Ctrl-C ends all of it.
    Example:

    \b
        jieneng run --site config/site.yaml --listen 127.0.0.1:8080
    """
    from jieneng.composition import load_installed
    from jieneng.logs import configure_logs
    from jieneng.providers import load_providers
    from jieneng.supervisor import stopped_by_signals

    configure_logs()
    settings = load_settings(config, **given)
    load_installed(settings.site_file())
    load_providers(settings.providers)
    with stopped_by_signals() as stop:
        run_parts(settings, lambda: parts(settings, logs=None), stop, click.echo)


def run_parts(
    settings: Settings, wanted: Callable[[], Sequence[Part]], stop: threading.Event, ready: Callable[[str], None]
) -> None:
    """Run the parts on the data folder until told to stop; `ready` is told the address when the gateway answers."""
    from jieneng.supervisor import await_health, children, must_be_free, sole_user, watch

    must_be_free(*settings.host_and_port)
    address = f"http://{settings.listen}"
    with sole_user(settings.data), children(wanted()) as started:
        if await_health(address, started, stop):
            ready(address)
            watch(started, stop)


def parts(settings: Settings, logs: Path | None) -> list[Part]:
    """The broker, if it is the embedded one, gateway and edge as children of this process."""
    from adapters.broker_nats import answers, broker_command
    from jieneng.supervisor import Part, own

    found: list[Part] = []
    if settings.bus == "embedded":
        folder, port = settings.data / "broker", settings.broker_port
        command = broker_command(folder, port)
        found.append(Part("broker", command, folder / "broker.log", ready=lambda: answers(port)))
    common = ["--site", str(settings.site_file()), "--data", str(settings.data), "--bus", settings.bus_address]
    common += ["--clock", settings.clock]
    gateway = ["gateway", *common, "--store", settings.store_address, "--listen", settings.listen]
    gateway += ["--accounts", settings.accounts, *(["--behind-tls"] if settings.behind_tls else [])]
    gateway += ["--audit-days", str(settings.audit_days), "--meter-clock-s", str(settings.meter_clock_s)]
    gateway += [] if settings.audit_folder is None else ["--audit-folder", str(settings.audit_folder)]
    gateway += ["--password-days", str(settings.password_days)] if settings.password_days else []
    gateway += ["--providers", str(settings.providers)] if settings.providers else []
    gateway += ["--channels", str(settings.channels)] if settings.channels else []
    edge = ["edge", *common, "--edge", settings.edge, "--outbox-bytes", str(settings.outbox_bytes)]
    edge += ["--outbox-days", str(settings.outbox_days), "--outbox-when-full", settings.outbox_when_full]
    edge += ["--history-bytes-per-s", str(settings.history_bytes_per_s)] if settings.history_bytes_per_s else []
    # The address may hold a password.
    told = {"JIENENG_RECORDS": settings.records_address}
    found.append(own("gateway", gateway, logs / "gateway.log" if logs else None, told))
    found.append(own("edge", edge, logs / "edge.log" if logs else None))
    return found
