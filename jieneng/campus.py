"""The demo campus: where its files are, and its simulated meters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from collectors.simulators.campus import Campus, read_campus
from collectors.simulators.faults import FaultLog
from collectors.simulators.fleet import Fleet
from energy.ports import Clock
from energy.working_day_files import read_working_days
from energy.working_days import WorkingDays
from jieneng.composition import load_installed

# Shipped in the wheel beside the package, and in a checkout at its root.
_FOLDERS = (Path(__file__).parent / "config", Path(__file__).parent.parent / "config")


def shipped(name: str) -> Path:
    """A file or folder of `config/`."""
    for folder in _FOLDERS:
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(name)


def quota_standards() -> tuple[Path, ...]:
    """The files of quota standards as shipped."""
    return tuple(sorted(shipped("forecast-misses.yaml").parent.joinpath("quotas").glob("*.yaml")))


def calendar() -> WorkingDays:
    """The working calendar of China as shipped."""
    return read_working_days([shipped("calendar/china.yaml")])


def calendar_files(data: Path) -> tuple[Path, ...]:
    """The shipped working calendar, and the operator's own files in `calendar` of the data folder over it."""
    own = [f for f in sorted((data / "calendar").glob("*")) if f.suffix.lower() in (".yaml", ".yml", ".csv")]
    return shipped("calendar/china.yaml"), *own


def campus_files(site_file: Path | None, recipes: Path | None) -> tuple[Path, Path]:
    """The site file and the recipes of its loads, which stand beside it as NAME-campus.yaml."""
    site_file = site_file or shipped("demo.yaml")
    return site_file, recipes or site_file.with_name(f"{site_file.stem}-campus.yaml")


def read_plant(site_file: Path, recipes: Path, until: datetime) -> Campus:
    """The loads of a site."""
    return read_campus(recipes, load_installed(site_file).site, until, calendar())


def open_campus(site_file: Path | None, recipes: Path | None, faults_file: Path, clock: Clock) -> Fleet:
    """The simulated meters of a site, ready to be entered."""
    site_file, recipes = campus_files(site_file, recipes)
    site = load_installed(site_file).site
    plant = read_campus(recipes, site, clock.now(), calendar())
    return Fleet(site, plant, now=clock.now, faults=FaultLog(plant.faults, faults_file))
