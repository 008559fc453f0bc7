"""Quotas and how years go against them, in the words of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from analytics.consumption.dated import NotKnown, mean_over
from analytics.quotas.choosing import Case, choose
from analytics.quotas.comparing import must_be_of
from analytics.quotas.pace import Bounds, allowed_until
from analytics.quotas.standards import (
    DIMENSION_NAMES,
    VALUE_NAMES,
    Dimension,
    QuotaError,
    Standard,
    StandardBook,
    Value,
)
from analytics.quotas.yearly import by_history, by_standard
from energy.errors import EnergyError, UnknownName
from energy.organisations import FactName
from energy.quotas import MONTHS, Method, Quota, QuotaOf
from energy.series import MICRO
from energy.sites import Site
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.ledger.books import Books
from gateway.quotas import words as w
from gateway.quotas.books import QuotaBooks
from gateway.quotas.paces import Forecast, Pace
from gateway.quotas.service import Crossing
from gateway.records.entries import Entry

_KNOWN_LEAST = 0.9
_BOUNDS = Bounds()
# What an indicator per area or person is multiplied by, and what it limits.
_PER = {"m2": FactName.AREA_M2, "person": FactName.PEOPLE}
_LIMITS = {"kgce": QuotaOf.ENERGY, "kWh": QuotaOf.ELECTRICITY, "m3": QuotaOf.WATER}


async def listed(quotas: QuotaBooks, books: Books, query: w.QuotasQuery) -> w.QuotasAnswer:
    """The quotas of an organisation and of those directly below it, or of all."""
    site, year = books.kept.site, query.year if query.year is not None else quotas.paces.today.year
    owners = None if query.of is None else _with_children(site, query.of)
    found = await quotas.paces.of_entries([e for e in await quotas.entries.holding(owners) if e.value.year == year])
    standing = await quotas.crossings.crossings(owners, standing=True)
    told = [pace_words(pace, site, standing) for pace in found]
    return w.QuotasAnswer(query.of, year, quotas.paces.today, sorted(told, key=_worst_first))


def _with_children(site: Site, of: str) -> list[str]:
    name = of.removeprefix("organisation/")
    if name not in {o.id for o in site.organisations}:
        raise UnknownName(f"organisation {name!r} is not in the site")
    return [f"organisation/{o.id}" for o in site.organisations if name in (o.id, o.parent)]


def _worst_first(words: w.QuotaPaceWords) -> tuple[float, float, str]:
    return -(words.chance if words.chance is not None else -1.0), -(words.share or 0.0), words.quota.of


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


# -- previews -------------------------------------------------------------------------------------------------------


async def previewed(quotas: QuotaBooks, books: Books, asked: w.QuotaPreview) -> w.QuotaPreviewAnswer:
    """What a quota would be, and how the year would go; nothing is entered."""
    if sum(given is not None for given in (asked.amount, asked.standard, asked.history)) != 1:
        raise RequestError("give one of amount, standard and history")
    quota, reckoned = await _reckoned(quotas, books, asked)
    [pace] = await quotas.paces.of_entries([Entry(0, quota, "", "", 0)])
    told = pace_words(pace, books.kept.site, [])
    return w.QuotaPreviewAnswer(w.QuotaWords.of_quota(quota), reckoned, told, month_words(pace), list(pace.months.by))


async def _reckoned(quotas: QuotaBooks, books: Books, asked: w.QuotaPreview) -> tuple[Quota, TextWords]:
    day = quotas.paces.today
    if asked.standard is not None:
        return _of_standard(books, quotas.standards.standard(asked.standard.standard), asked, asked.standard, day)
    if asked.history is not None:
        draft = Quota(
            asked.of, asked.limited, asked.year, Decimal(1), Method.HISTORY, "-", day, None, "", asked.factor_set
        )
        past = await quotas.paces.past_years(draft)
        years = {y: past.get(y) for y in asked.history.years}
        amount = by_history(years, asked.history.rate)
        terms = ", ".join(f"{y}: {v:,.0f}" for y, v in sorted(years.items()) if v is not None)
        rate = f"{asked.history.rate:%}"
        text = TextWords(f"历史均值（{terms}）下浮 {rate}", f"mean of {terms}, less {rate}")
        return _draft(asked, amount, Method.HISTORY, text, day), text
    assert asked.amount is not None
    text = TextWords("直接给定", "as given")
    return _draft(asked, asked.amount, Method.SELF_SET, text, day), text


def _of_standard(
    books: Books, standard: Standard, asked: w.QuotaPreview, by: w.ByStandard, day: date
) -> tuple[Quota, TextWords]:
    row = choose(standard, by.indicator, Case(_known(by.known), by.place), day)
    used, _, per = row.indicator.unit.partition("/")
    limits = _LIMITS.get(used)
    if limits is not asked.limited or per not in _PER:
        raise QuotaError(f"{by.indicator} is in {row.indicator.unit}: it sets no yearly quota of {asked.limited}")
    must_be_of(standard, row, asked.factor_set if asked.factor_set is not None else standard.factor_set)
    if by.value not in tuple(Value):
        raise QuotaError(f"value {by.value!r} is not known; known are {', '.join(row.values)}")
    value = Value(by.value)
    size = by.size if by.size is not None else _size(books, asked.of, _PER[per], asked.year)
    amount = by_standard(row, value, size)
    where = ", ".join(row.where.values())
    line = f"{standard.id} {standard.version}: {by.indicator} {where} {value} {row.values[value]} {row.indicator.unit}"
    text = TextWords(
        f"{standard.id}，{row.indicator.name.zh}{VALUE_NAMES[value].zh} {row.values[value]} × {size:,f}",
        f"{standard.id}, {row.indicator.name.en}, {VALUE_NAMES[value].en} {row.values[value]} × {size:,f}",
    )
    factor_set = standard.factor_set if limits is QuotaOf.ENERGY else None
    made = Quota(asked.of, asked.limited, asked.year, amount, Method.STANDARD, standard.id, day, None, line, factor_set)
    return made, text


def _known(given: Mapping[str, str]) -> dict[Dimension, str]:
    unknown = [name for name in given if name not in tuple(Dimension)]
    if unknown:
        raise QuotaError(f"{', '.join(unknown)} tells no lines apart; known are {', '.join(Dimension)}")
    return {Dimension(name): value for name, value in given.items()}


def _size(books: Books, of: str, fact: FactName, year: int) -> Decimal:
    name = of.removeprefix("organisation/")
    held = [f for f in books.kept.site.facts if f.fact is fact and f.node == ("organisation", name)]
    try:
        mean = mean_over(held, date(year, 1, 1), date(year + 1, 1, 1))
    except NotKnown as error:
        raise QuotaError(f"{fact} of {of}: {error}; give the size") from error
    return (Decimal(mean.numerator) / mean.denominator).quantize(Decimal("0.001"))


def _draft(asked: w.QuotaPreview, amount: Decimal, method: Method, text: TextWords, day: date) -> Quota:
    return Quota(asked.of, asked.limited, asked.year, amount, method, text.zh, day, None, "", asked.factor_set)


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
        _state(pace),
        [w.QuotaCrossingWords.told(c) for c in standing if c.quota_id == pace.entry.id and c.cleared_at_ms is None],
    )


def _forecast(given: Forecast) -> w.QuotaForecastWords:
    expected, least, most = (None if n is None else round(n, 3) for n in (given.expected, given.least, given.most))
    return w.QuotaForecastWords(expected, least, most, given.method, given.reason)


def _state(pace: Pace) -> str:
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
    allowed = [allowed_until(pace.months.amounts, year, d + timedelta(days=1)) / MICRO for d in days]
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


def standards_told(book: StandardBook) -> w.StandardsAnswer:
    """All standards, with the names of their values and of what lines are told apart by."""
    values = {str(v): TextWords.of(t) for v, t in VALUE_NAMES.items()}
    dimensions = {str(d): TextWords.of(t) for d, t in DIMENSION_NAMES.items()}
    return w.StandardsAnswer([_standard(s) for s in book.standards], values, dimensions)


def _standard(s: Standard) -> w.StandardWords:
    rows = [
        w.StandardRowWords(
            r.indicator.id,
            TextWords.of(r.indicator.name),
            r.indicator.unit,
            {str(d): v for d, v in r.where.items()},
            {str(v): str(n) for v, n in r.values.items()},
            str(r.confidence),
            r.note,
        )
        for r in s.rows
    ]
    corrections = [
        w.StandardCorrectionWords(TextWords.of(c.name), c.fact, c.unit, list(c.indicators), c.source, str(c.confidence))
        for c in s.corrections
    ]
    labels = {value: TextWords.of(name) for value, name in s.labels.items()}
    told = s.id, TextWords.of(s.name), s.region, s.version, s.source, str(s.confidence), s.valid_from, s.valid_to
    return w.StandardWords(*told, s.factor_set, rows, corrections, labels, list(s.notes))


def must_be_known(books: Books, quota: Quota) -> None:
    """EnergyError where a quota is under factors that nobody knows; UnknownName where it is of nobody."""
    name = quota.of.removeprefix("organisation/")
    if name not in {o.id for o in books.kept.site.organisations}:
        raise UnknownName(f"organisation {name!r} is not in the site")
    if quota.factor_set is not None:
        known = [s.id for s in books.factors.sets]
        if quota.factor_set not in known:
            raise EnergyError(f"factor set {quota.factor_set!r} is not known; known are {', '.join(known)}")
