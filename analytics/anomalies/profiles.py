"""What a meter usually uses: medians by kind of day and hour over trailing weeks, many meters at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energy.working_days import Mask, Numbers

HOURS = 24
TRAILING_DAYS = 56
# The same weeks of the year before, two to either side, tell of seasons and terms.
_YEAR_DAYS = 364
_EITHER_SIDE = 14
# The year before is brought to the level of now, by so much at most, where its level is known from as many days.
_MOST_LEVEL = np.float32(2.0)
_LEAST_LEVEL_DAYS = 28
# Where the upper days of those weeks, one in five of them, lie so many times above what is usual now, a season began.
_TURNED = np.float32(1.8)
_SEASON = 1 / 5
# Fewer days of a kind than this, and all days of the window are taken.
_LEAST_DAYS = 4
# Of a normal distribution, the median deviation is 1/1.4826 of the standard deviation.
_TO_SIGMA = 1.4826
# A spread is never taken for less than this share of what the meter usually varies, nor of its usual level.
_FLOOR_OF_VARIATION = 0.15
_FLOOR_OF_LEVEL = 0.05
_CHUNK = 2000

Hourly = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is usual in each hour of a day, for m meters [unit of the meter].

    expected, spread : (m, 24) median, and a robust standard deviation that is never 0 for a meter that uses anything.
    days : (m,) how many days of this kind it stands on.
    """

    expected: Hourly
    spread: Hourly
    days: npt.NDArray[np.int32]


