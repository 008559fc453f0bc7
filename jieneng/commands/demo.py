"""`jieneng demo`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from jieneng.commands import options
from jieneng.settings import Settings, load_settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@options.chosen(options.data, options.bus, options.broker_port, options.listen)
def command(**given: Any) -> None:
    """See a campus of eight buildings alive: its meters are simulated and answer over Modbus TCP; the edge that reads
    them, the broker, the gateway and its page are the real ones.

    The first start gives the campus 400 days of past; data stay in the folder. Ctrl-C ends everything. Meanwhile, from
    another terminal:

    \b
        jieneng fault on leaking-pipe
        mosquitto_sub -p 18830 -t 'jieneng/v1/#' -v
        mbpoll -m tcp -p 15021 -a 2 -t 3:float -B -r 53 -1 127.0.0.1
    """
    from jieneng.campus import campus_files
    from jieneng.commands.run import parts, run_parts
    from jieneng.logs import configure_logs
    from jieneng.supervisor import must_be_free, own, stopped_by_signals

    configure_logs()
    settings = load_settings(None, **given)
    site_file, _ = campus_files(None, None)
    # On this machine alone nobody needs to sign in; whoever lets others come has accounts.
    accounts = "off" if settings.host_and_port[0] in _LOOPBACK else "required"
    settings = replace(settings, site=site_file, edge="demo", accounts=accounts)
    faults_file = settings.data / "simulated" / "faults.json"
    must_be_free(*settings.host_and_port)
    _give_past(settings, faults_file)
    logs = settings.data / "log"
    simulator = own("simulate", ["simulate", "--faults-file", str(faults_file)], logs / "simulate.log")
    with stopped_by_signals() as stop:
        run_parts(
            settings,
            lambda: [simulator, *parts(settings, logs)],
            stop,
            lambda address: click.echo(f"\n  {address}\n\nCtrl-C ends it. What the processes say is in {logs}/"),
        )


def _give_past(settings: Settings, faults_file: Path) -> None:
    from adapters.clocks import SystemClock
    from jieneng.campus import open_campus, shipped
    from jieneng.commands.import_readings import Bar
    from jieneng.composition import load_installed
    from jieneng.demo import give_alarms, give_past, give_tariffs, store_is_new

    tariffs = sorted(shipped("tariffs/example-tou.yaml").parent.glob("*.yaml"))
    asyncio.run(give_tariffs(settings.records_address, tariffs, SystemClock()))
    site, files = load_installed(settings.site_file()).site, ("alerts.yaml", "duty.yaml")
    rules, roster = (shipped(name).read_text(encoding="utf-8") for name in files)
    asyncio.run(give_alarms(settings.records_address, site, rules, roster, SystemClock()))
    if store_is_new(settings.data) and settings.store_address.startswith("duckdb:"):
        clock = SystemClock()
        fleet = open_campus(None, None, faults_file, clock)
        asyncio.run(give_past(fleet, settings.store_address, clock, Bar()))
