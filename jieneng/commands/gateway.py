"""`jieneng gateway`."""

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
    options.bus,
    options.broker_port,
    options.store,
    options.records,
    options.listen,
    options.accounts,
    options.behind_tls,
    options.clock,
    options.audit_days,
)
def command(config: Path | None, **given: Any) -> None:
    """Run the process at the centre: take readings from the broker, store them, tell the edges, serve API and page.

    Readings that cannot be stored are kept in quarantine (/api/v1/quarantine) with their reason.
    """
    from adapters.clocks import open_clock
    from gateway.app import GatewaySettings, run_gateway
    from jieneng.campus import shipped
    from jieneng.composition import load_installed
    from jieneng.logs import configure_logs

    configure_logs()
    settings = load_settings(config, **given)
    host, port = settings.host_and_port
    gateway = GatewaySettings(
        site=load_installed(settings.site_file()).site,
        bus=settings.bus_address,
        store=settings.store_address,
        quarantine=settings.data / "quarantine.sqlite",
        records=settings.records_address,
        factors=shipped("factors.yaml"),
        statistics=shipped("statistics"),
        host=host,
        port=port,
        key=settings.key,
        accounts_required=settings.accounts == "required",
        behind_tls=settings.behind_tls,
        audit_days=settings.audit_days,
    )
    options.run_until_signalled(run_gateway(gateway, open_clock(settings.clock)))
