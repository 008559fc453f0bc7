"""What a quota would be by a standard, by own history or as given; and the standards that are known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from analytics.consumption.dated import NotKnown, mean_over
from analytics.quotas.choosing import Case, choose
from analytics.quotas.comparing import must_be_of
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
from energy.organisations import FactName
from energy.quotas import Method, Quota, QuotaOf
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.ledger.books import Books
from gateway.quotas import words as w
from gateway.quotas.answers import month_words, pace_words
from gateway.quotas.books import QuotaBooks
from gateway.records.entries import Entry

# What an indicator per area or person is multiplied by, and what it limits.
_PER = {"m2": FactName.AREA_M2, "person": FactName.PEOPLE}
_LIMITS = {"kgce": QuotaOf.ENERGY, "kWh": QuotaOf.ELECTRICITY, "m3": QuotaOf.WATER}


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
