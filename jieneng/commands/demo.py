"""`jieneng demo`."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import click

from jieneng.commands import options

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
LEAK_AFTER_MIN = 3.0


@click.command()
@options.chosen(options.data, options.bus, options.broker_port, options.listen)
@click.option(
    "--leak-after",
    type=click.FloatRange(min=0),
    default=LEAK_AFTER_MIN,
    show_default=True,
    metavar="MINUTES",
    help="When a pipe bursts in the library, counted from the start; 0: never.",
)
def command(leak_after: float, **given: Any) -> None:
    """See a campus of eight buildings alive: its meters are simulated and answer over Modbus TCP; the edge that reads
    them, the broker, the gateway and its page are the real ones.

    The first start gives the campus two years of past and what people made of it: findings, quotas, a contract with its
    statements, the monthly statistics. A few minutes after each start a pipe bursts, and whoever is on duty is told.
    Data stay in the folder. Ctrl-C ends everything. Meanwhile, from another terminal:

    \b
        jieneng fault on leaking-pipe
        mosquitto_sub -p 18830 -t 'jieneng/v1/#' -v
        mbpoll -m tcp -p 15021 -a 2 -t 3:float -B -r 53 -1 127.0.0.1
    """
    from jieneng.campus import campus_files
    from jieneng.commands.import_readings import Bar
    from jieneng.commands.run import parts, run_parts
    from jieneng.demo import prepare
    from jieneng.logs import configure_logs
    from jieneng.settings import load_settings
    from jieneng.story.watching import Watching
    from jieneng.supervisor import must_be_free, own, stopped_by_signals

    # What is done while the past is made is told by bars.
    configure_logs(least=logging.WARNING)
    settings = load_settings(None, **given)
    site_file, _ = campus_files(None, None)
    # On this machine alone nobody needs to sign in; whoever lets others come has accounts.
    accounts = "off" if settings.host_and_port[0] in _LOOPBACK else "required"
    settings = replace(settings, site=site_file, edge="demo", accounts=accounts)
    must_be_free(*settings.host_and_port)
    logs = settings.data / "log"
    demo = asyncio.run(prepare(settings, Bar))
    simulator = own("simulate", ["simulate", "--faults-file", str(demo.faults_file)], logs / "simulate.log")
    with stopped_by_signals() as stop, Watching(settings, demo, leak_after, stop, click.echo) as watching:

        def tell(_address: str) -> None:
            click.echo(watching.sights())
            click.echo(f"\nCtrl-C ends it. What the processes say is in {logs}/")
            watching.begin()

        run_parts(settings, lambda: [simulator, *parts(settings, logs)], stop, tell)
