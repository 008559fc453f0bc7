"""Quotas and how years go against them, in the words of the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate

import numpy as np

from analytics.quotas.pace import Bounds
from energy.errors import EnergyError, UnknownName
from energy.quotas import MONTHS, Quota
from energy.series import MICRO
from energy.sites import Site
from gateway.api.words import TextWords
from gateway.ledger.books import Books
from gateway.quotas import words as w
from gateway.quotas.books import QuotaBooks
from gateway.quotas.reckoning import Forecast, Pace
from gateway.quotas.service import Crossing

_KNOWN_LEAST = 0.9
_BOUNDS = Bounds()


async def listed(quotas: QuotaBooks, books: Books, query: w.QuotasQuery) -> w.QuotasAnswer:
    """The quotas of an organisation and of those directly below it, or of all."""
    site, year = books.kept.site, query.year if query.year is not None else quotas.paces.today.year
    owners = None if query.of is None else _with_children(site, query.of)
    found = await quotas.paces.of_entries([e for e in await quotas.entries.holding(owners) if e.value.year == year])
    standing = await quotas.crossings.crossings(owners, standing=True)
    told = [pace_words(pace, site, standing) for pace in sorted(found, key=worst_first)]
    return w.QuotasAnswer(query.of, year, quotas.paces.today, told)


def _with_children(site: Site, of: str) -> list[str]:
    name = of.removeprefix("organisation/")
    if name not in {o.id for o in site.organisations}:
        raise UnknownName(f"organisation {name!r} is not in the site")
    return [f"organisation/{o.id}" for o in site.organisations if name in (o.id, o.parent)]


def worst_first(pace: Pace) -> tuple[float, float, str]:
    """Sorts the likeliest to exceed first."""
    s = pace.standing
    chance = -1.0 if s.chance is None else round(s.chance, 4)
    share = round(s.used / s.allowed, 6) if s.allowed > 0 else 0.0
    return -chance, -share, pace.quota.of


async def one(quotas: QuotaBooks, books: Books, query: w.QuotaQuery) -> w.QuotaAnswer:
    """A quota whole, with its curve and all versions of it."""
    entry = await quotas.entries.entry(query.id)
    [pace] = await quotas.paces.of_entries([entry])
    kept = await quotas.entries.entries([entry.value.of], withdrawn=True)
    same = [e for e in kept if (e.value.limited, e.value.year) == (entry.value.limited, entry.value.year)]
    ids = {e.id for e in same}
    crossed = [c for c in await quotas.crossings.crossings([entry.value.of]) if c.quota_id in ids]
    return w.QuotaAnswer(
        pace_words(pace, books.kept.site, crossed),
        curve_words(pace),
        month_words(pace),
        list(pace.months.by),
        [w.KeptQuotaWords.of(e) for e in sorted(same, key=lambda e: (e.value.dated, e.id))],
        [w.QuotaCrossingWords.told(c) for c in crossed],
    )


# -- words ----------------------------------------------------------------------------------------------------------


def pace_words(pace: Pace, site: Site, standing: Sequence[Crossing]) -> w.QuotaPaceWords:
    """A pace as the API tells it."""
    s, quota = pace.standing, pace.quota
    return w.QuotaPaceWords(
        pace.entry.id,
        _name(site, quota.of),
        quota.unit,
        w.QuotaWords.of_quota(quota),
        pace.today,
        s.used / MICRO,
        s.allowed / MICRO,
        (s.quota - s.used) / MICRO,
        None if s.allowed <= 0 else round(s.used / s.allowed, 6),
        round(s.used / s.quota, 6),
        pace.used_month / MICRO,
        round(pace.completeness, 6),
        None if pace.change is None else round(pace.change, 6),
        None if s.chance is None else round(s.chance, 4),
        pace.exceeded_on,
        _forecast(pace.month),
        _forecast(pace.year),
        state_of(pace),
        [w.QuotaCrossingWords.told(c) for c in standing if c.quota_id == pace.entry.id and c.cleared_at_ms is None],
    )


def _forecast(given: Forecast) -> w.QuotaForecastWords:
    expected, least, most = (None if n is None else round(n, 3) for n in (given.expected, given.least, given.most))
    return w.QuotaForecastWords(expected, least, most, given.method, given.reason)


def state_of(pace: Pace) -> str:
    """How the year goes, in a word."""
    s = pace.standing
    if s.used > s.quota:
        return "exceeded"
    if pace.completeness < _KNOWN_LEAST:
        return "unknown"
    if s.chance is not None and s.chance >= _BOUNDS.chance[0]:
        return "exceeding"
    if s.allowed > 0 and s.used >= s.allowed:
        return "ahead"
    return "near" if s.allowed > 0 and s.used >= 0.9 * s.allowed else "kept"


def _name(site: Site, of: str) -> TextWords:
    named = {f"organisation/{o.id}": o.name for o in site.organisations}
    return TextWords.of(named[of]) if of in named else TextWords(of, of)


def curve_words(pace: Pace) -> w.QuotaCurveWords:
    """Sums by the evening of each day of the year."""
    year = pace.quota.year
    days = [date(year, 1, 1) + timedelta(days=i) for i in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    allowed = [total / MICRO for total in accumulate(pace.allowed_daily)]
    used = np.cumsum(np.nan_to_num(pace.daily)).tolist() if len(pace.daily) else []
    # The ledger's own sum ends the curve: days that are not known whole have a part in it.
    used = [*used[:-1], pace.standing.used / MICRO] if used else used
    rest = np.cumsum(pace.expected_daily)
    base = pace.standing.used / MICRO
    curves: list[list[float | None]] = [[round(base + v, 3) for v in rest.tolist()]]
    for bound in (pace.year.least, pace.year.most):
        ratio = None if bound is None or not len(rest) or rest[-1] <= 0 else (bound - base) / float(rest[-1])
        curves.append([None if ratio is None else round(base + v * ratio, 3) for v in rest.tolist()])
    before: list[float | None] = [None] * (len(days) - len(rest))
    told: list[float | None] = [round(u, 3) for u in used]
    return w.QuotaCurveWords(days, allowed, told + [None] * (len(days) - len(used)), *(before + c for c in curves))


def month_words(pace: Pace) -> list[w.QuotaMonthWords]:
    """What each month allows, and used."""
    year = pace.quota.year
    starts = [date(year, m, 1) for m in range(1, MONTHS + 1)] + [date(year + 1, 1, 1)]
    at = [(d - starts[0]).days for d in starts]
    return [
        w.QuotaMonthWords(
            m + 1,
            pace.months.amounts[m] / MICRO,
            round(float(np.nansum(pace.daily[at[m] : at[m + 1]])), 3) if at[m] < len(pace.daily) else None,
        )
        for m in range(MONTHS)
    ]


def must_be_known(books: Books, quota: Quota) -> None:
    """EnergyError where a quota is under factors that nobody knows; UnknownName where it is of nobody."""
    name = quota.of.removeprefix("organisation/")
    if name not in {o.id for o in books.kept.site.organisations}:
        raise UnknownName(f"organisation {name!r} is not in the site")
    if quota.factor_set is not None:
        known = [s.id for s in books.factors.sets]
        if quota.factor_set not in known:
            raise EnergyError(f"factor set {quota.factor_set!r} is not known; known are {', '.join(known)}")
