"""How well what a meter answered fits a make, and why; which makes are left when all were looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.commissioning.plausible import decades, decades_of_meaning, disagreements, is_plausible
from collectors.decoder import Decoded
from collectors.makes import Make
from collectors.meter_profile import Marking, Profile
from energy.quantities import main_counter, quantity
from energy.readings import Quality, Reason

# A make fits when what spoke for it would come about by accident once in so many decades, and nothing speaks against.
_FITS = 4.0
# Ahead of the next make by so much, it is the one.
_AHEAD = 1.0
# A value that is nothing, and one that is not there, speak a little against a make that has it.
_NOTHING, _MISSING = 0.4, 1.0
_NAMED_MAKER, _NAMED_MODEL, _TEXT = 2.0, 4.0, 2.0
# A standard says where everything stands: whoever answers its questions in its words needs no further proof.
_BY_STANDARD = 4.0
# What of a make is looked at: where its place and its scale show.
_TELLING = (
    *("voltage_l1", "voltage_l2", "voltage_l3", "frequency", "voltage_l1l2", "voltage_l2l3", "voltage_l3l1"),
    *("current_l1", "current_l2", "current_l3", "active_power_l1", "active_power_l2", "active_power_l3"),
    *("active_power", "power_factor", "active_energy_import", "active_energy_total"),
    *("volume", "volume_standard", "volume_actual", "heat_energy", "flow_rate", "flow_rate_standard"),
    *("temperature", "temperature_supply", "temperature_return", "pressure", "sound_speed", "velocity"),
    *("heat_power", "battery_voltage"),
)


def telling(make: Make) -> tuple[str, ...]:
    """The quantities by which a make is recognised; doubtful registers only where it has no others."""
    doubtful = set(make.doubts) if isinstance(make, Profile) else set()
    known = [name for name in _TELLING if name in make.quantities and name not in doubtful]
    return tuple(known or [name for name in _TELLING if name in make.quantities] or make.quantities)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a make fits: `score` in decades, sentences for and against. Whatever stands in `against` rules it out."""

    make: Make
    score: float
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        return self.score >= _FITS and not self.against

    @property
    def sentence(self) -> str:
        """Why, in one sentence."""
        return "; ".join(self.against[:2] if self.against else self.reasons[:4])


class Evidence:
    """What is heard of one make, answer by answer."""

    def __init__(self, make: Make) -> None:
        self.make = make
        self._score = 0.0
        self._texts: list[str] = []
        self._against: list[str] = []
        self._values: dict[str, float] = {}
        self._empty: list[str] = []
        self._missing: list[str] = []
        self._by_standard = not isinstance(make, Profile)

    @property
    def is_ruled_out(self) -> bool:
        return bool(self._against)

    @property
    def wants_more(self) -> bool:
        """Whether something speaks for it that does not suffice yet."""
        return not self._against and 0 < self._score < _FITS

    def decoded(self, found: Sequence[Decoded]) -> None:
        """Values of an answer."""
        for name, value, quality, reason in found:
            if value is None or quality is Quality.BAD:
                if reason is not Reason.SENTINEL:
                    self._against.append(f"{name} is {reason.value.replace('_', ' ')}")
            elif not is_plausible(name, value):
                self._against.append(f"would say {_displayed(name, value)}")
            else:
                self._values[name] = value
                self._score += decades(self.make, name, value)
                if value == 0:
                    self._empty.append(name)

    def missing(self, names: Sequence[str]) -> None:
        """The meter does not have these."""
        self._missing += names
        self._score -= _MISSING * len(names)

    def text(self, name: str, text: str | None) -> None:
        """What the nameplate says where this make has one."""
        if text and len(text) >= 3 and not text.isdigit():
            self._score += _TEXT
            self._texts.append(f"its nameplate says {name} {text!r}")
        else:
            self._score -= _MISSING

    def stands_for(self, marking: Marking, number: int | None) -> None:
        """A number that the make gives a meaning to: few random ones have any."""
        known = decades_of_meaning(marking, number)
        if known and number is not None:
            self._score += known
            meant = marking.means.get(number) or ", ".join(n for bit, n in marking.flags.items() if number >> bit & 1)
            self._texts.append(f"{marking.name} is {meant or number}")

    def says(self, identification: Mapping[str, str]) -> None:
        """What the meter says of itself, and whether that names this make."""
        if not isinstance(self.make, Profile) or not identification:
            return
        said = " ".join(identification.values())
        maker = self.make.maker.split("(")[0].split()[0]
        if re.search(rf"\b{re.escape(maker)}\b", said, re.IGNORECASE):
            self._score += _NAMED_MAKER
            self._texts.append(f"it names {maker} as its maker")
        elif vendor := identification.get("vendor"):
            self._score -= _NAMED_MAKER
            self._texts.append(f"it names {vendor} as its maker, not {maker}")
        models = [m for m in re.split(r"[^0-9A-Za-z-]+", self.make.model) if len(m) > 2 and re.search(r"\d", m)]
        if called := [m for m in models if re.search(rf"\b{re.escape(m)}", said, re.IGNORECASE)]:
            self._score += _NAMED_MODEL
            self._texts.append(f"it calls itself {called[0]}")

    def fit(self) -> Fit:
        """What all of it comes to."""
        against = [*self._against, *disagreements(self._values)]
        score = self._score - _NOTHING * len(self._empty)
        if self._by_standard and self._values:
            score += _BY_STANDARD
        reasons = [*self._texts, *self._shown()]
        if self._empty:
            reasons.append(f"{_shortened(self._empty)} is 0")
        if self._missing:
            reasons.append(f"{_shortened(self._missing)} is not there")
        return Fit(self.make, round(score, 2), tuple(reasons), tuple(against), dict(self._values))

    def _shown(self) -> list[str]:
        """Values as one reads them on a display, the counter among them."""
        counter = main_counter(self.make.medium, list(self._values))
        named = [n for n in _TELLING if self._values.get(n) and n != counter][:3]
        return [_displayed(n, self._values[n]) for n in (*named, *([counter] if counter else []))]


def _displayed(name: str, value: float) -> str:
    unit = quantity(name).unit
    return f"{name} {value:.6g}" + ("" if unit == "1" else f" {unit}")


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def ranked(fits: Sequence[Fit]) -> list[Fit]:
    """Those that are not ruled out first, the likeliest of them first."""
    return sorted(fits, key=lambda fit: (bool(fit.against), -fit.score, fit.make.id))


def likely(fits: Sequence[Fit]) -> list[Fit]:
    """The make that it is; several where none is ahead; none where nothing fits well enough."""
    fitting = [fit for fit in ranked(fits) if fit.fits]
    return [fit for fit in fitting if fit.score > fitting[0].score - _AHEAD]