def by_day(use: Hourly) -> Hourly:
    """(m, d * 24) consumption as (m, 24, d): the days of an hour beside each other, as medians over days want them."""
    m, n = use.shape
    return np.ascontiguousarray(use.reshape(m, n // HOURS, HOURS).transpose(0, 2, 1))


def profile_of(cube: Hourly, alike: Mask, usable: Mask | None = None) -> Profile:
    """The profile that trailing days give.

    Parameters
    ----------
    cube : (m, 24, k) consumption of the trailing days by hour; NaN where missing.
    alike : (k,) which of the days are of the kind that is asked for.
    usable : (m, k) which days of a meter may be learnt from; None for all.

    A meter with fewer than 4 days of the kind is told what all its days give.
    """
    parts = [
        _of_chunk(cube[i : i + _CHUNK], alike, None if usable is None else usable[i : i + _CHUNK])
        for i in range(0, max(len(cube), 1), _CHUNK)
    ]
    return Profile(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("expected", "spread", "days")))


def _of_chunk(cube: Hourly, alike: Mask, usable: Mask | None) -> Profile:
    kept = cube if usable is None else np.where(usable[:, None, :], cube, np.float32(np.nan))
    of_kind = kept[:, :, alike]
    days = np.isfinite(of_kind).any(axis=1).sum(axis=1).astype(np.int32)
    expected, spread = _median_and_spread(of_kind)
    few = days < _LEAST_DAYS
    if few.any():
        expected[few], spread[few] = _median_and_spread(cube[few])
    level = np.abs(_mean(expected))
    floor = _FLOOR_OF_VARIATION * _mean(spread)[:, None] + _FLOOR_OF_LEVEL * np.maximum(
        level[:, None], np.abs(expected)
    )
    # Neighbouring hours tell about each other, and one hour stands on few days.
    smooth = (np.roll(spread, 1, axis=1) + 2 * spread + np.roll(spread, -1, axis=1)) / 4
    return Profile(expected, np.maximum(np.maximum(spread, smooth), floor).astype(np.float32), days)


def median(values: Hourly) -> Hourly:
    """(..., k) to (...): the median of what is not NaN; NaN where nothing is. By sorting: far faster than nanmedian."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(values).sum(axis=-1)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    high = np.minimum(high, max(values.shape[-1] - 1, 0))
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan, np.float32)
    taken = [np.take_along_axis(ordered, i[..., None], axis=-1)[..., 0] for i in (low, high)]
    return np.asarray((taken[0] + taken[1]) / 2, dtype=np.float32)


def _median_and_spread(values: Hourly) -> tuple[Hourly, Hourly]:
    middle = median(values)
    return middle, np.float32(_TO_SIGMA) * median(np.abs(values - middle[..., None]))


def _mean(of_hours: Hourly) -> Hourly:
    """(m, 24) to (m,), of what is known."""
    known = np.isfinite(of_hours)
    return np.asarray(np.where(known, of_hours, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), dtype=np.float32)


def usual(cube: Hourly, worked: Mask, day: int) -> tuple[Profile, Profile]:
    """What is usual of a worked and of another day, by the weeks before and by the same weeks of the year before.

    Parameters
    ----------
    cube : (m, 24, d) consumption by hour and day, as `by_day` makes it. worked : (d,) which days are worked.
    day : position of the day that is asked for; nothing is looked at from it on.
    """
    days = _days_to_learn_from(day)
    past = cube[:, :, days]
    of_year_before = days < day - TRAILING_DAYS
    past[:, :, of_year_before] *= _growth(cube, day)[:, None, None]
    then = past[:, :, of_year_before], worked[days][of_year_before]
    turned = _turned(cube, day)
    of_worked, of_rest = both_kinds(past, worked[days])
    return _of_season(of_worked, turned, *then), _of_season(of_rest, turned, then[0], ~then[1])


def _turned(cube: Hourly, day: int) -> Mask:
    """(m,) whether a season began around the same day of the year before: far more than in the eight weeks before."""
    before = day - _YEAR_DAYS
    around = cube[:, :, max(before - _EITHER_SIDE, 0) : max(before + _EITHER_SIDE + 1, 0)]
    level, known = _level(cube[:, :, max(before - TRAILING_DAYS, 0) : max(before, 0)])
    return np.asarray((known >= _LEAST_LEVEL_DAYS) & (_upper(_daily(around)) > _TURNED * level))


def _of_season(profile: Profile, turned: Mask, cube: Hourly, alike: Mask) -> Profile:
    """The profile whose spread reaches up to what the same weeks of the year before used, where that was far more.

    turned : (m,) as `_turned` tells. cube : (m, 24, k) consumption of these weeks. alike : (k,) which of the days are
    of the profile's kind. Heating that is switched on a week sooner or later than the year before, a term that begins,
    is then no surprise.
    """
    if alike.sum() < _LEAST_DAYS:
        return profile
    of_kind = cube[:, :, alike]
    more = np.flatnonzero(turned & (_upper(_daily(of_kind)) > _TURNED * _mean(profile.expected)))
    spread = profile.spread.copy()
    spread[more] = np.fmax(spread[more], _upper(of_kind[more]) - profile.expected[more])
    return Profile(profile.expected, spread, profile.days)


def _upper(values: Hourly) -> Hourly:
    """(..., k) to (...): what a part of them lies above; NaN where nothing is known."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan, np.float32)
    ordered = np.sort(values, axis=-1)
    last = np.maximum(np.isfinite(ordered).sum(axis=-1) - 1, 0)
    at = np.rint((1 - _SEASON) * last).astype(np.int64)[..., None]
    return np.asarray(np.take_along_axis(ordered, at, axis=-1)[..., 0], dtype=np.float32)


def _days_to_learn_from(day: int) -> Numbers:
    """Positions of the days that tell what is usual on a day: the trailing weeks, and those of the year before."""
    year_before = np.arange(day - _YEAR_DAYS - _EITHER_SIDE, day - _YEAR_DAYS + _EITHER_SIDE + 1)
    days = np.r_[year_before, np.arange(day - TRAILING_DAYS, day)]
    return np.asarray(days[days >= 0], dtype=np.int64)


def _growth(cube: Hourly, day: int) -> Hourly:
    """(m,) the level of the trailing weeks over that of the same weeks a year before; 1 where either is not known."""
    before = day - _YEAR_DAYS
    now, then = (cube[:, :, max(end - TRAILING_DAYS, 0) : max(end, 0)] for end in (day, before))
    levels, known = zip(*(_level(part) for part in (now, then)), strict=True)
    grown = levels[0] / np.where(levels[1] > 0, levels[1], np.float32(np.nan))
    known_enough = np.minimum(*known) >= _LEAST_LEVEL_DAYS
    return np.where(known_enough & np.isfinite(grown), np.clip(grown, 1 / _MOST_LEVEL, _MOST_LEVEL), np.float32(1))


def _level(cube: Hourly) -> tuple[Hourly, npt.NDArray[np.int64]]:
    """(m, 24, k) to the median of the daily means, (m,), and of how many days."""
    means = _daily(cube)
    return median(means), np.isfinite(means).sum(axis=1)


def _daily(cube: Hourly) -> Hourly:
    """(m, 24, k) to the means of the days, (m, k)."""
    known = np.isfinite(cube)
    hours = known.sum(axis=1)
    means = np.where(known, cube, np.float32(0)).sum(axis=1) / np.where(hours, hours, np.float32(np.nan))
    return np.asarray(means, dtype=np.float32)


def both_kinds(cube: Hourly, worked: Mask) -> tuple[Profile, Profile]:
    """The profiles of worked and of other days, of the days in `cube`, (m, 24, k)."""
    return profile_of(cube, worked), profile_of(cube, ~worked)
