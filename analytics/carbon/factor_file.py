"""Reading factor files: all that is wrong told at once, by line (see docs/factors.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from analytics.carbon import factor_words as w
from analytics.carbon.factor_sets import FactorSet
from analytics.carbon.factors import Carrier, Factor, FactorKind
from energy.documents import Document, checked, open_document
from energy.errors import ConfigurationError, UnknownName
from energy.sites import Text

Way = tuple[str | int, ...]
Fault = tuple[Way, str]
_Made = dict[tuple[FactorKind, str], Factor]


@dataclass(frozen=True, slots=True)
class FactorBook:
    """The factors and factor sets of a file, in its order; `gaps` tells what was looked for and not found."""

    version: str
    factors: tuple[Factor, ...]
    sets: tuple[FactorSet, ...]
    gaps: tuple[str, ...] = ()

    def set(self, id: str) -> FactorSet:
        """The factor set of this id."""
        for found in self.sets:
            if found.id == id:
                return found
        raise UnknownName(f"factor set {id!r} is not known; {_hint(id, [s.id for s in self.sets])}")

    def factor(self, kind: FactorKind, id: str) -> Factor:
        """The factor of this kind and id; kinds have names of their own."""
        for found in self.factors:
            if (found.kind, found.id) == (kind, id):
                return found
        raise UnknownName(f"{kind} factor {id!r} is not known; {_hint(id, [f.id for f in self.factors])}")


def read_factors(path: Path) -> FactorBook:
    """The factors of a file.

    ConfigurationError lists all that is wrong: first what single words say, then what does not fit together.
    """
    document = open_document(path)
    making = _Making(checked(document, w.FileWords))
    book = making.book()
    if making.faults:
        raise ConfigurationError(_sentences(document, making.faults))
    return book


def _sentences(document: Document, faults: Sequence[Fault]) -> list[str]:
    in_order = sorted(faults, key=lambda fault: document.line(fault[0]))
    return [document.fault(way, text) for way, text in in_order]


class _Making:
    """Makes factors and sets from words, and keeps the faults of those that refuse to be made."""

    def __init__(self, words: w.FileWords) -> None:
        self._words = words
        self._footprints = {f.id for f in words.footprints}
        self._refused: set[tuple[FactorKind, str]] = set()
        self.faults: list[Fault] = []

    def book(self) -> FactorBook:
        words = self._words
        made: _Made = {}
        for kind, key, given in (
            (FactorKind.COAL, "coal", words.coal),
            (FactorKind.CO2, "co2", words.co2),
            (FactorKind.DENSITY, "density", words.density),
        ):
            self._make(kind, key, given, made)
        self._make(FactorKind.CO2, "grid", words.grid, made)
        for i, footprint in enumerate(words.footprints):
            self._source(("footprints", i), footprint)
        sets = [self._set(("sets", i), one, made) for i, one in enumerate(words.sets)]
        self._repeated_sets()
        return FactorBook(words.version, tuple(made.values()), tuple(s for s in sets if s), tuple(words.gaps))

    def _make(self, kind: FactorKind, key: str, given: Sequence[w.FactorWords | w.GridWords], made: _Made) -> None:
        for i, words in enumerate(given):
            if (kind, words.id) in made:
                self.faults.append(((key, i, "id"), f"there is another {kind} factor of this id; give each its own"))
                continue
            source = self._source((key, i), words)
            try:
                made[kind, words.id] = _factor(kind, words, words.version or self._words.version, source)
            except ValueError as error:
                self._refused.add((kind, words.id))
                self.faults.append(((key, i, "value"), str(error)))

    def _source(self, way: Way, words: w.FigureWords) -> str:
        known = self._words.sources
        for i, name in enumerate(words.sources):
            if name not in known:
                self.faults.append(((*way, "sources", i), f"is no source of this file; {_hint(name, known)}"))
        if not words.sources:
            self.faults.append(((*way, "sources"), "a figure needs a source"))
        return "; ".join(known.get(name, name) for name in words.sources)

    def _set(self, way: Way, words: w.SetWords, made: _Made) -> FactorSet | None:
        before = len(self.faults)
        coal = self._chosen(way, FactorKind.COAL, words.coal, made)
        co2 = self._chosen(way, FactorKind.CO2, words.co2, made)
        density = self._chosen(way, FactorKind.DENSITY, words.density, made)
        if len(self.faults) > before:
            return None
        names = (words.id, words.version or self._words.version, words.name.text, words.purpose.text)
        try:
            return FactorSet(*names, words.first_year, words.last_year, coal, co2, density, tuple(words.notes))
        except ValueError as error:
            self.faults.append(((*way, "last_year"), str(error)))
            return None

    def _chosen(self, way: Way, kind: FactorKind, words: Mapping[Carrier, str], made: _Made) -> dict[Carrier, Factor]:
        found: dict[Carrier, Factor] = {}
        for carrier, id in words.items():
            factor = made.get((kind, id))
            if factor is not None and factor.carrier is carrier:
                found[carrier] = factor
            else:
                self.faults.append(((*way, kind.value, carrier.value), self._why_not(kind, carrier, id, factor, made)))
        return found

    def _why_not(self, kind: FactorKind, carrier: Carrier, id: str, factor: Factor | None, made: _Made) -> str:
        if carrier is Carrier.WATER:
            return "water is never converted into standard coal; leave it out"
        if carrier is Carrier.SOLAR_SELF_USED:
            return "counts as electricity and emits nothing, without a factor of its own; leave it out"
        if id in self._footprints:
            return "is a footprint of the whole life of electricity; sets need the grid factor of a year"
        if factor is not None:
            return f"is a factor of {factor.carrier}, not of {carrier}"
        if (kind, id) in self._refused:
            return "is a factor that was refused above"
        fitting = [f.id for (of, _), f in made.items() if of is kind and f.carrier is carrier]
        return f"is no {kind} factor of {carrier}; {_hint(id, fitting)}"

    def _repeated_sets(self) -> None:
        ids = [s.id for s in self._words.sets]
        for i, id in enumerate(ids):
            if id in ids[:i]:
                self.faults.append((("sets", i, "id"), "there is another set of this id; give each its own"))


def _factor(kind: FactorKind, words: w.FactorWords | w.GridWords, version: str, source: str) -> Factor:
    founded = (version, source, words.confidence)
    if isinstance(words, w.GridWords):
        name = Text(f"{words.region.zh}电网{words.year}", f"grid of {words.region.en}, {words.year}")
        grid = (kind, words.id, name, Carrier.ELECTRICITY, "kWh", words.value)
        return Factor(*grid, *founded, words.year, words.region.text, words.note)
    own = (kind, words.id, words.name.text, words.carrier, words.unit, words.value)
    return Factor(*own, *founded, note=words.note)


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names) or '(none)'}"
