"""The simulated meters of a site: what each measures, what its registers show, and the lines they answer on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from collectors.lines.address import SerialServerAddress, parse_address
from collectors.makes import Make, load_make
from collectors.meter_profile import Profile, Table
from collectors.simulators.addressed import AddressedMap, addressed_slave, map_of
from collectors.simulators.bus.hosts import TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.modbus_slave import ModbusSlave
from collectors.simulators.bus.slave import Slave
from collectors.simulators.bus.wire import Station, Wire
from collectors.simulators.faults import FaultLog
from collectors.simulators.flows import Flows, Plant
from collectors.simulators.meter_state import Measured, measured, state
from collectors.simulators.modbus_server import ModbusServer, Unit
from collectors.simulators.registers import Images, RegisterMap
from collectors.simulators.ripple import seed_of
from energy.errors import ConfigurationError, LineError, UnknownName
from energy.quantities import Kind, quantity
from energy.readings import to_ms
from energy.series import Floats, Instants
from energy.sites import LineSettings, Meter, Site

log = logging.getLogger(__name__)

# How often a meter takes new values into its registers, and how often the log of faults is looked at.
REFRESH_MS = 200


class Fleet:
    """The meters of a site, played.

    `async with fleet:` listens at every line of the site; `values` and `history` tell what the meters show at any time,
    without a line. The host to listen on is given here, not by the site, whose addresses are those that an edge dials;
    with `free_ports` each line takes a free port, see `addresses`.
    """

    def __init__(
        self,
        site: Site,
        plant: Plant,
        *,
        now: Callable[[], datetime],
        faults: FaultLog | None = None,
        host: str = "127.0.0.1",
        free_ports: bool = False,
    ) -> None:
        self.site, self.plant, self.now = site, plant, now
        self.faults = faults if faults is not None else FaultLog(())
        self._host, self._free_ports = host, free_ports
        self._meters = {m.id: _Installed(m, load_make(m.profile)) for m in site.meters if m.profile is not None}
        self._flows = Flows(plant, self.faults)
        self._measured: dict[str, Measured] = {}
        self._reached: dict[tuple[str, str], Floats] = {}
        self._servers: dict[str, ModbusServer] = {}
        self._buses: dict[str, tuple[SerialServerAddress, TcpHost]] = {}
        self._stack = AsyncExitStack()
        self._looked_at = 0.0
        self.version = 0
        # By how much the clock of a meter is wrong, by its id; right where nothing stands.
        self.clocks_ahead: dict[str, timedelta] = {}

    def values(self, meter_id: str, at: datetime) -> dict[str, float]:
        """Everything that a meter shows at an instant, before it is rounded to registers."""
        return self._state(meter_id, to_ms(at))

    def history(self, meter_id: str, quantity: str, instants_ms: Instants) -> Floats:
        """A quantity at many instants as one reads it from the meter's register.

        Parameters
        ----------
        instants_ms : (n,) milliseconds since the epoch.

        Returns
        -------
        (n,) in the quantity's own unit, rounded to the register's resolution, times the ratio of the transformers.
        """
        return self.histories(meter_id, (quantity,), instants_ms)[quantity]

    def histories(self, meter_id: str, quantities: Iterable[str], instants_ms: Instants) -> dict[str, Floats]:
        """As `history`, for several quantities of a meter; what they share is computed once."""
        instants = np.asarray(instants_ms, dtype=np.int64)
        if len(instants):
            self._reach(int(instants.max()))
        moment = self._of(meter_id).at(self._flows.shown_at(meter_id, instants))
        registers = self._installed(meter_id).registers
        made: dict[str, Floats] = {}
        for name in quantities:
            values = moment.quantity(name)
            values = np.zeros(len(instants)) if values is None else values
            made[name] = registers.shown(name, values - self._of_old_meters(meter_id, name, instants))
        return made

    def answers(self, meter_id: str, instants_ms: Instants) -> npt.NDArray[np.bool_]:
        """At which instants the meter answers, (n,)."""
        return ~self._flows.silent(meter_id, np.asarray(instants_ms, dtype=np.int64))

    def images(self, meter_id: str, at_ms: int) -> Images:
        """The meter's registers at an instant."""
        registers = self._installed(meter_id).registers
        assert isinstance(registers, RegisterMap)
        return registers.images(self._state(meter_id, at_ms))

    def is_silent(self, meter_id: str, at_ms: int) -> bool:
        """Whether the meter answers nothing at an instant."""
        return bool(self._flows.silent(meter_id, np.array([at_ms], dtype=np.int64))[0])

    def showing(self, meter_id: str) -> dict[str, float] | None:
        """What a meter shows now, in steps of REFRESH_MS; None where it answers nothing."""
        self.look_at_faults()
        now_ms = to_ms(self.now())
        return None if self.is_silent(meter_id, now_ms) else self._state(meter_id, now_ms // REFRESH_MS * REFRESH_MS)

    def clock(self, meter_id: str) -> datetime:
        """What the clock of a meter shows now, right or wrong, in the local time of the site."""
        return (self.now() + self.clocks_ahead.get(meter_id, timedelta(0))).astimezone(self.site.zone_info)

    def switch(self, fault_id: str, *, on: bool) -> None:
        """Let a fault begin or end now."""
        (self.faults.switch_on if on else self.faults.switch_off)(fault_id, self.now())
        self._compose_anew()

    def enter(self, fault_id: str, start: datetime, end: datetime | None) -> None:
        """Let a fault have been on before anything was played."""
        self.faults.enter(fault_id, start, end)
        self._compose_anew()

    def look_at_faults(self) -> None:
        """Take in what another process has switched on or off; at most once in a while of the machine's clock."""
        if time.monotonic() - self._looked_at < REFRESH_MS / 1000:
            return
        self._looked_at = time.monotonic()
        try:
            if self.faults.refresh():
                self._compose_anew()
        except ConfigurationError as error:
            log.warning("the log of faults cannot be read and stays as it was: %s", error)

    @property
    def addresses(self) -> dict[str, str]:
        """Where each line listens, while it does."""
        buses = {line: f"rtu+tcp://{bus.address}?{address.characters}" for line, (address, bus) in self._buses.items()}
        return {line: f"tcp://{server.host}:{server.port}" for line, server in self._servers.items()} | buses

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.callback(self._servers.clear)
            stack.callback(self._buses.clear)
            for line in self.site.lines:
                address = parse_address(line.address)
                if isinstance(address, SerialServerAddress):
                    bus = TcpHost(self._bus(line), _at_once, host=self._host, port=self._port(line))
                    await stack.enter_async_context(bus)
                    self._buses[line.id] = (address, bus)
                    continue
                server = ModbusServer(self._units(line), host=self._host, port=self._port(line))
                try:
                    await server.start()
                except OSError as error:
                    raise LineError(f"line {line.id}: cannot listen on {self._host}:{server.port}: {error}") from error
                stack.push_async_callback(server.stop)
                self._servers[line.id] = server
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _units(self, line: LineSettings) -> dict[int, Unit]:
        return {m.meter.unit: m.played(self) for m in self._meters.values() if m.meter.line == line.id}

    def _bus(self, line: LineSettings) -> Meters:
        """The meters of a serial line behind a serial server, whatever they speak."""
        played = [m for m in self._meters.values() if m.meter.line == line.id]
        return Meters([m.slave(self) for m in played], latency=Latency(0.0))

    def _port(self, line: LineSettings) -> int:
        port = urlsplit(line.address).port
        if port is None and not self._free_ports:
            raise LineError(f"line {line.id}: address {line.address!r} names no port to listen on")
        return 0 if self._free_ports or port is None else port

    def _installed(self, meter_id: str) -> _Installed:
        found = self._meters.get(meter_id)
        if found is None:
            raise UnknownName(f"meter {meter_id!r} is not simulated: it is not in site {self.site.id!r} with a profile")
        return found

    def _state(self, meter_id: str, at_ms: int) -> dict[str, float]:
        self._reach(at_ms)
        at = np.array([at_ms], dtype=np.int64)
        said = state(self._of(meter_id), int(self._flows.shown_at(meter_id, at)[0]))
        if len(self._flows.exchanged(meter_id)):
            said = {name: value - float(self._of_old_meters(meter_id, name, at)[0]) for name, value in said.items()}
        return said

    def _of_old_meters(self, meter_id: str, name: str, t_ms: Instants) -> Floats:
        """What a counter had reached at instants in meters that stood there before, (n,)."""
        exchanges = self._flows.exchanged(meter_id)
        if not len(exchanges) or quantity(name).kind is not Kind.COUNTER:
            return np.zeros(len(t_ms))
        if (meter_id, name) not in self._reached:
            reached = self._of(meter_id).at(exchanges).quantity(name)
            self._reached[meter_id, name] = np.concatenate([[0.0], np.zeros(0) if reached is None else reached])
        return self._reached[meter_id, name][np.searchsorted(exchanges, t_ms, side="right")]

    def _of(self, meter_id: str) -> Measured:
        if meter_id not in self._measured:
            self._measured[meter_id] = measured(
                self._installed(meter_id).meter.medium,
                self._flows.load(meter_id),
                rated=self.plant.rated(meter_id),
                outside=self.plant.outside,
                borders=self.plant.borders,
                seed=seed_of(self.site.id, meter_id),
                power_factor=self.plant.power_factor(meter_id),
            )
        return self._measured[meter_id]

    def _reach(self, at_ms: int) -> None:
        if at_ms >= self.plant.horizon_ms:
            self.plant.extend(at_ms)
            self._compose_anew()

    def _compose_anew(self) -> None:
        """The faults, or how far the loads reach, have changed."""
        self._flows = Flows(self.plant, self.faults)
        self._measured.clear()
        self._reached.clear()
        self.version += 1


def _at_once(station: Station) -> Wire:
    """A wire on which bytes take no time."""
    return Wire(station, None)


class _Installed:
    """A meter of the site with its make."""

    def __init__(self, meter: Meter, make: Make) -> None:
        self.meter, self.make = meter, make
        self.registers: RegisterMap | AddressedMap = (
            RegisterMap(meter, make) if isinstance(make, Profile) else map_of(meter, make)
        )

    def played(self, fleet: Fleet) -> _PlayedUnit:
        """Its registers, for a line that carries nothing else."""
        assert isinstance(self.make, Profile)
        return _PlayedUnit(fleet, self.meter.id, self.make.max_registers)

    def slave(self, fleet: Fleet) -> Slave:
        """The meter on a serial line."""
        if isinstance(self.registers, RegisterMap):
            return ModbusSlave(self.meter.unit, self.played(fleet))
        return addressed_slave(
            self.meter,
            self.registers,
            lambda: fleet.showing(self.meter.id),
            clock=lambda: fleet.clock(self.meter.id),
        )


class _PlayedUnit:
    """A unit that takes new values into its registers every REFRESH_MS, and answers from what it took."""

    def __init__(self, fleet: Fleet, meter_id: str, max_registers: int) -> None:
        self._fleet, self._meter_id = fleet, meter_id
        self.max_registers = max_registers
        self._taken: tuple[int, int] | None = None
        self._images: Images = {}

    def images(self) -> Images | None:
        self._fleet.look_at_faults()
        now_ms = to_ms(self._fleet.now())
        if self._fleet.is_silent(self._meter_id, now_ms):
            return None
        taken = (now_ms // REFRESH_MS * REFRESH_MS, self._fleet.version)
        if taken != self._taken:
            self._images, self._taken = self._fleet.images(self._meter_id, taken[0]), taken
        return self._images

    def refuses(self, table: Table, address: int, count: int) -> int | None:
        """No register of a meter of the site is a hole."""
        return None

    def reboot(self) -> None:
        """Its counters are kept without power."""
