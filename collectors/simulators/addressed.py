"""Simulated meters that are asked by the address on their plate, of whatever protocol, as a bus plays them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from collectors.dlt645.make import ItemMake
from collectors.makes import AddressedMake
from collectors.simulators.bus.slave import Slave
from collectors.simulators.cjt188_slave import Cjt188Slave, RecordMap
from collectors.simulators.course import Steady
from collectors.simulators.dlt645_slave import Dlt645Slave, ItemMap, Shown
from collectors.simulators.meter_state import measured, state
from energy.quantities import Medium
from energy.readings import to_ms
from energy.sites import Meter, Text

# What the clock of a meter shows that stands nowhere.
_ZONE = ZoneInfo("Asia/Shanghai")
_DAY_MS = 86_400_000
_YEAR_MS = 365 * _DAY_MS
# A rate that is plausible for a small meter of each medium, in kW or m3/h.
_RATES = {Medium.ELECTRICITY: 4.2, Medium.WATER: 1.3, Medium.GAS: 2.4, Medium.HEAT: 9.0, Medium.ENVIRONMENT: 1.0}


AddressedMap = ItemMap | RecordMap


def map_of(meter: Meter, make: AddressedMake) -> AddressedMap:
    """What a meter as it is installed shows of its circuit or pipe."""
    return ItemMap(meter, make) if isinstance(make, ItemMake) else RecordMap(meter, make)


def addressed_slave(
    meter: Meter, of: AddressedMap, shown: Shown, *, number: int = 1, clock: Callable[[], datetime] | None = None
) -> Slave:
    """A meter showing what stands before it; `number` is how misbehaviours call it, `clock` shows its local time."""
    assert meter.address is not None
    if isinstance(of, ItemMap):
        return Dlt645Slave(meter.address, of, shown, number=number, clock=clock)
    return Cjt188Slave(meter.address, of, shown, number=number)


def numbered_slave(make: AddressedMake, number: int, now: Callable[[], datetime]) -> Slave:
    """A meter through which something flows steadily; its address is its number, filled up with zeros."""
    address = f"{number:0{make.address_digits}d}"
    meter = Meter(f"meter-{number}", Text(f"{number}", f"Meter {number}"), make.medium, address=address)
    shown = steady_flow(make.medium, number, now)
    return addressed_slave(meter, map_of(meter, make), shown, number=number, clock=lambda: now().astimezone(_ZONE))


def steady_flow(medium: Medium, number: int, now: Callable[[], datetime]) -> Shown:
    """All that a meter shows through which the same has been flowing for a year."""
    began, rate = to_ms(now()), _RATES[medium] * (1 + number % 7 / 10)
    of = measured(
        medium,
        Steady(rate, began - _YEAR_MS),
        rated=2 * rate,
        outside=lambda t_ms: np.full(len(t_ms), 12.0),
        borders=np.arange(began - _YEAR_MS, began + 2 * _YEAR_MS, _DAY_MS, dtype=np.int64),
        seed=number,
    )

    def shown() -> Mapping[str, float]:
        return state(of, to_ms(now()))

    return shown
