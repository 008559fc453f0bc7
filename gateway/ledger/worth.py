"""What consumption costs by a tariff."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo

import numpy as np

from analytics.tariffs.prices import HalfHours, cost_micro, half_hour_prices
from analytics.tariffs.tariff import Tariff
from energy.hours import HOUR_MS, UNPRICED, Hours, Whole


class TariffWorth:
    """Prices hours by the half hour; `id` changes with anything that the tariff says."""

    def __init__(self, tariff: Tariff, zone: ZoneInfo) -> None:
        self._tariff, self._zone = tariff, zone
        self._first, self._prices = 0, half_hour_prices(tariff, 0, 0, zone)
        self.unit = tariff.unit
        told = repr(tariff).encode() + zone.key.encode()
        self.id = f"{tariff.id}:{hashlib.sha256(told).hexdigest()[:24]}"

    def cost(self, hours: Hours) -> Whole:
        """(n,) what hours cost [millionths of a yuan], half hour by half hour; UNPRICED where no price is known."""
        if len(hours) == 0:
            return np.empty(0, np.int64)
        prices = self._over(int(hours.hour.min()), int(hours.hour.max()) + 1)
        at = (hours.hour.astype(np.int64) - self._first) * 2
        second = hours.amount - hours.first_half
        cost = cost_micro(hours.first_half, prices.price[at]) + cost_micro(second, prices.price[at + 1])
        known = (prices.known[at] | (hours.first_half == 0)) & (prices.known[at + 1] | (second == 0))
        return np.where(known, cost, UNPRICED)

    def _over(self, first: int, end: int) -> HalfHours:
        """The prices from hour `first` to `end`, and of what was asked before."""
        have = self._first, self._first + len(self._prices) // 2
        if not (have[0] <= first and end <= have[1]):
            low, high = (first, end) if have[0] == have[1] else (min(first, have[0]), max(end, have[1]))
            # A month more on either side, so that the next hour need not be reckoned by itself.
            self._first = low - 744
            self._prices = half_hour_prices(self._tariff, self._first * HOUR_MS, 2 * (high - low + 1488), self._zone)
        return self._prices
