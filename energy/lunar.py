"""Days of the Chinese lunar year, reckoned from sun and moon, so that no table of years comes to an end.

New moons and the place of the sun after J. Meeus, Astronomical Algorithms (2nd ed. 1998), chapters 49 and 25; the rules
of the months are those of GB/T 33661-2017: a month begins on the day of its new moon; the month that holds the winter
solstice is the eleventh; between two eleventh months that are thirteen months apart, the first month that holds no
principal term (a longitude of the sun that is a multiple of 30°) is a leap month. The sun is good to about a quarter of
an hour, the moon to a minute; a day is wrong where one of them stands closer than that to midnight.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from math import floor, radians, sin

# 1 January 1970, 0 h UTC, as a Julian date.
_EPOCH_JD = 2440587.5
_J2000 = 2451545.0
_SYNODIC = 29.530588861
_TROPICAL = 365.2422
# Dynamical time is ahead of UTC by about this much [days]; it grows by less than a minute in a lifetime.
_AHEAD = 72 / 86_400
_CENTURY = 36_525.0
# Coefficients of the correction to the mean new moon [days]: of E**power * sin(moon * M' + sun * M + node * F).
_NEW_MOON = (
    (-0.40720, 0, 1, 0, 0), (0.17241, 1, 0, 1, 0), (0.01608, 0, 2, 0, 0), (0.01039, 0, 0, 0, 2),
    (0.00739, 1, 1, -1, 0), (-0.00514, 1, 1, 1, 0), (0.00208, 2, 0, 2, 0), (-0.00111, 0, 1, 0, -2),
    (-0.00057, 0, 1, 0, 2), (0.00056, 1, 2, 1, 0), (-0.00042, 0, 3, 0, 0), (0.00042, 1, 0, 1, 2),
    (0.00038, 1, 0, 1, -2), (-0.00024, 1, 2, -1, 0), (-0.00007, 0, 1, 2, 0),
)  # fmt: skip


def lunar_day(year: int, month: int, day: int, zone_hours: float) -> int:
    """The day, counted since 1970, of a day of the lunar year that begins in `year`; never in a leap month.

    >>> date.fromordinal(lunar_day(2026, 1, 1, 8) + date(1970, 1, 1).toordinal())
    datetime.date(2026, 2, 17)
    """
    # The eleventh and twelfth months of a lunar year come after the solstice that begins the next count.
    count = year + 1 if month >= 11 else year
    return _months(count, zone_hours)[month] + day - 1


def sun_day(year: int, longitude: float, zone_hours: float) -> int:
    """The day of a year, counted since 1970, on which the sun stands at an ecliptic longitude [degrees].

    >>> date.fromordinal(sun_day(2026, 15, 8) + date(1970, 1, 1).toordinal())
    datetime.date(2026, 4, 5)
    """
    # At the beginning of a year the sun stands near 280°.
    guess = _days(date(year, 1, 1)) + (longitude - 280.0) % 360 / 360 * _TROPICAL + _EPOCH_JD
    for _ in range(6):
        guess += ((longitude - _sun(guess) + 180) % 360 - 180) / 360 * _TROPICAL
    return _local_day(guess, zone_hours)


@cache
def _months(year: int, zone_hours: float) -> dict[int, int]:
    """First day of each month, by number, from the eleventh of the year before to the tenth."""
    starts = _starts(year, zone_hours)
    leap = _leap(starts, year, zone_hours) if len(starts) == 14 else None
    months: dict[int, int] = {}
    number = 11
    for i, start in enumerate(starts[:-1]):
        if i == leap:
            continue
        months[number] = start
        number = number % 12 + 1
    return months


def _starts(year: int, zone_hours: float) -> list[int]:
    """First days of all months from the eleventh of the year before to the eleventh of the year, both included."""
    first, last = (sun_day(y, 270, zone_hours) for y in (year - 1, year))
    k = floor((first - 35 + _EPOCH_JD - _J2000) / _SYNODIC)
    days = [_local_day(_new_moon(k + i), zone_hours) for i in range(18)]
    begins = max(i for i, day in enumerate(days) if day <= first)
    ends = max(i for i, day in enumerate(days) if day <= last)
    return days[begins : ends + 1]


def _leap(starts: list[int], year: int, zone_hours: float) -> int:
    terms = {sun_day(y, k, zone_hours) for y, k in _principal(year)}
    return next(i for i in range(1, len(starts) - 1) if not any(starts[i] <= t < starts[i + 1] for t in terms))


def _principal(year: int) -> list[tuple[int, int]]:
    """Principal terms from one solstice to the next, with the year in which each falls."""
    return [(year - 1, 270), *((year, k) for k in range(300, 360, 30)), *((year, k) for k in range(0, 270, 30))]


def _new_moon(k: int) -> float:
    """The instant of the new moon [Julian date, UTC], the 0th being that of 6 January 2000."""
    t = k / 1236.85
    e = 1 - 0.002516 * t - 0.0000074 * t * t
    sun = radians(2.5534 + 29.10535670 * k - 0.0000014 * t * t)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t * t)
    node = radians(160.7108 + 390.67050284 * k - 0.0016118 * t * t)
    mean = 2451550.09766 + _SYNODIC * k + 0.00015437 * t * t
    return mean - _AHEAD + sum(c * e**p * sin(m * moon + s * sun + n * node) for c, p, m, s, n in _NEW_MOON)


def _sun(jd: float) -> float:
    """Apparent ecliptic longitude of the sun [degrees] at an instant [Julian date, UTC]."""
    t = (jd + _AHEAD - _J2000) / _CENTURY
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    m = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (1.914602 - 0.004817 * t) * sin(m) + 0.019993 * sin(2 * m) + 0.000289 * sin(3 * m)
    return (mean + centre - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))) % 360


def _local_day(jd: float, zone_hours: float) -> int:
    return floor(jd - _EPOCH_JD + zone_hours / 24)


def _days(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()
