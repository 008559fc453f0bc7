"""Files of quotas, CSV, Excel or YAML (see docs/quotas.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.sheets import Column, Sheet, day, number, one_of, read_sheet, text
from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError, UnknownName
from energy.quotas import MONTHS, Method, Quota, QuotaOf

_MONTHS = tuple(f"month{m}" for m in range(1, MONTHS + 1))


def read_quotas(path: Path) -> list[Quota]:
    """The quotas of a file; ConfigurationError lists every fault, by row and column or by line."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return _of_yaml(path)
    return read_sheet(path, Sheet(_COLUMNS, _quota))


def _year(cell: Any) -> int:
    try:
        return int(text(cell))
    except ValueError:
        raise ValueError(f"{text(cell)!r} must be a year, such as 2026") from None


def _organisation(cell: Any) -> str:
    name = text(cell)
    return name if "/" in name else f"organisation/{name}"


def _quota(**given: Any) -> Quota:
    months = [given.pop(name, None) for name in _MONTHS]
    told = [m for m in months if m is not None]
    if told and len(told) < MONTHS:
        missing = ", ".join(name for name, m in zip(_MONTHS, months, strict=True) if m is None)
        raise ValueError(f"give all months or none; {missing} are empty")
    given["limited"], given["method"] = QuotaOf(given["limited"]), Method(given["method"])
    return Quota(**given, months=tuple(told) or None)


_COLUMNS = {
    "organisation": Column("of", _organisation, required=True),
    "of": Column("limited", one_of("quota of", QuotaOf), required=True),
    "year": Column("year", _year, required=True),
    "amount": Column("amount", number, required=True),
    "method": Column("method", one_of("method", Method), required=True),
    "document": Column("document", text, required=True),
    "dated": Column("dated", day, required=True),
    **{name: Column(name, number) for name in _MONTHS},
    "standard": Column("standard", text),
    "factor_set": Column("factor_set", text),
    "note": Column("note", text),
}


class QuotaWords(Words):
    """A quota as a YAML file tells it."""

    organisation: str
    of: QuotaOf
    year: int
    amount: Decimal
    method: Method
    document: str
    dated: date
    months: list[Decimal] | None = None
    standard: str = ""
    factor_set: str | None = None
    note: str = ""


class FileWords(Words):
    """A file of quotas."""

    quotas: list[QuotaWords]


def _of_yaml(path: Path) -> list[Quota]:
    document = open_document(path)
    made, faults = [], []
    for i, words in enumerate(checked(document, FileWords).quotas):
        given = words.model_dump(exclude={"organisation", "of", "months"})
        months = None if words.months is None else tuple(words.months)
        try:
            made.append(Quota(of=_organisation(words.organisation), limited=words.of, months=months, **given))
        except (ValueError, UnknownName) as error:
            faults.append(document.fault(("quotas", i), str(error)))
    if faults:
        raise ConfigurationError(faults)
    return made
