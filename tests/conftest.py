"""What all tests share: how hypothesis runs on a few busy cores, the databases of the records, where files are kept."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.databases import new_database, postgres
from tests.handing_out import HandingOut

__all__ = ["new_database", "postgres"]

settings.register_profile("shared-cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-cores")

# As in our processes (jieneng/__main__.py), and more: of the time of a test a fifth was spent on looking for cycles.
_OBJECTS = 50_000
# Files of tests are thrown away, and hundreds of databases are made of them: a disk takes longer than the tests.
_MEMORY, _ENOUGH = Path("/dev/shm"), 4 << 30


def pytest_configure() -> None:
    """Keep files in memory where there is enough of it, and nobody has named another place by TMPDIR."""
    gc.set_threshold(_OBJECTS, 20, 20)
    if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


def pytest_collection_finish() -> None:
    """Thousands of tests and all of the program stand until the end: they are not looked through for cycles again."""
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()


# How often what goes by the clock is tried where the machine is busy.
_TRIES = 6


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """What goes by the machine's clock, in parts of a second, is tried anew where the machine is busy: an answer that
    came too late for it says nothing. On a machine that is not, it is tried once."""
    if item.get_closest_marker("by_the_clock") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for _ in range(_TRIES - 1):
        if not any(report.failed for report in reports) or not _is_busy():
            break
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _is_busy() -> bool:
    return os.getloadavg()[0] > (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Of `-n auto`: more than there are cores, for who plays a journey waits most of the time."""
    told = "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return None if told else (os.cpu_count() or 1) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> HandingOut | None:
    """`--dist loadfile` keeps together what plays on the same ports, too, and begins with what takes long."""
    return HandingOut(config, log) if config.getvalue("dist") == "loadfile" else None
