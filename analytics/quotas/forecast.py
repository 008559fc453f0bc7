"""What will be used until the end of a month or a year, from what was used up to now and nothing later."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from analytics.quotas.daily import WEEK, YEAR_OF_WEEKS, Days, Floats, Ints
from analytics.quotas.weather import normal_degree_days, response

# Chosen on the years up to 2015 of a real estate, and measured on later ones: see docs/quotas.md.
_WEEKS = (1, 4)
_OWN, _PEERS = 0.4, 0.3
_RECENT = 28
_YEAR_DAMPING = 0.3
_RATIO_LEAST, _RATIO_MOST = 0.2, 5.0
# Shares of days that must be known.
_OF_RECENT, _OF_YEAR_BEFORE = 0.5, 0.7
METHODS = ("weekdays and season", "weekdays", "last year and weather", "last year", "too little history")
_SEASON, _WEEKDAYS, _WEATHER, _LAST_YEAR, NOTHING = range(5)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of the days to come: (h, m), NaN columns where `method` says that too little is known.

    method : (m,) index into METHODS.
    """

    days: Floats
    method: Ints


def rest_of_month(daily: Floats, days: Days, start: int, stop: int) -> Expected:
    """The days [start, stop) by the weekdays of the last weeks, moved by what the season did a year before.

    daily : (at least start, m) consumption by day, NaN where a day is not known whole; nothing from `start` on is used.
    The season is that of the counter itself, and that of all of them together: counters given together should be
    of one medium and share their calendar. Without a year before it is left out, and `method` says so.
    """
    past, count = daily[:start], daily.shape[1]
    with warnings.catch_warnings():
        # Of nothing but NaN the mean is NaN: that is what is meant.
        warnings.simplefilter("ignore", RuntimeWarning)
        own, peers = _season(past, days, start, stop)
        season = np.exp(_OWN * np.log(own) + _PEERS * np.log(peers))
        has_season = np.isfinite(season)
        profiles = [_weekdays(past, days, start, stop, weeks) for weeks in _WEEKS]
        expected = np.nanmean(profiles, axis=0) * np.where(has_season, season, 1.0)
    expected = _specials(expected, past, days, start, stop)
    recent = np.isfinite(past[-_RECENT:]).sum(axis=0) if start else np.zeros(count, dtype=np.int64)
    enough = (recent >= _OF_RECENT * _RECENT) & np.isfinite(expected).all(axis=0)
    method = np.where(enough, np.where(has_season, _SEASON, _WEEKDAYS), NOTHING)
    return Expected(np.where(enough, np.maximum(expected, 0.0), np.nan), method)


def rest_of_year(
    daily: Floats, days: Days, start: int, stop: int, since: int, degrees: Floats | None = None
) -> Expected:
    """The days [start, stop) by the same days a year before, under normal weather where weather is known.

    since : the first day of the year; the ratio of this year to last since then moves the rest, damped.
    degrees : (at least start, 2) heating and cooling degree days; None where weather is not known.
    """
    past = daily[:start]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        before = days.before[start:stop]
        there = before >= 0
        last = np.where(there[:, None], past[np.clip(before, 0, start - 1)], np.nan)
        enough = (np.isfinite(last).mean(axis=0) >= _OF_YEAR_BEFORE) & (stop > start)
        last = np.where(np.isfinite(last), last, np.nanmean(last, axis=0))
        since = min(since, start - _RECENT)
        ratio = _ratio(past, days, since, start)
        expected, weather = last, np.zeros(daily.shape[1], dtype=np.bool_)
        if degrees is not None:
            under = _UnderWeather(past, days, start, stop, degrees)
            normal, level = under.normal(), under.level(since)
            weather = np.isfinite(normal).all(axis=0) & np.isfinite(level)
            expected = np.where(weather, (last + normal) / 2, last)
            ratio = np.where(weather, level, ratio)
        expected = expected * np.where(np.isfinite(ratio), ratio, 1.0) ** _YEAR_DAMPING
    method = np.where(enough, np.where(weather, _WEATHER, _LAST_YEAR), NOTHING)
    return Expected(np.where(enough, np.maximum(expected, 0.0), np.nan), method)


def a_year_before(daily: Floats, days: Days, start: int, stop: int) -> Floats:
    """(h, m) the same days a year before, at the level of the last four weeks: seasonal naive, to compare with."""
    before = np.clip(days.before[start:stop], 0, start - 1)
    found: Floats = daily[before] * _ratio(daily[:start], days, start - _RECENT, start)
    return found


# -- the parts ------------------------------------------------------------------------------------------------------


def _weekdays(past: Floats, days: Days, start: int, stop: int, weeks: int) -> Floats:
    """(h, m) the median of each weekday over the last ordinary weeks before `start`."""
    span = weeks * WEEK
    if start < span or start > len(past):
        return np.full((stop - start, past.shape[1]), np.nan)
    recent = past[start - span : start].copy()
    recent[days.special[start - span : start]] = np.nan
    week = np.nanmedian(recent.reshape(weeks, WEEK, -1), axis=0)
    week = np.where(np.isfinite(week), week, np.nanmean(recent, axis=0))
    return np.asarray(week[np.arange(stop - start) % WEEK])


