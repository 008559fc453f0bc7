"""What a unit costs in each half hour, and what amounts cost at it, in whole micro-yuan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from analytics.tariffs.hours import SLOTS, Band, DayBands
from analytics.tariffs.tariff import Prices, Tariff, Version
from energy.series import MICRO as MICRO
from energy.series import Instants

HALF_HOUR_MS = 1_800_000
_DAY_MS = SLOTS * HALF_HOUR_MS
_MOST = 2**63 - 1

Integers = npt.NDArray[np.int64]
Bands = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
_Day = tuple[Integers, Bands, bool]


@dataclass(frozen=True, slots=True)
class HalfHours:
    """Consecutive half hours; columns of length n.

    price : what a unit costs, with all that is added to each unit [micro-yuan per unit]; 0 where it is not known.
    band : codes of `Band`; `Band.NONE` where all hours cost the same, and where nothing is known.
    known : whether a version tells the price. Where it is False, price and band mean nothing.
    """

    price: Integers
    band: Bands
    known: Mask

    def __len__(self) -> int:
        return len(self.price)


def half_hour_prices(tariff: Tariff, start_ms: int, n: int, zone: ZoneInfo) -> HalfHours:
    """The price of a unit in each of n half hours.

    Parameters
    ----------
    start_ms : the instant at which the first begins [ms since the epoch], a multiple of 1,800,000.
    n : how many.
    zone : where the tariff holds; the wall clock there at the beginning of a half hour says in which interval it is.

    Returns
    -------
    n half hours: the price of the band, or of the month where one is told, with components and surcharges. Not in it
    is what does not hang on the half hour: excess beyond a quota, basic charge, power factor, area. Not known are half
    hours under no version, in a month without price, under prices by cumulative use, and those whose band depends on
    holidays that are not told for their year.
    """
    if start_ms % HALF_HOUR_MS:
        raise ValueError(f"start_ms {start_ms} is not on a half hour; must be a multiple of {HALF_HOUR_MS}")
    if n <= 0:
        return HalfHours(np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.bool_))
    local_ms = _local(start_ms + HALF_HOUR_MS * np.arange(n, dtype=np.int64), zone)
    day, slot = local_ms // _DAY_MS, local_ms % _DAY_MS // HALF_HOUR_MS
    first = int(day.min())
    price, band, known = _days(tariff, first, int(day.max()))
    row = day - first
    return HalfHours(price[row, slot], band[row, slot], known[row])


def cost_micro(amount_micro: Integers, price_micro: Integers) -> Integers:
    """What amounts cost, each rounded once, half away from zero.

    Parameters
    ----------
    amount_micro : (n,) amounts [millionths of a unit], signed. price_micro : (n,) [micro-yuan per unit], signed.

    Returns
    -------
    (n,) amount * price / 1,000,000 [micro-yuan], exact before the rounding. What 64 bits may not hold is refused:
    10^15 at 10^9 still fits.
    """
    amount, price = np.asarray(amount_micro, dtype=np.int64), np.asarray(price_micro, dtype=np.int64)
    most_amount, most_price = _greatest(amount), _greatest(price)
    if (most_amount // MICRO + 1) * most_price > _MOST or (MICRO + 1) * most_price > _MOST:
        raise OverflowError(f"amounts up to {most_amount} at prices up to {most_price} are beyond 64 bits")
    whole, rest = np.divmod(np.abs(amount), MICRO)
    size = np.abs(price)
    cost: Integers = whole * size + (rest * size + MICRO // 2) // MICRO
    return np.asarray(np.sign(amount) * np.sign(price) * cost, dtype=np.int64)


def _greatest(values: Integers) -> int:
    return max(int(values.max()), -int(values.min())) if values.size else 0


def _local(t_ms: Instants, zone: ZoneInfo) -> Integers:
    """Instants as the wall clock shows them [ms]; asks the offset once a UTC day, each time where it changes."""
    day = t_ms // _DAY_MS
    first = int(day[0])
    edges = np.array([_offset_ms(d * _DAY_MS, zone) for d in range(first, int(day[-1]) + 2)], dtype=np.int64)
    offset = edges[:-1][day - first]
    for i in np.flatnonzero((edges[1:] != edges[:-1])[day - first]).tolist():
        offset[i] = _offset_ms(int(t_ms[i]), zone)
    return t_ms + offset


def _offset_ms(t_ms: int, zone: ZoneInfo) -> int:
    offset = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t_ms)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def _days(tariff: Tariff, first: int, last: int) -> tuple[Integers, Bands, Mask]:
    """Price (d, 48), band (d, 48) and whether they are known (d,), for local days counted since the epoch."""
    made: dict[tuple[int, DayBands | None, str], _Day] = {}
    rows = [_day(tariff, date(1970, 1, 1) + timedelta(days=d), made) for d in range(first, last + 1)]
    price, band, known = zip(*rows, strict=True)
    return np.stack(price), np.stack(band), np.array(known, dtype=np.bool_)


def _day(tariff: Tariff, day: date, made: dict[tuple[int, DayBands | None, str], _Day]) -> _Day:
    version = tariff.version_on(day)
    if version is None:
        return _UNKNOWN
    month = f"{day:%Y-%m}"
    prices = version.prices_in(month)
    bands = version.time_of_use.day(day) if version.time_of_use else _ALL_HOURS
    if prices is None or bands is None:
        return _UNKNOWN
    key = (version.valid_from.toordinal(), bands, month if month in version.monthly else "")
    if key not in made:
        made[key] = _pattern(version, prices, bands)
    return made[key]


def _pattern(version: Version, prices: Prices, bands: DayBands) -> _Day:
    each = {band: _micro(prices.get(band, prices.get(Band.NONE)), version.added) for band in set(bands)}
    return np.array([each[b] for b in bands], np.int64), np.array(bands, np.uint8), True


def _micro(price: Decimal | None, added: Decimal) -> int:
    assert price is not None
    return int((price + added) * MICRO)


_ALL_HOURS: DayBands = (Band.NONE,) * SLOTS
_UNKNOWN: _Day = (np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.uint8), False)
