"""Reading tariff files: all that is wrong told at once, by line (see docs/tariffs.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from analytics.tariffs import words as w
from analytics.tariffs.charges import AreaCharge, BasicCharge, Component, DemandRelief, PowerFactor, Rung
from analytics.tariffs.hours import ALL_YEAR, DayBands, DayType, Season, TimeOfUse, day_bands
from analytics.tariffs.steps import Excess, ExcessStep, Step, Tiers
from analytics.tariffs.tariff import Tariff, Version
from analytics.tariffs.unfit import Fault, Unfit, Way
from energy.documents import Document, checked, open_document
from energy.errors import ConfigurationError

W = TypeVar("W")
T = TypeVar("T")


def read_tariffs(path: Path) -> list[Tariff]:
    """The tariffs of a file.

    ConfigurationError lists all that is wrong: first what single words say, then what does not fit together, from the
    parts of a version up to the whole.
    """
    return tariffs_of(open_document(path))


def tariffs_of(document: Document) -> list[Tariff]:
    """The tariffs of a file that was opened; ConfigurationError as `read_tariffs`."""
    making = _Making()
    tariffs = [making.tariff(("tariffs", i), t) for i, t in enumerate(checked(document, w.TariffFileWords).tariffs)]
    made = [t for t in tariffs if t is not None]
    found = making.faults or _repeated(made)
    if found:
        raise ConfigurationError(_sentences(document, found))
    return made


def _repeated(tariffs: list[Tariff]) -> list[Fault]:
    ids = [t.id for t in tariffs]
    twice = [(i, name) for i, name in enumerate(ids) if name in ids[:i]]
    return [(("tariffs", i, "id"), f"id {name!r} is used twice; give each its own") for i, name in twice]


def _sentences(document: Document, faults: list[Fault]) -> list[str]:
    in_order = sorted(faults, key=lambda fault: document.line(fault[0]))
    return [document.fault(way, text) for way, text in in_order]


class _Making:
    """Makes values from words, bottom-up, and keeps the faults of those that refuse to be made."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def tariff(self, way: Way, words: w.TariffWords) -> Tariff | None:
        before = len(self.faults)
        versions = [self.version((*way, "versions", i), v) for i, v in enumerate(words.versions)]
        if len(self.faults) > before:
            return None
        whole = tuple(v for v in versions if v is not None)
        names = (words.id, words.name.text, words.medium, words.unit, words.region, words.consumer_class)
        return self._made(way, words, lambda _: Tariff(*names, whole))

    def version(self, way: Way, words: w.VersionWords) -> Version | None:
        before = len(self.faults)
        parts = self._parts(way, words)
        if len(self.faults) > before:
            return None
        of: dict[str, Any] = {"prices": words.price} | parts
        for name in ("valid_from", "valid_to", "source", "confidence", "monthly", "negative_prices"):
            of[name] = getattr(words, name)
        return self._made(way, words, lambda _: Version(**of))

    def _parts(self, way: Way, words: w.VersionWords) -> dict[str, Any]:
        def part(key: str, of: W | None, make: Callable[[W], T]) -> T | None:
            return self._made((*way, key), of, make)

        def components(key: str, given: list[w.ComponentWords]) -> tuple[Component, ...]:
            made = [self._made((*way, key, i), c, _component) for i, c in enumerate(given)]
            return tuple(c for c in made if c is not None)

        times = words.time_of_use
        return {
            "time_of_use": self._time_of_use((*way, "time_of_use"), times) if times else None,
            "components": components("components", words.components),
            "surcharges": components("surcharges", words.surcharges),
            "tiers": part("tiers", words.tiers, _tiers),
            "excess": part("excess", words.excess, _excess),
            "basic_charge": part("basic_charge", words.basic_charge, self._basic_charge(way)),
            "power_factor": part("power_factor", words.power_factor, _power_factor),
            "area": part("area", words.area, _area),
        }

    def _basic_charge(self, way: Way) -> Callable[[w.BasicChargeWords], BasicCharge]:
        def make(words: w.BasicChargeWords) -> BasicCharge:
            at = (*way, "basic_charge", "demand_relief")
            relief = self._made(at, words.demand_relief, lambda r: DemandRelief(r.from_kwh_per_kva, r.factor))
            return BasicCharge(words.capacity, words.demand, relief, words.source, words.confidence)

        return make

    def _time_of_use(self, way: Way, words: w.TimeOfUseWords) -> TimeOfUse | None:
        before = len(self.faults)
        given = words.seasons or {ALL_YEAR: w.SeasonWords(months=list(range(1, 13)))}
        seasons = tuple(Season(name, tuple(s.months), tuple(s.days)) for name, s in given.items())
        hours = {name: self._hours((*way, "hours", name), types) for name, types in words.hours.items()}
        if len(self.faults) > before:
            return None
        free, worked = (frozenset(d for days in given for d in days) for given in (words.holidays, words.workdays))
        sourced = (words.source, words.confidence)
        return self._made(way, words, lambda _: TimeOfUse(seasons, hours, free, worked, *sourced))

    def _hours(self, way: Way, words: w.HourWords) -> Mapping[DayType, DayBands]:
        """The bands of each kind of day; `every_day` stands for those that are not named."""
        made = {
            word: self._made((*way, word), given, lambda g: day_bands({b: tuple(i) for b, i in g.items()}))
            for word, given in words.items()
        }
        by_type = {t: made.get(w.DayWord(t), made.get(w.DayWord.EVERY_DAY)) for t in DayType}
        return {day_type: bands for day_type, bands in by_type.items() if bands is not None}

    def _made(self, way: Way, words: W | None, make: Callable[[W], T]) -> T | None:
        if words is None:
            return None
        try:
            return make(words)
        except Unfit as unfit:
            self.faults += [((*way, *inner), text) for inner, text in unfit.faults]
        except ValueError as error:
            # Ids are checked by `energy.sites`, which knows nothing of ways.
            self.faults.append(((*way, "id"), str(error)))
        return None


def _component(words: w.ComponentWords) -> Component:
    return Component(words.id, words.name.text, words.price)


def _tiers(words: w.TiersWords) -> Tiers:
    steps = tuple(Step(s.up_to, s.price) for s in words.steps)
    return Tiers(words.period, steps, words.source, words.confidence)


def _excess(words: w.ExcessWords) -> Excess:
    steps = tuple(ExcessStep(s.up_to_percent, s.multiple) for s in words.steps)
    return Excess(words.period, steps, words.source, words.confidence)


def _power_factor(words: w.PowerFactorWords) -> PowerFactor:
    penalty, reward = (tuple(Rung(r.to, r.percent) for r in rungs) for rungs in (words.penalty, words.reward))
    return PowerFactor(words.standard, penalty, reward, words.source, words.confidence)


def _area(words: w.AreaWords) -> AreaCharge:
    return AreaCharge(words.price, words.per, tuple(words.months), words.source, words.confidence)
