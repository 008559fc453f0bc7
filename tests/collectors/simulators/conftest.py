"""The demo site and its campus, made once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.site_files import read_site
from collectors.simulators.campus import Campus, read_campus
from energy.sites import Site
from tests.working_days import CHINA

CONFIG = Path(__file__).parents[3] / "config"
# A Wednesday in the heating season, 10:00 at the site.
NOW = datetime(2026, 1, 14, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def site() -> Site:
    return read_site(CONFIG / "demo.yaml")[0]


@pytest.fixture(scope="session")
def campus(site: Site) -> Campus:
    return read_campus(CONFIG / "demo-campus.yaml", site, NOW, CHINA)
