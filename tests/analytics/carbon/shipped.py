"""The factor file that is shipped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from analytics.carbon.factor_file import FactorBook, read_factors

FILE = Path(__file__).parents[3] / "config" / "factors.yaml"


@cache
def book() -> FactorBook:
    return read_factors(FILE)
