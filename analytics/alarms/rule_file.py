"""Reading rule files: all that is wrong told at once, by line, with what would be right (see docs/alarms.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from analytics.alarms import rule_words as w
from analytics.alarms.escalation import Chain, Rung
from analytics.alarms.rules import (
    Gather,
    Head,
    Imbalance,
    Level,
    Limit,
    LimitKind,
    NightMinimum,
    Rule,
    Silence,
    points_of,
)
from energy.documents import Document, Way, checked, open_document
from energy.duty import Post
from energy.errors import ConfigurationError, EnergyError, UnitError, UnknownName
from energy.names import Text
from energy.quantities import QUANTITIES, Kind, quantity
from energy.readings import Point
from energy.sites import Site
from energy.units import factor

_NIGHT_OF_TREE = (w.NightFlowWords, w.NightMinimumWords, w.ImbalanceWords)
# Whom to call where a file does not say: the main at once and again, then the deputy, then who leads.
DEFAULT_CHAINS: Mapping[Level, Chain] = {
    Level.NOTICE: Chain((Rung(0.0, (Post.MAIN,)),)),
    Level.WARNING: Chain((Rung(0.0, (Post.MAIN,)), Rung(1800.0, (Post.MAIN, Post.DEPUTY)))),
    Level.URGENT: Chain(
        (
            Rung(0.0, (Post.MAIN,)),
            Rung(180.0, (Post.MAIN,)),
            Rung(360.0, (Post.DEPUTY,)),
            Rung(900.0, (Post.LEADER,)),
        ),
        900.0,
        4,
    ),
}


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules, chains by level, and within what time [s] a recovered alarm that is back counts as flapping."""

    rules: tuple[Rule, ...] = ()
    chains: Mapping[Level, Chain] = field(default_factory=lambda: DEFAULT_CHAINS)
    damped_s: float = 900.0

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.head.id == rule_id), None)


def read_rules(path: Path, site: Site | None = None) -> RuleBook:
    """The rules of a file; of a site, where one is given, points, meters and places must be of it."""
    return rules_of(open_document(path), site)


def rules_of(document: Document, site: Site | None = None) -> RuleBook:
    """The rules of a file that was opened; ConfigurationError lists all that is wrong."""
    words = checked(document, w.RuleFileWords)
    faults: list[tuple[Way, str]] = []
    made: list[Rule] = []
    for i, one in enumerate(words.rules):
        rule = _Making(("rules", i), site, faults).rule(one)
        if rule is not None:
            made.append(rule)
    chains = dict(DEFAULT_CHAINS)
    for level, chain in words.escalation.items():
        try:
            chains[level] = _chain(chain)
        except ValueError as error:
            faults.append((("escalation", str(level)), str(error)))
    faults += _repeated([one.id for one in words.rules])
    if faults:
        raise ConfigurationError([document.fault(*f) for f in sorted(faults, key=lambda f: document.line(f[0]))])
    return RuleBook(tuple(made), chains, words.damped)


def _chain(words: w.ChainWords) -> Chain:
    return Chain(tuple(Rung(r.after, tuple(r.call)) for r in words.rungs), words.repeat, words.times)


def _repeated(ids: list[str]) -> Iterator[tuple[Way, str]]:
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield ("rules", i, "id"), "is used twice; give each rule its own id"


