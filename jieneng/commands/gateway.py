"""`jieneng gateway`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from jieneng.commands import options


@click.command()
@options.chosen(
    options.config,
    options.site,
    options.data,
    options.edge,
    options.bus,
    options.broker_port,
    options.broker_listen,
    options.identity,
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
    options.roles,
    options.name,
)
def command(config: Path | None, **given: Any) -> None:
    """Run the process at the centre: take readings from the broker, store them, tell the edges, serve API and page.

    Each edge is handed the lines of its own and their meters as a signed site file; --edge names the one of the lines
    that name none. Readings that cannot be stored are kept in quarantine (/api/v1/quarantine) with their reason.

    With --roles it does a part of this, and is one of several processes over a broker, a store and databases that all
    of them reach; each has a --name of its own.
    """
    from adapters.broker_rules import GATEWAY
    from adapters.clocks import open_clock
    from adapters.mapping_files import read_mappings
    from gateway.accounts.passwords import PasswordRules
    from gateway.accounts.service import AccountRules
    from gateway.app import GatewaySettings, run_gateway
    from jieneng.alerts import alarm_channels
    from jieneng.composition import load_installed
    from jieneng.logs import configure_logs
    from jieneng.providers import load_providers
    from jieneng.roles import must_fit
    from jieneng.settings import load_settings
    from jieneng.shipped import calendar_files, quota_standards, shipped

    configure_logs()
    settings = load_settings(config, **given)
    must_fit(settings.gateway_roles, settings.bus, settings.store_address, settings.ledger, settings.records_address)
    host, port = settings.host_and_port
    folder = settings.mappings_folder
    providers = load_providers(settings.providers)
    gateway = GatewaySettings(
        site=load_installed(settings.site_file()).site,
        bus=settings.bus_of(GATEWAY),
        store=settings.store_address,
        ledger=settings.ledger,
        ledger_memory_mb=settings.ledger_memory_mb,
        quarantine=settings.data / "quarantine.sqlite",
        records=settings.records_address,
        factors=shipped("factors.yaml"),
        contract_rules=shipped("contract-rules.yaml"),
        statistics=shipped("statistics"),
        host=host,
        port=port,
        key=settings.key,
        accounts_required=settings.accounts == "required",
        behind_tls=settings.behind_tls,
        account_rules=AccountRules(PasswordRules(longest_days=settings.password_days), providers=providers),
        audit_days=settings.audit_days,
        meter_clock_s=settings.meter_clock_s,
        audit=settings.audit_folder,
        calendars=calendar_files(settings.data),
        quota_standards=quota_standards(),
        forecast_misses=shipped("forecast-misses.yaml"),
        channels=alarm_channels(settings),
        identities=settings.identities,
        mappings=tuple(read_mappings(folder)) if folder is not None else (),
        edge=settings.edge,
        metrics_token=settings.metrics_token,
        roles=settings.gateway_roles,
        name=settings.process_name,
    )
    options.run_until_signalled(run_gateway(gateway, open_clock(settings.clock)))
