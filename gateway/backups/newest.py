"""When the newest backup became whole: noted in the data folder by who made it, told by the gateway of that folder."""

from __future__ import annotations

from pathlib import Path

import structlog

log = structlog.get_logger()

# In the data folder: an empty file, as old as the newest backup that `jieneng backup` wrote whole.
BACKED_UP = ".backed-up"


def note_backup(data: Path) -> None:
    """Say that a backup is whole now; one that cannot be noted is a backup all the same."""
    try:
        (data / BACKED_UP).touch()
    except OSError as error:
        log.error("backup.undated", cause=str(error))


def backed_up_at(data: Path) -> float | None:
    """When that was [s since the epoch]; None where it is not known."""
    try:
        return (data / BACKED_UP).stat().st_mtime
    except OSError:
        return None
