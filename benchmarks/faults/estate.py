"""The estate into which faults are put: pairs of years of every building that was metered well, split by building."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from benchmarks.faults.inject import SEED, Hourly, Injected, inject
from energy.working_days import DayType, WorkingDays, day_number

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "cambridge"
# First years of pairs that do not overlap: a year of history, and the year that is judged.
_FIRST_YEARS = (2014, 2016, 2018, 2021)
_HELD_OUT = 0.4
_MOST_ZEROS = {"electricity": 0.05, "gas": 0.5}
_LEAST_MEASURED = 0.97
# Bank holidays of England and Wales (gov.uk), and the days on which the university is closed at the end of a year.
_HOLIDAYS = """
2014-01-01 2014-04-18 2014-04-21 2014-05-05 2014-05-26 2014-08-25 2015-01-01 2015-04-03 2015-04-06 2015-05-04 2015-05-25
2015-08-31 2016-01-01 2016-03-25 2016-03-28 2016-05-02 2016-05-30 2016-08-29 2017-01-02 2017-04-14 2017-04-17 2017-05-01
2017-05-29 2017-08-28 2018-01-01 2018-03-30 2018-04-02 2018-05-07 2018-05-28 2018-08-27 2019-01-01 2019-04-19 2019-04-22
2019-05-06 2019-05-27 2019-08-26 2020-01-01 2020-04-10 2020-04-13 2020-05-08 2020-05-25 2020-08-31 2021-01-01 2021-04-02
2021-04-05 2021-05-03 2021-05-31 2021-08-30 2022-01-03 2022-04-15 2022-04-18 2022-05-02 2022-06-02 2022-06-03 2022-08-29
2022-09-19
""".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Estate:
    """Meters of a medium over two years, whole days of UTC.

    use : (m, n) consumption of each hour, with faults in the second year; NaN where missing.
    labels : (m, n) kind of fault of each hour. faults : of each meter. first_day : its number since 1970.
    judged : the first hour of the second year. held_out : (m,) whether the building may only be judged, not tuned on.
    """

    medium: str
    buildings: tuple[str, ...]
    use: Hourly
    labels: npt.NDArray[np.int8]
    faults: tuple[tuple[Injected, ...], ...]
    first_day: int
    judged: int
    held_out: npt.NDArray[np.bool_]

    def of(self, held_out: bool) -> Estate:
        """The buildings of one side of the split."""
        rows = np.flatnonzero(self.held_out == held_out)
        return Estate(
            self.medium,
            tuple(self.buildings[i] for i in rows),
            self.use[rows],
            self.labels[rows],
            tuple(self.faults[i] for i in rows),
            self.first_day,
            self.judged,
            self.held_out[rows],
        )


def calendar() -> WorkingDays:
    """The working days of the estate."""
    closed = [f"{y}-12-{d}" for y in range(2014, 2023) for d in range(24, 32)]
    return WorkingDays(own={day_number(date.fromisoformat(d)): DayType.HOLIDAY for d in [*_HOLIDAYS, *closed]})


def estates(medium: str) -> Iterator[Estate]:
    """Every pair of years of a medium."""
    file = DATA / f"{medium}_hourly_even.parquet"
    table = duckdb.connect().execute(f"SELECT * FROM '{file}' ORDER BY datetime").fetchnumpy()
    at = table.pop("datetime").astype("datetime64[h]")
    buildings = sorted(table, key=lambda b: int(b[1:]))
    use = np.stack([np.ma.filled(np.ma.asarray(table[b]).astype(np.float32), np.nan) for b in buildings])
    held = np.isin(buildings, _held_out())
    for year in _FIRST_YEARS:
        begins, judged, ends = (np.datetime64(f"{y}-01-01T00", "h") for y in (year, year + 1, year + 2))
        pair = use[:, np.searchsorted(at, begins) : np.searchsorted(at, ends)]
        yield _estate(medium, buildings, pair, int((judged - begins).astype(int)), begins, held)


def _estate(
    medium: str, buildings: list[str], use: Hourly, judged: int, begins: np.datetime64, held: npt.NDArray[np.bool_]
) -> Estate:
    good = [
        i for i in range(len(buildings)) if all(_is_good(medium, part) for part in (use[i, :judged], use[i, judged:]))
    ]
    first_day = int(begins.astype("datetime64[D]").astype(int))
    weekday = (first_day + 3 + np.arange(use.shape[1] // 24)) % 7
    made = [inject(use[i], judged, weekday, f"{medium} {buildings[i]} {begins}") for i in good]
    return Estate(
        medium,
        tuple(buildings[i] for i in good),
        np.stack([m[0] for m in made]),
        np.stack([m[1] for m in made]),
        tuple(tuple(m[2]) for m in made),
        first_day,
        judged,
        held[good],
    )


def _is_good(medium: str, use: Hourly) -> bool:
    measured = np.isfinite(use)
    return bool(
        measured.mean() >= _LEAST_MEASURED and (use == 0).mean() <= _MOST_ZEROS[medium] and use[measured].mean() > 0
    )


def _held_out() -> list[str]:
    """The buildings that are held out: the same for every medium and year."""
    files = [DATA / f"{medium}_hourly_even.parquet" for medium in _MOST_ZEROS]
    named = {row[0] for f in files for row in duckdb.connect().execute(f"DESCRIBE SELECT * FROM '{f}'").fetchall()}
    drawn = {b: np.random.default_rng([SEED, int(b[1:])]).random() for b in named - {"datetime"}}
    return sorted(drawn, key=drawn.__getitem__)[: round(_HELD_OUT * len(drawn))]