class _Making:
    """Makes one rule, and keeps what is wrong with it."""

    def __init__(self, way: Way, site: Site | None, faults: list[tuple[Way, str]]) -> None:
        self._way, self._site, self._faults = way, site, faults
        self._before = len(faults)

    def rule(self, words: Any) -> Rule | None:
        gather = words.gather or (Gather.TREE if isinstance(words, _NIGHT_OF_TREE) else Gather.METER)
        head = Head(words.id, words.name.text, words.level, gather, words.first.text if words.first else Text("", ""))
        match words:
            case w.SilenceWords():
                meters = self._meters(words.meters)
                return self._kept(lambda: Silence(head, meters, words.after))
            case w.ImbalanceWords():
                least = (0.0, None) if words.least is None else (words.least.value, words.least.unit)
                meters = self._meters(words.meters)
                return self._kept(lambda: Imbalance(head, meters, words.share, *least))
            case w.NightMinimumWords():
                return self._night_minimum(words, head)
            case _:
                return self._limit(words, head)

    def _limit(self, words: Any, head: Head) -> Rule | None:
        unit, points = self._points(words, Kind.GAUGE)
        above = getattr(words, "above", None)
        below = getattr(words, "below", None)
        if (above is None) == (below is None):
            self._fault("above", "give one of above and below, such as above: 800 kW")
        if unit is None or len(self._faults) > self._before:
            return None
        key, given = ("above", above) if below is None else ("below", below)
        beyond = self._in(unit, key, given)
        back = beyond if words.back is None else self._in(unit, "back", words.back)
        usual = None if words.usual is None else self._in(unit, "usual", words.usual)
        hours = getattr(words, "night", None) or getattr(words, "worked", None)
        of = (LimitKind(words.kind), points, words.every, words.within)
        return self._kept(lambda: Limit(head, *of, beyond, back, below is None, words.for_, hours, usual, words.medium))

    def _night_minimum(self, words: w.NightMinimumWords, head: Head) -> Rule | None:
        unit, points = self._points(words, Kind.COUNTER)
        if unit is None or len(self._faults) > self._before:
            return None
        beyond = self._in(unit, "above", words.above)
        usual = None if words.usual is None else self._in(unit, "usual", words.usual)
        return self._kept(
            lambda: NightMinimum(head, points, words.every, words.within, beyond, words.night, usual, words.medium)
        )

    def _kept(self, make: Any) -> Rule | None:
        """The rule, where nothing about it is wrong."""
        if len(self._faults) > self._before:
            return None
        try:
            rule: Rule = make()
        except (ValueError, EnergyError) as error:
            self._faults.append((self._way, str(error)))
            return None
        if self._site is not None and isinstance(rule, Limit | NightMinimum) and not points_of(rule, self._site):
            self._fault("every", "no meter of the site has it there; the rule would never ring")
            return None
        return rule

    # -- what a rule is about ---------------------------------------------------------------------------------------

    def _points(self, words: w.OfPointsWords, kind: Kind) -> tuple[str | None, tuple[Point, ...]]:
        """The one unit of all its points, and those that are named."""
        if bool(words.points) == bool(words.every):
            self._fault("points", "give either points, such as [east-main:flow_rate], or every: a quantity")
            return None, ()
        if words.medium is not None and words.points:
            self._fault("medium", "goes with `every`; named points say themselves of what they are")
        if words.within is not None and words.points:
            self._fault("within", "goes with `every`; named points say themselves where they are")
        if words.within is not None and self._site is not None:
            self._must_be(("within",), words.within, [p.id for p in self._site.places], "place")
        if words.every:
            return self._quantity(("every",), words.every, kind), ()
        points = [p for i, text in enumerate(words.points) if (p := self._point(i, text, kind)) is not None]
        units = {quantity(p.quantity).unit for p in points}
        if len(units) > 1:
            self._fault("points", f"are in {' and '.join(sorted(units))}; one rule has one limit: split it")
        return (units.pop() if len(units) == 1 else None), tuple(points)

    def _point(self, i: int, text: str, kind: Kind) -> Point | None:
        meter, separator, name = text.rpartition(":")
        if not separator:
            self._fault(("points", i), "must be METER:QUANTITY, such as east-main:flow_rate")
            return None
        before = len(self._faults)
        self._quantity(("points", i), name, kind)
        if self._site is not None:
            known = {m.id: m for m in self._site.meters}
            self._must_be(("points", i), meter, list(known), "meter")
            if meter in known and len(self._faults) == before and name not in known[meter].quantities:
                has = [q for q in known[meter].quantities if quantity(q).kind is kind]
                self._fault(("points", i), f"meter {meter} does not measure {name}; it has {', '.join(has) or 'none'}")
        return Point(meter, name) if len(self._faults) == before else None

    def _quantity(self, way: Way, name: str, kind: Kind) -> str | None:
        try:
            found = quantity(name)
        except UnknownName:
            self._must_be(way, name, [q for q in QUANTITIES if QUANTITIES[q].kind is kind], "quantity")
            return None
        if found.kind is not kind:
            other = "night_minimum is for counters" if kind is Kind.GAUGE else "threshold and night_flow are for gauges"
            self._fault(way, f"{name} is a {found.kind}, and this rule takes a {kind}; {other}")
            return None
        return found.unit

    def _meters(self, names: list[str]) -> tuple[str, ...]:
        if self._site is not None:
            for i, name in enumerate(names):
                self._must_be(("meters", i), name, [m.id for m in self._site.meters], "meter")
        return tuple(names)

    def _must_be(self, way: Way, name: str, known: list[str], what: str) -> None:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known[:8])}"
            self._fault(way, f"{what} {name!r} is not known; {hint}")

    def _in(self, unit: str, key: str, amount: Any) -> float:
        """A number in the unit of the points."""
        try:
            return float(amount.value * factor(amount.unit, unit))
        except UnitError:
            self._fault(key, f"is in {amount.unit}, but what it is compared with is in {unit}; write it in {unit}")
            return 0.0

    def _fault(self, key: str | Way, text: str) -> None:
        inner = (key,) if isinstance(key, str) else key
        self._faults.append(((*self._way, *inner), text))
