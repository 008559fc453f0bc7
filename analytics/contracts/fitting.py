"""From the days of a baseline period to a baseline that can be frozen."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics.contracts.baseline import TEMPERATURE_DIGITS, Baseline, Segment, spelled
from analytics.contracts.canonical import digest
from analytics.contracts.daily import LEAST_DAYS, fit_daily
from analytics.contracts.day_kinds import DayKind
from analytics.contracts.degree_days import LEAST_MONTHS, fit_monthly, summed
from analytics.contracts.fit_figures import FitFigures, fit_figures
from analytics.contracts.sufficiency import data_checks, fit_checks
from analytics.contracts.uncertainty import empirical
from energy.errors import EnergyError
from energy.series import MICRO, Floats


@dataclass(frozen=True, slots=True)
class DayValues:
    """The days of a period: (n,) each.

    kinds : what each day is. temperature : mean outdoors [hundredths of degC]. amount : what flowed [millionths of the
    unit]. None is not known.
    """

    days: Sequence[date]
    kinds: Sequence[DayKind]
    temperature: Sequence[int | None]
    amount: Sequence[int | None]

    @property
    def sha256(self) -> str:
        """Of all days with all that is known of them."""
        rows = zip(self.days, self.kinds, self.temperature, self.amount, strict=True)
        told = [[d.isoformat(), k.word, _text(t), None if a is None else str(a)] for d, k, t, a in rows]
        return digest(told)


def _text(temperature: int | None) -> str | None:
    return None if temperature is None else spelled(temperature, TEMPERATURE_DIGITS)


@dataclass(frozen=True, slots=True)
class Named:
    """What a baseline is of."""

    clause: str
    version: int
    unit: str
    points: tuple[str, ...]
    station: str


def fitted(values: DayValues, method: str, named: Named, excluded: Mapping[date, str] | None = None) -> Baseline:
    """The baseline of least BIC over days, or months, of which amount and temperature are known.

    excluded : days that both parties leave out, each with the reason. EnergyError where too little is left.
    """
    out = dict(excluded or {})
    temperature = np.array([np.nan if t is None else t / 100 for t in values.temperature])
    amount = np.array([np.nan if a is None else a / MICRO for a in values.amount])
    used = np.isfinite(temperature) & np.isfinite(amount) & np.array([d not in out for d in values.days])
    fit = _daily if method == "daily" else _monthly
    segments, figures = fit(values, temperature, amount, used)
    known = [t for t, is_used in zip(values.temperature, used.tolist(), strict=True) if is_used and t is not None]
    width = empirical(placebo_errors(values, temperature, amount, used, fit))
    left_out = {d.isoformat(): why for d, why in sorted(out.items())}
    checks = (*data_checks(values.days, np.where(used, amount, np.nan)), *fit_checks(figures, method))
    return Baseline(
        named.clause,
        named.version,
        named.unit,
        method,
        values.days[0],
        date.fromordinal(values.days[-1].toordinal() + 1),
        tuple(sorted(named.points)),
        named.station,
        segments,
        figures,
        values.sha256,
        min(known),
        max(known),
        checks,
        left_out,
        None if width is None else f"{width:.4f}",
    )


_Used = np.ndarray[tuple[int], np.dtype[np.bool_]]
_Fit = tuple[dict[DayKind, Segment], FitFigures]
_Fitting = Callable[[DayValues, Floats, Floats, _Used], _Fit]


def _daily(values: DayValues, temperature: Floats, amount: Floats, used: _Used) -> _Fit:
    kinds = [k for k, is_used in zip(values.kinds, used.tolist(), strict=True) if is_used]
    if len(kinds) < LEAST_DAYS:
        raise EnergyError(
            f"only {len(kinds)} days have both an amount and a temperature; a daily baseline needs {LEAST_DAYS} at "
            "least, and a year to be good"
        )
    model = fit_daily(kinds, temperature[used], amount[used])
    segments = {kind: Segment.of(curve) for kind, curve in model.curves.items()}
    modelled = _at(segments, kinds, temperature[used])
    return segments, fit_figures(amount[used], modelled, model.parameters)


def _monthly(values: DayValues, temperature: Floats, amount: Floats, used: _Used) -> _Fit:
    """By whole months of which all is known; in others there is no sum."""
    names = [f"{d:%Y-%m}" for d in values.days]
    known = Counter(n for n, is_used in zip(names, used.tolist(), strict=True) if is_used)
    whole = [m for m in dict.fromkeys(names) if known[m] == monthrange(int(m[:4]), int(m[5:]))[1]]
    if len(whole) < LEAST_MONTHS:
        raise EnergyError(
            f"only {len(whole)} months have an amount and a temperature on every day; a baseline by months needs "
            f"{LEAST_MONTHS} at least, and 12 to be good"
        )
    number = {m: i for i, m in enumerate(whole)}
    own = np.array([n in number for n in names])
    month = np.array([number[n] for n in names if n in number], np.int64)
    energy = summed(month, amount[own], len(whole))
    curve = fit_monthly(month, temperature[own], energy)
    segment = Segment.of(curve)
    modelled = summed(month, segment.curve.at(temperature[own]), len(whole))
    return dict.fromkeys(DayKind, segment), fit_figures(energy, modelled, curve.parameters)


def placebo_errors(values: DayValues, temperature: Floats, amount: Floats, used: _Used, fit: _Fitting) -> Floats:
    """(modelled - measured) / modelled of each month of the baseline period, by a fit to all the others.

    Nothing was saved in these months: so far is the model off in a month that it has not seen. Months of which less
    than half is known tell nothing.
    """
    names = np.array([f"{d:%Y-%m}" for d in values.days])
    found = []
    for month in dict.fromkeys(names.tolist()):
        own = used & (names == month)
        if own.sum() * 2 < (names == month).sum():
            continue
        try:
            segments, _ = fit(values, temperature, amount, used & (names != month))
        except EnergyError:
            continue
        kinds = [k for k, is_own in zip(values.kinds, own.tolist(), strict=True) if is_own]
        modelled = float(_at(segments, kinds, temperature[own]).sum())
        if modelled > 0:
            found.append((modelled - float(amount[own].sum())) / modelled)
    return np.array(found)


def _at(segments: Mapping[DayKind, Segment], kinds: Sequence[DayKind], temperature: Floats) -> Floats:
    number, made = np.array(kinds, np.int64), np.empty(len(temperature))
    for kind, segment in segments.items():
        own = number == int(kind)
        made[own] = segment.curve.at(temperature[own])
    return made


def agreed(per_day: int, named: Named, first: date, end: date) -> Baseline:
    """A fixed amount a day that both parties have agreed on [millionths of the unit]."""
    return Baseline(
        named.clause,
        named.version,
        named.unit,
        "agreed",
        first,
        end,
        tuple(sorted(named.points)),
        named.station,
        dict.fromkeys(DayKind, Segment(per_day)),
        None,
        digest(str(per_day)),
    )
