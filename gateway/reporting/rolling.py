"""Filings added up along a tree of organisations: by region, by department, and as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.filing_states import OPEN, State
from analytics.reporting.filings import Rolled, as_filing, rolled_up
from analytics.reporting.forms import Form
from analytics.reporting.indicators import Result
from energy.belonging import uppers
from energy.official_codes import REGION_KINDS
from energy.organisations import Organisation
from energy.sites import Site
from gateway.reporting.standing import Standing, indicators_of

_REGIONS = frozenset({*REGION_KINDS, "region"})
_OF_INSTITUTIONS = frozenset({"institution", "office"})


@dataclass(frozen=True, slots=True)
class Summed:
    """A node of a tree: what its institutions filed together, and how many of them stand where.

    organisation : None for all of them together. rolled : of what was submitted or accepted; drafts too where asked.
    """

    organisation: Organisation | None
    institutions: int
    states: Mapping[State, int]
    rolled: Rolled
    indicators: Mapping[str, Result]


class Rolling:
    """Adds up the filings of a month."""

    def __init__(self, form: Form, factors: FactorSet, period: str, *, drafts: bool = False) -> None:
        self._form, self._factors, self._period, self._drafts = form, factors, period, drafts

    def whole(self, standings: Sequence[Standing]) -> Summed:
        """All of them together."""
        return self._summed(None, standings)

    def of_none(self, standings: Sequence[Standing], parents: Mapping[str, str | None]) -> Summed:
        """Those that stand below nothing in the tree; with the topmost nodes they make up the whole."""
        return self._summed(None, [s for s in standings if parents.get(s.organisation.id) is None])

    def by_tree(
        self, standings: Sequence[Standing], organisations: Sequence[Organisation], parents: Mapping[str, str | None]
    ) -> list[Summed]:
        """Every organisation that has institutions below it in the tree, in the order of the records."""
        below: dict[str, list[Standing]] = {}
        for standing in standings:
            for name in above(standing.organisation.id, parents):
                below.setdefault(name, []).append(standing)
        return [self._summed(o, below[o.id]) for o in organisations if o.id in below]

    def _summed(self, organisation: Organisation | None, standings: Sequence[Standing]) -> Summed:
        counted = [s for s in standings if self._drafts or s.kept.state not in OPEN]
        rolled = rolled_up(s.filing for s in counted)
        summed = as_filing(rolled, organisation.id if organisation is not None else "", self._period)
        # Some left out what each must give: what the others used, by the size of all, would be too small.
        partly = {
            c for one in self._form.items if one.needed for c in one.cells if rolled.filled.get(c, 0) < len(counted)
        }
        summed = replace(summed, cells={c: filled for c, filled in summed.cells.items() if c not in partly})
        year = int(self._period.split("-")[0])
        states = Counter(s.kept.state for s in standings)
        return Summed(
            organisation, len(standings), states, rolled, indicators_of(self._form, summed, self._factors, year)
        )


def above(name: str, parents: Mapping[str, str | None]) -> Iterator[str]:
    """What stands above an organisation in a tree, the nearest first."""
    at = parents.get(name)
    while at is not None:
        yield at
        at = parents.get(at)


def tree_of(site: Site, tree: str, day: date) -> dict[str, str | None]:
    """What each organisation stands directly below on a day, in the tree of regions or in that of departments.

    Of regions, and of departments, only; what lies between is passed over. An organisation that belongs to two
    departments at a time counts in the first that is told of it, so that no tree counts anybody twice.
    """
    kinds = {o.id: o.kind for o in site.organisations}
    up = uppers(site, day)
    return {name: _nearest(name, up, kinds, of_regions=tree == "region") for name in kinds}


def _nearest(name: str, up: Mapping[str, Sequence[str]], kinds: Mapping[str, str], *, of_regions: bool) -> str | None:
    left, seen = list(up.get(name, ())), {name}
    while left:
        at = left.pop(0)
        if at in seen or at not in kinds:
            continue
        seen.add(at)
        if kinds[at] not in _OF_INSTITUTIONS and (kinds[at] in _REGIONS) == of_regions:
            return at
        left += up.get(at, ())
    return None
