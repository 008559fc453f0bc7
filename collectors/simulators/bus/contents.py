"""What stands in the registers of a meter on a bus: a table, a profile's values, or what tells whose it is."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from pydantic import Field

from collectors.meter_profile import Profile, Table
from collectors.simulators.bus.misbehaviour import Kind, Misbehaviour, of_unit
from collectors.simulators.course import Steady
from collectors.simulators.meter_state import measured, state
from collectors.simulators.modbus_server import Unit
from collectors.simulators.registers import Image, Images, RegisterMap
from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError
from energy.quantities import Kind as QuantityKind
from energy.quantities import Medium, quantity
from energy.readings import to_ms
from energy.sites import Meter, Text

_LARGEST = 65536
_YEAR_MS = 365 * 86_400_000
# A rate that is plausible for a main meter of each medium, in kW or m3/h.
_RATES = {Medium.ELECTRICITY: 12.0, Medium.WATER: 1.8, Medium.GAS: 6.0, Medium.HEAT: 40.0, Medium.ENVIRONMENT: 1.0}


class Contents(Unit, Protocol):
    """Registers, and what a meter does about them."""

    def refuses(self, table: Table, address: int, count: int) -> int | None:
        """The exception where a read touches registers that cannot be read."""

    def reboot(self) -> None:
        """Counters begin at 0."""


class Holes:
    """Registers that cannot be read, each with the exception that says so."""

    def __init__(self, misbehaviours: Sequence[Misbehaviour] = (), unit: int = 0) -> None:
        self._codes = {
            address: hole.code or 2
            for hole in of_unit(misbehaviours, unit, Kind.HOLE)
            for address in hole.addresses or ()
        }

    def __call__(self, table: Table, address: int, count: int) -> int | None:
        return next((self._codes[a] for a in range(address, address + count) if a in self._codes), None)


class TellingRegisters:
    """Every register tells whose it is: register N of unit U holds 1000·U + N by function 3, 30 000 more by function 4.

    Whoever reads them sees at once from where a value truly came; all modulo 2^16.
    """

    def __init__(self, unit: int, *, holes: Holes | None = None, max_registers: int = 125) -> None:
        self.max_registers, self.refuses = max_registers, holes if holes is not None else Holes()
        numbers = np.arange(_LARGEST, dtype=np.int64)
        self._images = {
            table: Image(0, ((numbers + telling(unit, table, 0)) % _LARGEST).astype(">u2").tobytes()) for table in Table
        }

    def images(self) -> Images:
        return self._images

    def reboot(self) -> None:
        """Nothing counts here."""


def telling(unit: int, table: Table, address: int) -> int:
    """What a register tells.

    >>> telling(3, Table.HOLDING, 12)
    3012
    """
    return (1000 * unit + address + (30_000 if table is Table.INPUT else 0)) % _LARGEST


class RegisterTable:
    """Registers as a file lists them; those between that it does not list cannot be read."""

    def __init__(
        self, tables: Mapping[Table, Mapping[int, int]], *, holes: Holes | None = None, max_registers: int = 125
    ) -> None:
        self.max_registers, self._holes = max_registers, holes if holes is not None else Holes()
        self._listed = {table: frozenset(held) for table, held in tables.items()}
        self._images = {table: _image(held) for table, held in tables.items() if held}

    def images(self) -> Images:
        return self._images

    def refuses(self, table: Table, address: int, count: int) -> int | None:
        listed = self._listed.get(table, frozenset())
        if any(a not in listed for a in range(address, address + count)):
            return 2
        return self._holes(table, address, count)

    def reboot(self) -> None:
        self._images = {table: Image(i.first, bytes(len(i.words))) for table, i in self._images.items()}


def _image(held: Mapping[int, int]) -> Image:
    first, last = min(held), max(held)
    words = (held.get(address, 0) for address in range(first, last + 1))
    return Image(first, struct.pack(f">{last - first + 1}H", *words))


class PlayedMeter:
    """The registers of a profile, filled by a steady flow; every figure agrees with every other.

    rollover : where its counters begin anew, as a number on the wire, and how many steps before it they stand at first;
    None where they do so as their registers must.
    """

    def __init__(
        self,
        profile: Profile,
        unit: int,
        *,
        now: Callable[[], datetime],
        holes: Holes | None = None,
        rollover: tuple[int, int] | None = None,
        max_registers: int | None = None,
    ) -> None:
        self.max_registers = max_registers or profile.max_registers
        self.refuses = holes if holes is not None else Holes()
        self._now, self._rollover = now, rollover
        meter = Meter(f"unit-{unit}", Text(f"{unit}", f"Unit {unit}"), profile.medium, profile=profile.id, unit=unit)
        self._map = RegisterMap(meter, profile)
        self._steps = {r.quantity: float(r.parts[-1].scale) for r in profile.registers}
        began = to_ms(now())
        rate = _RATES[profile.medium] * (1 + unit % 7 / 10)
        borders = np.arange(began - _YEAR_MS, began + 2 * _YEAR_MS, 86_400_000, dtype=np.int64)
        self._measured = measured(
            profile.medium,
            Steady(rate, began - _YEAR_MS),
            rated=2 * rate,
            outside=lambda t_ms: np.full(len(t_ms), 12.0),
            borders=borders,
            seed=unit,
        )
        self._began = self._counters(began)
        self._zero: Mapping[str, float] = {}

    def values(self) -> dict[str, float]:
        """Everything that it shows now, before it is rounded to registers."""
        shown = state(self._measured, to_ms(self._now()))
        for name in self._began:
            shown[name] = self._counted(name, shown[name])
        return shown

    def images(self) -> Images:
        return self._map.images(self.values())

    def reboot(self) -> None:
        self._zero = self._counters(to_ms(self._now()))

    def _counters(self, at_ms: int) -> dict[str, float]:
        values = state(self._measured, at_ms)
        return {n: v for n, v in values.items() if n in self._steps and quantity(n).kind is QuantityKind.COUNTER}

    def _counted(self, name: str, value: float) -> float:
        if self._zero:
            return value - self._zero[name]
        if self._rollover is None:
            return value
        at, before = self._rollover
        step = self._steps[name]
        return (value - self._began[name] + (at - before) * step) % (at * step)


Word = Annotated[int, Field(ge=0, le=65535)]


class _TableWords(Words):
    holding: dict[Word, Word | list[Word]] = {}
    input: dict[Word, Word | list[Word]] = {}


def read_table(path: Path) -> dict[Table, dict[int, int]]:
    """A file of registers, `holding: {100: [1, 2], 200: 3}`; ConfigurationError lists all that is wrong in it."""
    document = open_document(path)
    words = checked(document, _TableWords)
    tables: dict[Table, dict[int, int]] = {}
    faults: list[str] = []
    for table, given in ((Table.HOLDING, words.holding), (Table.INPUT, words.input)):
        held = tables.setdefault(table, {})
        for first, values in given.items():
            listed = values if isinstance(values, list) else [values]
            if first + len(listed) > _LARGEST:
                faults.append(document.fault((table.value, first), f"{len(listed)} registers reach past 65535"))
            held.update(enumerate(listed, start=first))
    if faults:
        raise ConfigurationError(faults)
    return tables


def contents_of(
    unit: int,
    misbehaviours: Collection[Misbehaviour],
    *,
    now: Callable[[], datetime],
    profile: Profile | None = None,
    tables: Mapping[Table, Mapping[int, int]] | None = None,
    max_registers: int | None = None,
) -> Contents:
    """The registers of one unit: of a profile, of a table, or those that tell whose they are."""
    holes = Holes(list(misbehaviours), unit)
    if tables is not None:
        return RegisterTable(tables, holes=holes, max_registers=max_registers or 125)
    if profile is None:
        return TellingRegisters(unit, holes=holes, max_registers=max_registers or 125)
    rolls = of_unit(misbehaviours, unit, Kind.ROLLOVER)
    rollover = (rolls[0].at or 2**32, rolls[0].steps or 0) if rolls else None
    return PlayedMeter(profile, unit, now=now, holes=holes, rollover=rollover, max_registers=max_registers)
