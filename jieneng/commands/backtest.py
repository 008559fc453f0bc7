"""`jieneng backtest`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--readings", type=_FILE, required=True, help="Hours: meter, medium, at, value; CSV or Parquet.")
@click.option("--labels", type=_FILE, help="What is known to be faulty: meter, from, to, kind; CSV or Parquet.")
@click.option("--calendar", type=_FILE, multiple=True, help="Working calendar, over that of China. Repeatable.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="Zone in which days begin.")
@click.option("--scores", type=click.Path(path_type=Path, dir_okay=False), help="Write the score of every hour here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(readings: Path, labels: Path | None, scores: Path | None, as_json: bool, **given: Any) -> None:
    """Judge recorded consumption as it would have been judged while it went by: no hour knows what comes after it.

    With labels it tells how well they are found, without them the events. A score from 1 on is a finding.

    \b
        jieneng backtest --readings hours.parquet --labels faults.csv --json
    """
    from energy.working_day_files import read_working_days
    from jieneng.backtest import events_of, judged, read_labels, read_recorded, write_scores
    from jieneng.shipped import shipped

    calendar = read_working_days([shipped("calendar/china.yaml"), *given["calendar"]])
    recorded = read_recorded(readings, ZoneInfo(given["zone"]), calendar)
    found, tally = judged(recorded, read_labels(labels) if labels else {})
    if scores is not None:
        write_scores(scores, recorded, found)
    events = [e for of, one in zip(recorded, found, strict=True) for e in events_of(of, one)]
    answer: dict[str, Any] = tally.figures() if labels else {"events": events}
    click.echo(json.dumps(answer, indent=2) if as_json else _told(answer, events, labelled=labels is not None))


def _told(answer: dict[str, Any], events: list[dict[str, Any]], *, labelled: bool) -> str:
    if labelled:
        return "\n".join(f"{name:30} {value}" for name, value in answer.items())
    lines = [f"{e['from']}  {e['to']}  {e['meter']:24} {e['kind']:10} {e['excess']:>12}" for e in events]
    return "\n".join(lines) or "nothing was found"