def _season(past: Floats, days: Days, start: int, stop: int) -> tuple[Floats, Floats]:
    """What the same days a year before came to, by what weekdays foretold then: of each, (m,), and of all, (1,)."""
    then = start - YEAR_OF_WEEKS
    before = days.before[start:stop]
    if then < max(_WEEKS) * WEEK or (before < 0).any():
        nothing = np.full(past.shape[1], np.nan)
        return nothing, nothing[:1]
    # Holidays have a forecast of their own.
    plain = ~days.special[start:stop]
    if not plain.any():
        plain[:] = True
    came = past[np.clip(before, 0, start - 1)][plain].sum(axis=0)
    foretold = _weekdays(past, days, then, then + stop - start, max(_WEEKS))[plain].sum(axis=0)
    own = np.where(foretold > 0, came / foretold, np.nan)
    own = np.where(own > 0, np.clip(own, _RATIO_LEAST, _RATIO_MOST), np.nan)
    peers = np.nanmedian(own, keepdims=True)
    return np.where(np.isfinite(own), own, peers), peers


def _specials(expected: Floats, past: Floats, days: Days, start: int, stop: int) -> Floats:
    """Holidays as they were a year before, by the level of the last four weeks; else as expected."""
    special = days.special[start:stop] & (days.before[start:stop] >= 0)
    if not special.any():
        return expected
    last = past[np.clip(days.before[start:stop], 0, start - 1)] * _ratio(past, days, start - _RECENT, start)
    return np.where(special[:, None] & np.isfinite(last), last, expected)


def _ratio(past: Floats, days: Days, since: int, until: int) -> Floats:
    """(m,) what was used in [since, until) by what was used on the same days a year before."""
    before = days.before[since:until]
    if since < 0 or (before < 0).all():
        return np.full(past.shape[1], np.nan)
    then = np.where((before >= 0)[:, None], past[np.clip(before, 0, len(past) - 1)], np.nan)
    return _quotient(past[since:until], then)


def _quotient(now: Floats, then: Floats) -> Floats:
    """(m,) the sum of one by that of the other, over the days that both know; NaN where these are too few."""
    both = np.isfinite(now) & np.isfinite(then)
    sums = np.where(both, now, 0.0).sum(axis=0), np.where(both, then, 0.0).sum(axis=0)
    enough = (both.mean(axis=0) >= _OF_RECENT) & (sums[1] > 0)
    return np.where(enough, np.clip(sums[0] / np.maximum(sums[1], 1e-300), _RATIO_LEAST, _RATIO_MOST), np.nan)


class _UnderWeather:
    """What counters would have used under other weather: weekday and degree days as learnt over the last year."""

    def __init__(self, past: Floats, days: Days, start: int, stop: int, degrees: Floats) -> None:
        self._past, self._days, self._start, self._stop = past, days, start, stop
        self._since = max(0, start - YEAR_OF_WEEKS - 1)
        # Degrees from `start` on are not used: they may be there, in a test of the past.
        self._degrees = np.concatenate([degrees[:start], np.full((stop - start, 2), np.nan)])
        self._weekday = days.first.weekday()
        self._learnt = response(past[self._since :], self._degrees[self._since : start], self._weekday + self._since)

    def normal(self) -> Floats:
        """(h, m) the days to come under normal weather, and what was left over on the same days a year before."""
        normal = normal_degree_days(self._degrees, self._days.day_of_year[: self._stop], self._start)
        usual = self._learnt.of(normal[self._start : self._stop], self._weekday + self._start)
        before = self._days.before[self._start : self._stop]
        left = self._left(before)
        usable = np.isfinite(left) & (before >= self._since)[:, None]
        return np.maximum(usual + np.where(usable, left, 0.0), 0.0)

    def level(self, since: int) -> Floats:
        """(m,) what was used since then, by what the same days a year before would have come to under this weather."""
        before = self._days.before[since : self._start]
        if since < 0 or (before < 0).all():
            return np.full(self._past.shape[1], np.nan)
        now = self._past[since : self._start]
        there = (before >= 0)[:, None]
        own = self._learnt.of(self._degrees[since : self._start], self._weekday + since)
        then = np.where(there, np.maximum(own + self._left(before), 0.0), np.nan)
        return _quotient(now, then)

    def _left(self, before: Ints) -> Floats:
        """What was used on days of the past beyond what weekday and weather tell; they may be any weekdays."""
        at = np.clip(before, 0, self._start - 1)
        own = self._learnt.on(self._degrees[at], self._weekday + at)
        return np.asarray(self._past[at] - own, dtype=np.float64)
