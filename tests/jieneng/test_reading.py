"""One meter read once from the command line, whatever it speaks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.clocks import SystemClock
from collectors.makes import load_make
from collectors.meter_profile import Profile
from collectors.simulators.addressed import numbered_slave
from collectors.simulators.bus.hosts import TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.wire import Wire
from energy.errors import ConfigurationError
from jieneng.reading import read_meter


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("profile", "address", "quantities"),
    [
        ("dlt645/three-phase", "000000000007", ("voltage_l1", "voltage_l2", "frequency")),
        ("cjt188/heat-2018", "00000000000007", ("heat_energy", "temperature_supply")),
    ],
)
async def test_a_meter_is_read_by_the_digits_on_its_plate(
    profile: str, address: str, quantities: tuple[str, ...]
) -> None:
    make = load_make(profile)
    assert not isinstance(make, Profile)
    meters = Meters([numbered_slave(make, 7, now)], latency=Latency(0.0))
    async with TcpHost(meters, lambda station: Wire(station, None)) as host:
        line = f"rtu+tcp://{host.address}"
        answer = await read_meter(profile, line, 1, SystemClock(), address=address, quantities=quantities)

    assert sorted(reading.quantity for reading in answer.readings) == sorted(quantities)
    assert {reading.quality for reading in answer.readings} == {"good"}
    assert all(request.error is None for request in answer.requests)


async def test_a_wrong_address_is_told_before_anything_is_asked() -> None:
    with pytest.raises(ConfigurationError, match="a CJ/T 188 meter has 14 digits, these are 12"):
        await read_meter("cjt188/water-2004", "rtu+tcp://192.0.2.1:1", 1, SystemClock(), address="000000000007")
