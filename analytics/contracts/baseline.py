"""Frozen baselines: coefficients as decimals, evaluated exactly in whole numbers, alike on every machine.

Floats are fitted with; what is frozen are decimals of six digits, temperatures have two. Their products have eight, so
a day of a baseline is a whole number of 10^-8 units, and nothing is rounded before the statement rounds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from analytics.contracts.canonical import sealed
from analytics.contracts.change_point import Curve
from analytics.contracts.day_kinds import DayKind
from analytics.contracts.fit_figures import FitFigures
from analytics.contracts.sufficiency import Check

FORMAT = "jieneng-baseline-1"
COEFFICIENT_DIGITS, TEMPERATURE_DIGITS = 6, 2
_HUNDRED: int = 10**TEMPERATURE_DIGITS
UNITS = 10 ** (COEFFICIENT_DIGITS + TEMPERATURE_DIGITS)
METHODS = ("daily", "monthly", "agreed")


@dataclass(frozen=True, slots=True)
class Segment:
    """The curve of a day [millionths of the unit; of the unit/K; hundredths of degC]."""

    base: int
    heating: int = 0
    heating_below: int = 0
    cooling: int = 0
    cooling_above: int = 0

    def at(self, temperature: int) -> int:
        """Energy of a day [10^-8 units] of a mean temperature [hundredths of degC].

        >>> Segment(base=100_000_000, heating=2_500_000, heating_below=1550).at(1050) / UNITS
        112.5
        """
        found = self.base * _HUNDRED
        if temperature < self.heating_below:
            found += self.heating * (self.heating_below - temperature)
        if temperature > self.cooling_above:
            found += self.cooling * (temperature - self.cooling_above)
        return found

    @classmethod
    def of(cls, curve: Curve) -> Segment:
        """A fitted curve, rounded to the digits that are frozen."""
        slopes = (_micro(curve.heating), _hundredths(curve.heating_below), _micro(curve.cooling))
        return cls(_micro(curve.base), *slopes, _hundredths(curve.cooling_above))

    @property
    def curve(self) -> Curve:
        """The same in floats, to look at."""
        slopes = self.heating / 1e6, self.heating_below / 100, self.cooling / 1e6, self.cooling_above / 100
        return Curve(self.base / 1e6, *slopes)

    def plain(self) -> dict[str, str]:
        return {
            "base": spelled(self.base, COEFFICIENT_DIGITS),
            "heating": spelled(self.heating, COEFFICIENT_DIGITS),
            "heating_below": spelled(self.heating_below, TEMPERATURE_DIGITS),
            "cooling": spelled(self.cooling, COEFFICIENT_DIGITS),
            "cooling_above": spelled(self.cooling_above, TEMPERATURE_DIGITS),
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, str]) -> Segment:
        digits = {"heating_below": TEMPERATURE_DIGITS, "cooling_above": TEMPERATURE_DIGITS}
        return cls(**{name: whole(text, digits.get(name, COEFFICIENT_DIGITS)) for name, text in plain.items()})


@dataclass(frozen=True, slots=True)
class Baseline:
    """What would be used without the measure, by kind of day and temperature; frozen.

    clause : what it is the baseline of. version : counted up. first, end : the baseline period, `end` not included.
    points : the boundary, sorted. station : whose temperatures. coldest, warmest : of them [hundredths of degC].
    data : SHA-256 of the days that it was fitted to. excluded : days that were left out, each with the reason.
    placebo : half width of the 90 % interval of a month over the adjusted baseline, from months of the baseline period.
    """

    clause: str
    version: int
    unit: str
    method: str
    first: date
    end: date
    points: tuple[str, ...]
    station: str
    segments: Mapping[DayKind, Segment]
    figures: FitFigures | None
    data: str
    coldest: int = 0
    warmest: int = 0
    checks: tuple[Check, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    placebo: str | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is not known; known are {', '.join(METHODS)}")
        if not self.first < self.end:
            raise ValueError(f"the baseline period ends {self.end}, before it begins {self.first}")

    @property
    def by_weather(self) -> bool:
        """Whether it takes temperatures to tell what it says."""
        return any(s.heating or s.cooling for s in self.segments.values())

    def of_days(self, kinds: Sequence[DayKind], temperatures: Sequence[int | None]) -> list[int | None]:
        """Energy of each day [10^-8 units]; None where a temperature is needed and not known.

        kinds : (n,) of the days. temperatures : (n,) [hundredths of degC].
        """
        if not self.by_weather:
            return [self.segments[kind].at(0) for kind in kinds]
        segments = self.segments
        return [None if t is None else segments[kind].at(t) for kind, t in zip(kinds, temperatures, strict=True)]

    def plain(self) -> dict[str, Any]:
        """As it is frozen, with its hash."""
        figures = None
        if self.figures is not None:
            f = self.figures
            ratios = {n: rounded(getattr(f, n)) for n in ("r2", "cv_rmse", "nmbe", "autocorrelation")}
            figures = {"n": f.n, "p": f.p, **ratios}
        return sealed(
            {
                "format": FORMAT,
                "clause": self.clause,
                "version": self.version,
                "unit": self.unit,
                "method": self.method,
                "from": self.first.isoformat(),
                "to": self.end.isoformat(),
                "points": list(self.points),
                "station": self.station,
                "segments": {kind.word: s.plain() for kind, s in sorted(self.segments.items())},
                "figures": figures,
                "data": self.data,
                "coldest": spelled(self.coldest, TEMPERATURE_DIGITS),
                "warmest": spelled(self.warmest, TEMPERATURE_DIGITS),
                "checks": [asdict(check) for check in self.checks],
                "excluded": dict(self.excluded),
                "placebo": self.placebo,
            }
        )

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Baseline:
        """What was frozen."""
        given = plain["figures"]
        figures = None
        if given is not None:
            ratios = {n: _ratio(given[n]) for n in ("r2", "cv_rmse", "nmbe", "autocorrelation")}
            figures = FitFigures(given["n"], given["p"], **ratios)
        return cls(
            plain["clause"],
            plain["version"],
            plain["unit"],
            plain["method"],
            date.fromisoformat(plain["from"]),
            date.fromisoformat(plain["to"]),
            tuple(plain["points"]),
            plain["station"],
            {DayKind.of_word(word): Segment.of_plain(s) for word, s in plain["segments"].items()},
            figures,
            plain["data"],
            whole(plain["coldest"], TEMPERATURE_DIGITS),
            whole(plain["warmest"], TEMPERATURE_DIGITS),
            tuple(Check(**c) for c in plain["checks"]),
            plain["excluded"],
            plain["placebo"],
        )


def spelled(value: int, digits: int) -> str:
    """A whole number of 10^-digits as a decimal.

    >>> spelled(-1050, 2)
    '-10.50'
    """
    sign, value = ("-" if value < 0 else ""), abs(value)
    return f"{sign}{value // 10**digits}.{value % 10**digits:0{digits}d}" if digits else f"{sign}{value}"


def whole(text: str, digits: int) -> int:
    """A decimal as a whole number of 10^-digits; ValueError where it has more digits.

    >>> whole("-10.5", 2)
    -1050
    """
    value = Decimal(text).scaleb(digits)
    if value != value.to_integral_value():
        raise ValueError(f"{text} has more than {digits} decimals")
    return int(value)


def rounded(ratio: float) -> str | None:
    """A ratio with six digits; None where it is no number."""
    return None if ratio != ratio else f"{ratio:.6f}"


def _ratio(text: str | None) -> float:
    return float("nan") if text is None else float(text)


def _micro(value: float) -> int:
    return round(Decimal(value).scaleb(COEFFICIENT_DIGITS))


def _hundredths(value: float) -> int:
    return round(Decimal(value).scaleb(TEMPERATURE_DIGITS))
