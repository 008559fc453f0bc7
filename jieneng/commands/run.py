"""`jieneng run`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jieneng.commands import options

if TYPE_CHECKING:
    from jieneng.settings import Settings
    from jieneng.supervisor import Part


@click.command()
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.edge,
    options.bus,
    options.broker_port,
    options.broker_listen,
    options.store,
    options.ledger_memory_mb,
    options.records,
    options.listen,
    options.accounts,
    options.behind_tls,
    options.metrics_token_file,
    options.clock,
    options.meter_clock_s,
    options.audit_days,
    options.audit_folder,
    options.password_days,
    options.providers,
    options.channels,
    options.mappings,
    options.outbox_bytes,
    options.outbox_days,
    options.outbox_when_full,
    options.history_bytes_per_s,
    options.listen_health,
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
    from jieneng.roles import must_be_all
    from jieneng.settings import load_settings
    from jieneng.supervisor import stopped_by_signals

    configure_logs()
    settings = load_settings(config, **given)
    must_be_all(settings.gateway_roles)
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
    from adapters.broker_rules import GATEWAY
    from adapters.site_signing import open_signing_key
    from jieneng.supervisor import own

    # Each comes as itself.
    settings = replace(settings, identity=None)
    found = [_broker(settings)] if settings.bus == "embedded" else []
    common = ["--site", str(settings.site_file()), "--data", str(settings.data), "--clock", settings.clock]
    # By its public half the edge knows what the gateway hands over.
    open_signing_key(settings.identities)
    gateway = ["gateway", *common, "--edge", settings.edge, "--bus", settings.bus_of(GATEWAY)]
    gateway += ["--store", settings.store_address, "--listen", settings.listen]
    gateway += ["--ledger-memory-mb", str(settings.ledger_memory_mb)]
    gateway += ["--accounts", settings.accounts, *(["--behind-tls"] if settings.behind_tls else [])]
    gateway += ["--audit-days", str(settings.audit_days), "--meter-clock-s", str(settings.meter_clock_s)]
    gateway += [] if settings.audit_folder is None else ["--audit-folder", str(settings.audit_folder)]
    gateway += ["--password-days", str(settings.password_days)] if settings.password_days else []
    gateway += ["--providers", str(settings.providers)] if settings.providers else []
    gateway += ["--metrics-token-file", str(settings.metrics_token_file)] if settings.metrics_token_file else []
    gateway += ["--channels", str(settings.channels)] if settings.channels else []
    gateway += ["--mappings", str(settings.mappings)] if settings.mappings else []
    edge = ["edge", *common, "--bus", settings.bus_of(settings.edge), "--edge", settings.edge]
    edge += ["--outbox-bytes", str(settings.outbox_bytes)]
    edge += ["--outbox-days", str(settings.outbox_days), "--outbox-when-full", settings.outbox_when_full]
    edge += ["--history-bytes-per-s", str(settings.history_bytes_per_s)] if settings.history_bytes_per_s else []
    edge += ["--listen-health", settings.listen_health] if settings.listen_health else []
    # The addresses may hold passwords.
    told = {"JIENENG_RECORDS": settings.records_address}
    told |= {"JIENENG_LEDGER": settings.ledger} if settings.ledger else {}
    found.append(own("gateway", gateway, logs / "gateway.log" if logs else None, told))
    found.append(own("edge", edge, logs / "edge.log" if logs else None))
    return found


def _broker(settings: Settings) -> Part:
    """The embedded broker, with what gateway and edge come to it."""
    from adapters.broker_nats import Guard, answers, broker_command, forget_all
    from jieneng.enrolment import identities
    from jieneng.supervisor import Part

    (host, port), folder = settings.broker_listens, settings.data / "broker"
    at, tls, known = settings.broker_at, settings.broker_listen is not None, identities(settings)
    if known.ensure_own([settings.edge], [at[0]]):
        forget_all(folder)
    guard = Guard(known.users(tls=tls), known.transport if tls else None)
    command = broker_command(folder, port, host=host, guard=guard)
    return Part("broker", command, folder / "broker.log", ready=lambda: answers(at[1], at[0]))
