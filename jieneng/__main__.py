"""`jieneng`: one command, a subcommand per task; each imports what it needs when it is called."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from energy.errors import EnergyError

# name -> (module, what it is for)
_COMMANDS = {
    "demo": ("demo", "See a campus alive: simulated meters, everything else real."),
    "run": ("run", "Run edge, broker and gateway of one site on this machine."),
    "edge": ("edge", "Run the process at the site: read meters, publish readings."),
    "gateway": ("gateway", "Run the process at the centre: store readings, serve API and page."),
    "simulate": ("simulate", "Play meters: those of a site, or a bus whose meters misbehave."),
    "fault": ("fault", "Let a fault of the simulated meters begin or end."),
    "probe": ("probe", "Look which meters hang on a line, what they are, and propose the site file."),
    "read": ("read", "Read one meter once, and print what it says."),
    "write": ("write", "Write one setting of a meter that the site file switches on, and read it back."),
    "watch": ("watch", "Watch the meters of a site file as they are read, in the terminal."),
    "plan": ("plan", "Print by which requests a meter is read, and what they cost on the line."),
    "profiles": ("profiles", "List and show makes of meters, check a profile of your own."),
    "mappings": ("mappings", "Check and try how readings of other people's gateways are understood."),
    "import": ("import_readings", "Take readings from CSV or Parquet files into the store."),
    "accounts": ("accounts", "Say who may sign in, and what they may do."),
    "site": ("sites", "Bring a site file into the records, write one out, see what was changed."),
    "events": ("events", "Enter, list and withdraw what happened to meters."),
    "tariffs": ("tariffs", "Bring tariffs into the records, see what is there."),
    "bills": ("bills", "Enter what suppliers billed, and compare it with the meters."),
    "stock": ("stock", "Enter fuels that are bought and kept."),
    "quotas": ("quotas", "Enter what organisations may use, see how the year goes."),
    "forecast": ("forecast", "Tell what meters will have used by the end of a month or year."),
    "period": ("periods", "Close months, see what would differ, correct them by reversing entries."),
    "contracts": ("contracts", "Bring contracts paid from savings into the records, see what is there."),
    "settle": ("settle", "Draft, freeze and verify the statements of contracts."),
    "baseline": ("baseline", "Fit baselines to files, and see how well they fit."),
    "statistics": ("filings", "See who has filed the month, what is found in it, and write it as a workbook."),
    "consumption": ("consumption", "Tell what flowed through a counter, by hour, day, month or year."),
    "findings": ("findings", "List what does not look as it should, confirm or dismiss it."),
    "backtest": ("backtest", "Judge recorded consumption as it would have been judged day by day."),
    "alerts": ("alerts", "Rules of alarms, alarms, and the channels by which people are told."),
    "duty": ("duty", "Say who is on duty, and see it."),
    "ledger": ("ledger", "Make the ledger of consumption anew."),
    "prepare": ("prepare", "Make passwords and certificates for a stack that is started first."),
    "migrate": ("migrate", "Move readings, records and ledger to other stores, and compare them."),
    "setup": ("setup", "Make what a store in InfluxDB needs: buckets, what they keep, figures by the hour."),
    "grafana": ("grafana", "Make dashboards of Grafana out of the site: files, or into a running one."),
    "audit": ("audit", "See, check and export what was done, by whom."),
    "backup": ("backup", "Save everything as one file, while it runs; check such a file."),
    "restore": ("restore", "Put a backup back, checked and counted."),
    "openapi": ("openapi", "Print the description of the API."),
}

# So many objects may come before cycles among them are looked for. By the 700 of Python what is loaded at the start,
# none of which ever goes, is looked through 450 times: a sixth of the start of a gateway.
_OBJECTS = 10_000


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module: Any = import_module(f"jieneng.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Without importing the commands, which is most of what `--help` would take.
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="jieneng")
def jieneng() -> None:
    """Jieneng (节能): meters over Modbus, readings over MQTT, figures that can be signed."""


def main() -> None:
    """The entry point: errors that are ours are told in words, without a trace."""
    gc.set_threshold(_OBJECTS)
    try:
        jieneng(standalone_mode=True)
    except EnergyError as error:
        click.echo(f"jieneng: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
