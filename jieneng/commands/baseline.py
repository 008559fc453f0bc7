"""`jieneng baseline`."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from analytics.contracts.baseline import Baseline
    from analytics.contracts.fitting import DayValues

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def command() -> None:
    """Baselines from files, for analysts; no records are touched. See docs/contracts.md."""


@command.command()
@click.option("--readings", type=_FILE, required=True, help="CSV: a day and its amount, or instants.")
@click.option("--weather", type=_FILE, required=True, help="CSV: a day and its mean temperature, or instants.")
@click.option("--from", "first", type=_DAY, required=True, help="The first day of the baseline period.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day of it, included.")
@click.option("--until", type=_DAY, help="Compare with what was measured after it, until this day.")
@click.option(
    "--model", type=click.Choice(["daily", "monthly"]), default="daily", help="Of days, or of months. [daily]"
)
@click.option("--zone", default="Asia/Shanghai", help="Where days begin. [Asia/Shanghai]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fit(
    readings: Path,
    weather: Path,
    first: Any,
    last: Any,
    until: Any,
    model: Literal["daily", "monthly"],
    zone: str,
    as_json: bool,
) -> None:
    """Fit a baseline, and tell how well it fits and what it says of the days after.

    \b
        jieneng baseline fit --readings kwh.csv --weather degc.csv --from 2025-01-01 --to 2025-12-31
    """
    import json

    from analytics.contracts.fitting import Named, fitted

    end = last.date() + timedelta(days=1)
    values = _values([readings, weather], zone, first.date(), end)
    made = fitted(values, model, Named("baseline", 1, "unit", (), ""))
    after = None if until is None else _after(made, [readings, weather], zone, end, until.date() + timedelta(days=1))
    if as_json:
        click.echo(json.dumps({**made.plain(), "out_of_sample": after}, ensure_ascii=False, indent=2))
        return
    _show(made, after)


def _values(files: list[Path], zone: str, first: date, end: date) -> DayValues:
    from analytics.contracts.day_kinds import kinds_of
    from analytics.contracts.fitting import DayValues
    from analytics.contracts.sufficiency import day_range
    from jieneng.contracts import values_of

    days = day_range(first, end)
    amounts, temperatures = values_of(files, zone, first, end)
    return DayValues(days, kinds_of(days), temperatures, amounts)


def _after(made: Baseline, files: list[Path], zone: str, first: date, end: date) -> dict[str, str | int]:
    """What the baseline says of the days after it, beside what was measured."""
    import numpy as np

    from analytics.contracts.baseline import UNITS
    from analytics.contracts.fit_figures import fit_figures

    values = _values(files, zone, first, end)
    said = made.of_days(values.kinds, values.temperature)
    known = [(a / 1e6, m / UNITS) for a, m in zip(values.amount, said, strict=True) if a is not None and m is not None]
    if not known:
        return {"days": 0}
    measured, modelled = (np.array(column) for column in zip(*known, strict=True))
    figures = fit_figures(measured, modelled, 0)
    error = float((modelled.sum() - measured.sum()) / measured.sum())
    return {"days": len(known), "cv_rmse": f"{figures.cv_rmse:.4f}", "total_error": f"{error:.4f}"}


def _show(made: Baseline, after: dict[str, str | int] | None) -> None:
    from jieneng.commands.tables import row, show, table

    curves = table("days", "base", "heating", "below", "cooling", "above")
    for kind, segment in made.segments.items():
        row(curves, kind.word, *segment.plain().values())
    show(curves)
    checks = table("test", "passed", "found", "wanted")
    for check in made.checks:
        row(checks, check.name, "yes" if check.passed else "NO", check.found, check.wanted)
    show(checks)
    if after is not None:
        click.echo("out of sample: " + ", ".join(f"{name} {value}" for name, value in after.items()))
