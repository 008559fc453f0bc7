"""Reading files of quota standards: all that is wrong told at once, by line (see docs/quotas.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from analytics.quotas import standard_words as w
from analytics.quotas.standards import (
    QUOTA_INDICATORS,
    Correction,
    Dimension,
    Row,
    Standard,
    StandardBook,
    Switch,
    Zone,
)
from energy.documents import Document, checked, open_document
from energy.errors import ConfigurationError

Way = tuple[str | int, ...]
Fault = tuple[Way, str]


def read_standards(paths: Iterable[Path], factor_sets: Collection[str]) -> StandardBook:
    """The standards of files; `factor_sets` are the ids that are known.

    ConfigurationError lists all that is wrong in all of them: a standard under an unknown factor set, or one told
    twice, is as wrong as a misspelt key.
    """
    found: list[Standard] = []
    faults: list[str] = []
    for path in paths:
        try:
            found += standards_of(open_document(path), factor_sets, {s.id for s in found})
        except ConfigurationError as error:
            faults += error.faults
    if faults:
        raise ConfigurationError(faults)
    return StandardBook(tuple(found))


def standards_of(document: Document, factor_sets: Collection[str], known: Collection[str] = ()) -> list[Standard]:
    """The standards of one document; ConfigurationError lists all that is wrong in it."""
    making = _Making(factor_sets)
    made = making.made(checked(document, w.FileWords), known)
    if making.faults:
        in_order = sorted(making.faults, key=lambda fault: document.line(fault[0]))
        raise ConfigurationError([document.fault(way, text) for way, text in in_order])
    return made


class _Making:
    """Makes standards from words, and keeps the faults of those that refuse to be made."""

    def __init__(self, factor_sets: Collection[str]) -> None:
        self._factor_sets = factor_sets
        self.faults: list[Fault] = []

    def made(self, words: w.FileWords, known: Collection[str]) -> list[Standard]:
        names = set(known)
        found = []
        for i, one in enumerate(words.standards):
            if one.id in names:
                self.faults.append((("standards", i, "id"), "there is another standard of this id; give each its own"))
            names.add(one.id)
            found.append(self._standard(("standards", i), one, one.version or words.version))
        return [s for s in found if s is not None]

    def _standard(self, way: Way, words: w.StandardWords, version: str) -> Standard | None:
        if words.factor_set is not None and words.factor_set not in self._factor_sets:
            hint = _hint(words.factor_set, self._factor_sets)
            self.faults.append(((*way, "factor_set"), f"is no factor set; {hint}"))
        rows = [self._row((*way, "rows", i), row, words) for i, row in enumerate(words.rows)]
        corrections = [self._correction((*way, "corrections", i), c) for i, c in enumerate(words.corrections)]
        self._repeated((*way, "rows"), rows)
        switches = tuple(Switch(s.id, s.name.text, s.only_if_metered, s.clause, s.confidence) for s in words.switches)
        zones = tuple(Zone(z.dimension, z.value, z.name.text, tuple(z.places)) for z in words.zones)
        labels = {value: name.text for value, name in words.labels.items()}
        try:
            return Standard(
                words.id,
                words.name.text,
                words.region,
                version,
                words.source,
                words.confidence,
                words.valid_from,
                words.valid_to,
                words.factor_set,
                tuple(r for r in rows if r is not None),
                tuple(c for c in corrections if c is not None),
                switches,
                zones,
                tuple(words.notes),
                labels,
            )
        except ValueError as error:
            self.faults.append((way, str(error)))
            return None

    def _row(self, way: Way, words: w.RowWords, of: w.StandardWords) -> Row | None:
        indicator = QUOTA_INDICATORS.get(words.indicator)
        if indicator is None:
            hint = _hint(words.indicator, QUOTA_INDICATORS)
            self.faults.append(((*way, "indicator"), f"is no indicator; {hint}"))
            return None
        try:
            return Row(
                indicator, words.where, words.values, words.clause, words.confidence or of.confidence, words.note
            )
        except ValueError as error:
            self.faults.append(((*way, "values"), str(error)))
            return None

    def _correction(self, way: Way, words: w.CorrectionWords) -> Correction | None:
        for i, name in enumerate(words.indicators):
            if name not in QUOTA_INDICATORS:
                self.faults.append(((*way, "indicators", i), f"is no indicator; {_hint(name, QUOTA_INDICATORS)}"))
        if not words.norm > 0:
            self.faults.append(((*way, "norm"), "must be above 0"))
            return None
        numbers = words.constant, words.slope, words.norm, words.norm_over_actual
        founded = tuple(words.indicators), words.source, words.confidence
        return Correction(words.id, words.name.text, words.fact, words.unit, *numbers, *founded)

    def _repeated(self, way: Way, rows: Sequence[Row | None]) -> None:
        seen: set[tuple[str, frozenset[tuple[Dimension, str]]]] = set()
        for i, row in enumerate(rows):
            if row is None:
                continue
            name = row.indicator.id, frozenset(row.where.items())
            if name in seen:
                self.faults.append(((*way, i), f"{row.indicator.id} is given twice for the same case; keep one"))
            seen.add(name)


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names) or '(none)'}"
