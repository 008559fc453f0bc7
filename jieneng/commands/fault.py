"""`jieneng fault`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("action", type=click.Choice(["list", "on", "off"]))
@click.argument("name", required=False)
@click.option("--site", type=click.Path(path_type=Path), help="Site file. [the demo campus]")
@click.option("--recipes", type=click.Path(path_type=Path), help="Where the faults are named. [SITE-campus.yaml]")
@click.option(
    "--faults-file",
    type=click.Path(path_type=Path),
    default=Path("var/simulated/faults.json"),
    show_default=True,
    help="Where it is kept when each fault was on; the same as of the running simulator.",
)
def command(action: str, name: str | None, site: Path | None, recipes: Path | None, faults_file: Path) -> None:
    """Let a fault of the simulated meters begin or end, while they run. Of a demo that runs with --data DIR, the faults
    file is DIR/simulated/faults.json.

    \b
        jieneng fault list
        jieneng fault on leaking-pipe
        jieneng fault off leaking-pipe
    """
    from adapters.clocks import SystemClock
    from collectors.simulators.faults import FaultLog
    from jieneng.campus import campus_files, read_plant

    now = SystemClock().now()
    log = FaultLog(read_plant(*campus_files(site, recipes), now).faults, faults_file)
    if action == "list":
        for fault in log.faults.values():
            state = "on" if log.is_on(fault.id, now) else "off"
            click.echo(f"{fault.id:20} {state:4} {fault.meter:24} {fault.name.zh} / {fault.name.en}")
        return
    if name is None:
        raise click.UsageError("name the fault; `jieneng fault list` shows them")
    (log.switch_on if action == "on" else log.switch_off)(name, now)
    click.echo(f"{name} is {action}")
