"""What all tests share: how hypothesis runs on a few busy cores, the databases of the records, where files are kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.databases import new_database, postgres
from tests.handing_out import HandingOut

__all__ = ["new_database", "postgres"]

settings.register_profile("shared-cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-cores")

# Files of tests are thrown away, and hundreds of databases are made of them: a disk takes longer than the tests.
_MEMORY, _ENOUGH = Path("/dev/shm"), 4 << 30


def pytest_configure() -> None:
    """Keep files in memory where there is enough of it, and nobody has named another place by TMPDIR."""
    if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> HandingOut | None:
    """`--dist loadfile` keeps together what plays on the same ports, too, and begins with what takes long."""
    return HandingOut(config, log) if config.getvalue("dist") == "loadfile" else None
