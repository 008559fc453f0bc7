"""A bus of simulated meters, put together as it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from collectors.exchanges import Exchange
from collectors.lines.address import Characters
from collectors.makes import AddressedMake
from collectors.meter_profile import Profile, Table
from collectors.simulators.addressed import numbered_slave
from collectors.simulators.bus.contents import contents_of
from collectors.simulators.bus.hosts import Host, ModbusTcpHost, PtyHost, TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.misbehaviour import Misbehaviour
from collectors.simulators.bus.modbus_slave import Mbap, ModbusSlave, Rtu
from collectors.simulators.bus.recorded_slave import RecordedSlave, recorded_slaves
from collectors.simulators.bus.served import ServedLog
from collectors.simulators.bus.slave import Slave
from collectors.simulators.bus.wire import Station, Wire
from collectors.simulators.bus.written import Written


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bus is reached: a terminal by a name, RTU over TCP, or Modbus TCP."""

    pty: Path | None = None
    rtu_tcp: tuple[str, int] | None = None
    tcp: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class BusSettings:
    """What the bus is made of; without `profile` and `tables` every register tells whose it is.

    addressed : a make that is asked by its address, instead of registers; the addresses are the units, zeros in front.
    recorded : what was recorded on a bus, instead of all that; each of its stations is as slow as it was then.
    """

    units: Sequence[int]
    misbehaviours: Sequence[Misbehaviour] = ()
    profile: Profile | None = None
    addressed: AddressedMake | None = None
    recorded: Sequence[Exchange] = ()
    tables: Mapping[Table, Mapping[int, int]] | None = None
    max_registers: int | None = None
    characters: Characters = field(default_factory=Characters)
    latency: Latency = field(default_factory=Latency)
    echo: bool = False
    collisions: bool = True
    uart: int | None = None
    seed: int = 0


def meters_of(settings: BusSettings, *, now: Callable[[], datetime], log: ServedLog, framed: bool = False) -> Meters:
    """The meters of a bus; `framed` as Modbus TCP frames them."""
    if settings.recorded:
        recorded = recorded_slaves(settings.recorded)
        return Meters(recorded, settings.misbehaviours, latency=_as_recorded, seed=settings.seed, log=log)
    if settings.addressed is not None:
        addressed: list[Slave] = [numbered_slave(settings.addressed, number, now) for number in settings.units]
        return Meters(addressed, settings.misbehaviours, latency=settings.latency, seed=settings.seed, log=log)
    slaves = [
        ModbusSlave(
            unit,
            contents_of(
                unit,
                settings.misbehaviours,
                now=now,
                profile=settings.profile,
                tables=settings.tables,
                max_registers=settings.max_registers,
            ),
            Mbap() if framed else Rtu(),
            Written(None if settings.profile is None else settings.profile.writable),
        )
        for unit in settings.units
    ]
    return Meters(slaves, settings.misbehaviours, latency=settings.latency, seed=settings.seed, log=log)


def _as_recorded(slave: Slave) -> Latency:
    return Latency(slave.latency_s if isinstance(slave, RecordedSlave) else 0.0)


def host_of(settings: BusSettings, place: Place, meters: Meters) -> Host:
    """The meters where they are to be reached."""

    def wire(station: Station) -> Wire:
        return Wire(
            station,
            settings.characters if place.tcp is None else None,
            # A millisecond's characters at once: what a machine that waits for each would be too slow for.
            uart=settings.uart or max(1, int(1e-3 / settings.characters.seconds)),
            echo=settings.echo,
            collisions=settings.collisions,
            seed=settings.seed,
        )

    if place.tcp is not None:
        return ModbusTcpHost(meters, wire, host=place.tcp[0], port=place.tcp[1])
    if place.rtu_tcp is not None:
        return TcpHost(meters, wire, host=place.rtu_tcp[0], port=place.rtu_tcp[1])
    return PtyHost(meters, wire, link=place.pty)
