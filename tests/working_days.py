"""The working calendar that is shipped."""

from __future__ import annotations

from pathlib import Path

from energy.working_day_files import read_working_days

FILE = Path(__file__).parents[1] / "config" / "calendar" / "china.yaml"
CHINA = read_working_days([FILE])
