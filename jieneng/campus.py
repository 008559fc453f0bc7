"""The demo campus: where its files are, and its simulated meters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from collectors.simulators.campus import Campus, read_campus
from collectors.simulators.faults import FaultLog
from collectors.simulators.fleet import Fleet
from energy.ports import Clock
from jieneng.composition import load_installed
from jieneng.shipped import calendar, shipped


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
