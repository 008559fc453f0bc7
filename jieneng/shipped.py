"""What is shipped beside the programs: files of `config/`, and working calendars with the operator's own over them."""

from __future__ import annotations

from pathlib import Path

from energy.working_day_files import read_working_days
from energy.working_days import WorkingDays

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
