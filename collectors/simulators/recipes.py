"""Recipes: what the load of every simulated meter is made of, as one writes it (see config/demo-campus.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from collectors.simulators.faults import FaultKind
from energy.documents import Way, Words, checked, open_document
from energy.errors import ConfigurationError
from energy.sites import Site

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
HourAndShare = tuple[Annotated[float, Field(ge=0, le=24)], Share]
Day = list[HourAndShare]


class KindWords(Words):
    """How full a kind of building is over a day: [local hour, share] pairs, straight lines between them."""

    workday: Day = Field(min_length=1)
    weekend: Day = Field(min_length=1)
    holiday: Day | None = None
    vacation: Share = 1.0


class FollowsWords(Words):
    """A load that is that of another meter, times a factor: the gas of a boiler follows its heat."""

    meter: str
    times: Annotated[float, Field(gt=0)]


class LoadWords(Words):
    """What flows through a meter and none of its sub-meters, in kW or m3/h.

    base : always. presence : with all people of the kind there. cooling, heating : at full demand. dark : by night.
    overhead_of : machines [kW] of a data room whose cooling this is. spread : by how much a quarter of an hour differs
    from the next. ripple : by how much the load moves within it.
    """

    kind: str = "always"
    base: Amount = 0.0
    presence: Amount = 0.0
    cooling: Amount = 0.0
    heating: Amount = 0.0
    dark: Amount = 0.0
    overhead_of: Amount = 0.0
    follows: FollowsWords | None = None
    spread: Share = 0.06
    ripple: Share = 0.08
    power_factor: Annotated[float, Field(ge=0.3, le=1)] = 0.93


class FaultWords(Words):
    """A fault that can be switched on: `flow` [m3/h] of a leak, `share` of its peak that a load keeps to, how many
    `times` as much flows."""

    id: str
    kind: FaultKind
    meter: str
    zh: str
    en: str
    flow: Annotated[float, Field(gt=0)] | None = None
    share: Share | None = None
    times: Amount | None = None

    @model_validator(mode="after")
    def _amount_of_kind(self) -> FaultWords:
        if (self.kind is FaultKind.LEAK) != (self.flow is not None):
            raise ValueError("flow is given for a leak, and for nothing else")
        if (self.kind is FaultKind.LIGHTS_LEFT_ON) != (self.share is not None):
            raise ValueError("share is given for lights left on, and for nothing else")
        if (self.kind is FaultKind.CHANGED) != (self.times is not None):
            raise ValueError("times is given for a load that is changed, and for nothing else")
        return self


class WeatherWords(Words):
    """The climate: mean of the year [°C], swing of the year and of the day [K]."""

    mean: float = 14.3
    year_swing: Amount = 13.6
    day_swing: Amount = 4.2


class CampusWords(Words):
    """What may stand in a file of recipes."""

    origin: date
    seed: int
    weather: WeatherWords = WeatherWords()
    vacations: list[tuple[str, str]] = []
    kinds: dict[str, KindWords]
    loads: dict[str, LoadWords]
    faults: list[FaultWords] = []


def read_recipes(path: Path, site: Site) -> CampusWords:
    """The recipes of a file for exactly the meters of a site; ConfigurationError lists all that is wrong, by line."""
    document = open_document(path)
    words = checked(document, CampusWords)
    faults = [document.fault(way, text) for way, text in _misfits(words, site)]
    if faults:
        raise ConfigurationError(faults)
    return words


def _misfits(words: CampusWords, site: Site) -> list[tuple[Way, str]]:
    meters = {m.id for m in site.meters}
    found: list[tuple[Way, str]] = []
    found += [(("loads", m), f"is no meter of site {site.id!r}") for m in words.loads if m not in meters]
    found += [(("loads",), f"meter {m!r} has no load here") for m in sorted(meters - set(words.loads))]
    for name, load in words.loads.items():
        if load.kind != "always" and load.kind not in words.kinds:
            found.append((("loads", name, "kind"), f"is none of always, {', '.join(words.kinds)}"))
        if load.follows is not None:
            found += [(("loads", name, "follows"), text) for text in _follows_misfits(words, site, name)]
    for i, fault in enumerate(words.faults):
        if fault.meter not in meters:
            found.append((("faults", i, "meter"), f"is no meter of site {site.id!r}"))
        if fault.id in [other.id for other in words.faults[:i]]:
            found.append((("faults", i, "id"), "is used twice; give each its own"))
    return found


def _follows_misfits(words: CampusWords, site: Site, name: str) -> list[str]:
    """Following must come to an end: a followed meter, and what is below it, must not follow in turn."""
    follows = words.loads[name].follows
    assert follows is not None
    if follows.meter not in words.loads:
        return [f"meter {follows.meter!r} has no load here"]
    for other in tree(site, follows.meter):
        if other in words.loads and words.loads[other].follows is not None:
            return [f"meter {other!r} follows another itself; follow that one"]
    return []


def tree(site: Site, meter_id: str) -> Sequence[str]:
    """A meter and all meters below it."""
    below = [m.id for m in site.meters if m.parent == meter_id]
    return [meter_id, *(name for child in below for name in tree(site, child))]
