"""What meters measure: every quantity with its unit, its kind and its name, once.

Names follow IEC 62053 / IEC 61557-12 for electricity and the usage of EN 1434 and OIML R 49 for heat and water; they
are listed with their Chinese terms in docs/glossary.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from energy.errors import KindError, UnknownName
from energy.units import dimension


class Kind(StrEnum):
    """A gauge is averaged, a counter is differenced; never the other way round."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Medium(StrEnum):
    """What flows through a meter."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    HEAT = "heat"
    ENVIRONMENT = "environment"


class Transformed(StrEnum):
    """By which transformer ratios a value at the meter's terminals is multiplied to be the value of the circuit."""

    NONE = "none"
    CURRENT = "ct"
    VOLTAGE = "pt"
    POWER = "ct*pt"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A thing that is measured; `low` and `high` bound what any meter of the trade could report, in `unit`."""

    name: str
    unit: str
    kind: Kind
    zh: str
    en: str
    low: float
    high: float
    transformed: Transformed = Transformed.NONE

    def __post_init__(self) -> None:
        dimension(self.unit)
        if not self.low < self.high:
            raise ValueError(f"{self.name}: low {self.low} is not below high {self.high}")

    def must_be(self, kind: Kind) -> None:
        """Refuse a quantity of the other kind.

        >>> quantity("active_power").must_be(Kind.COUNTER)
        Traceback (most recent call last):
        energy.errors.KindError: active_power is a gauge, not a counter
        """
        if self.kind is not kind:
            raise KindError(f"{self.name} is a {self.kind}, not a {kind}")


def _phases(base: Quantity) -> Iterator[Quantity]:
    for phase in ("l1", "l2", "l3"):
        yield Quantity(
            f"{base.name}_{phase}",
            base.unit,
            base.kind,
            f"{phase.upper()}相{base.zh}",
            f"{base.en} {phase.upper()}",
            base.low,
            base.high,
            base.transformed,
        )


def _tariffs(base: Quantity) -> Iterator[Quantity]:
    """The registers of the tariffs of a meter, mostly sharp, peak, flat and valley."""
    for number in (1, 2, 3, 4):
        zh, en = f"{base.zh}（费率{number}）", f"{base.en}, tariff {number}"
        yield Quantity(f"{base.name}_t{number}", base.unit, base.kind, zh, en, base.low, base.high, base.transformed)


def _electricity() -> Iterator[Quantity]:
    gauge, counter = Kind.GAUGE, Kind.COUNTER
    total_kwh, power_kw = 1e11, 1e6
    for flow, zh, en in (
        ("import", "正向", "import"),
        ("export", "反向", "export"),
        ("total", "合计", "total"),
    ):
        for of, unit, zh_of, en_of in (
            ("active_energy", "kWh", "有功电能", "Active energy"),
            ("reactive_energy", "kvarh", "无功电能", "Reactive energy"),
        ):
            energy = Quantity(
                f"{of}_{flow}", unit, counter, zh + zh_of, f"{en_of} {en}", 0, total_kwh, Transformed.POWER
            )
            yield energy
            yield from _phases(energy)
            if of == "active_energy":
                yield from _tariffs(energy)
    for of, unit, zh, en in (
        ("active_power", "kW", "有功功率", "Active power"),
        ("reactive_power", "kvar", "无功功率", "Reactive power"),
        ("apparent_power", "kVA", "视在功率", "Apparent power"),
    ):
        power = Quantity(of, unit, gauge, zh, en, -power_kw, power_kw, Transformed.POWER)
        yield power
        yield from _phases(power)
    for flow, zh, en in (("import", "正向", "import"), ("export", "反向", "export")):
        demand = (f"{zh}有功最大需量", f"Greatest active demand, {en}", 0, power_kw, Transformed.POWER)
        yield Quantity(f"active_demand_{flow}_max", "kW", gauge, *demand)
    power_factor = Quantity("power_factor", "1", gauge, "功率因数", "Power factor", -1.001, 1.001)
    yield power_factor
    yield from _phases(power_factor)
    yield from _phases(Quantity("voltage", "V", gauge, "相电压", "Voltage", 0, 5e5, Transformed.VOLTAGE))
    yield Quantity("voltage_ln_avg", "V", gauge, "平均相电压", "Mean voltage L-N", 0, 5e5, Transformed.VOLTAGE)
    for pair in ("l1l2", "l2l3", "l3l1"):
        yield Quantity(
            f"voltage_{pair}",
            "V",
            gauge,
            f"{pair.upper()}线电压",
            f"Voltage {pair.upper()}",
            0,
            1e6,
            Transformed.VOLTAGE,
        )
    yield from _phases(Quantity("current", "A", gauge, "电流", "Current", -1e5, 1e5, Transformed.CURRENT))
    yield Quantity("voltage_ll_avg", "V", gauge, "平均线电压", "Mean voltage L-L", 0, 1e6, Transformed.VOLTAGE)
    for name, zh, en in (
        ("avg", "平均电流", "Mean current"),
        ("n", "中性线电流", "Current N"),
        ("sum", "电流之和", "Sum of currents"),
    ):
        yield Quantity(f"current_{name}", "A", gauge, zh, en, -1e5, 1e5, Transformed.CURRENT)
    yield Quantity("frequency", "Hz", gauge, "频率", "Frequency", 40, 70)
    yield Quantity("phase_angle", "deg", gauge, "相位角", "Phase angle", -360, 360)
    yield from _phases(Quantity("thd_voltage", "%", gauge, "电压谐波畸变率", "Voltage THD", 0, 400))
    yield from _phases(Quantity("thd_current", "%", gauge, "电流谐波畸变率", "Current THD", 0, 1000))
    yield Quantity("thd_voltage_avg", "%", gauge, "平均电压谐波畸变率", "Mean voltage THD", 0, 400)


def _fluids() -> Iterator[Quantity]:
    gauge, counter = Kind.GAUGE, Kind.COUNTER
    yield Quantity("volume", "m3", counter, "累计流量", "Volume", -1e10, 1e10)
    yield Quantity("volume_reverse", "m3", counter, "反向累计流量", "Reverse volume", -1e10, 1e10)
    yield Quantity("flow_rate", "m3/h", gauge, "瞬时流量", "Flow rate", -1e5, 1e5)
    yield Quantity("volume_standard", "m3", counter, "标况累计流量", "Volume at standard conditions", 0, 1e10)
    yield Quantity("volume_actual", "m3", counter, "工况累计流量", "Volume at actual conditions", 0, 1e10)
    yield Quantity("flow_rate_standard", "m3/h", gauge, "标况瞬时流量", "Flow at standard conditions", 0, 1e6)
    yield Quantity("flow_rate_actual", "m3/h", gauge, "工况瞬时流量", "Flow at actual conditions", 0, 1e6)
    yield Quantity("heat_energy", "GJ", counter, "累计热量", "Heat", -1e9, 1e9)
    yield Quantity("heat_power", "kW", gauge, "热功率", "Heat power", -1e6, 1e6)
    yield Quantity("temperature_supply", "degC", gauge, "供水温度", "Supply temperature", -50, 250)
    yield Quantity("temperature_return", "degC", gauge, "回水温度", "Return temperature", -50, 250)
    yield Quantity("temperature", "degC", gauge, "介质温度", "Temperature", -60, 250)
    yield Quantity("pressure", "kPa", gauge, "压力", "Pressure", -200, 1e5)
    yield Quantity("velocity", "m/s", gauge, "流速", "Velocity", -50, 50)
    yield Quantity("sound_speed", "m/s", gauge, "声速", "Speed of sound", 0, 5000)
    yield Quantity("signal_quality", "", gauge, "信号质量", "Signal quality", 0, 100)
    yield Quantity("battery_voltage", "V", gauge, "电池电压", "Battery voltage", 0, 100)


def _environment() -> Iterator[Quantity]:
    gauge = Kind.GAUGE
    yield Quantity("air_temperature", "degC", gauge, "室外温度", "Air temperature", -60, 60)
    yield Quantity("relative_humidity", "%", gauge, "相对湿度", "Relative humidity", 0, 100.5)
    yield Quantity("solar_irradiance", "W/m2", gauge, "太阳辐照度", "Solar irradiance", -20, 1600)


QUANTITIES: dict[str, Quantity] = {q.name: q for q in (*_electricity(), *_fluids(), *_environment())}

# By which gauge and which counter a meter of a medium is spoken of first, the best one first.
HEADLINES: dict[Medium, tuple[str, ...]] = {
    Medium.ELECTRICITY: ("active_power", "active_power_l1", "active_energy_import"),
    Medium.WATER: ("flow_rate", "volume"),
    Medium.GAS: ("flow_rate_standard", "flow_rate_actual", "flow_rate", "volume_standard", "volume"),
    Medium.HEAT: ("heat_power", "flow_rate", "heat_energy"),
    Medium.ENVIRONMENT: ("air_temperature", "relative_humidity", "solar_irradiance"),
}

# The counter that a meter of a medium is read for, the best one first.
MAIN_COUNTERS: dict[Medium, tuple[str, ...]] = {
    Medium.ELECTRICITY: ("active_energy_import", "active_energy_total", "active_energy_import_l1"),
    Medium.WATER: ("volume",),
    Medium.GAS: ("volume_standard", "volume", "volume_actual"),
    Medium.HEAT: ("heat_energy",),
    Medium.ENVIRONMENT: (),
}

# What the smallest meter of the trade carries for hours [unit/h]: a single-phase connection of 60 A (13 kW), a DN 15
# water meter (permanent flow rate Q3 = 1.6 m3/h, ISO 4064), a G4 gas meter (6 m3/h, EN 1359), a dwelling's heat meter.
ORDINARY_PER_H: dict[str, float] = {
    "active_energy_import": 13.0,
    "active_energy_total": 13.0,
    "volume": 1.6,
    "volume_standard": 6.0,
    "volume_actual": 6.0,
    "heat_energy": 0.1,
}


def quantity(name: str) -> Quantity:
    """The quantity of this name.

    >>> quantity("active_energy_import").unit
    'kWh'
    >>> quantity("active_enrgy_import")
    Traceback (most recent call last):
    energy.errors.UnknownName: quantity 'active_enrgy_import' is not known; did you mean 'active_energy_import'?
    """
    found = QUANTITIES.get(name)
    if found is None:
        near = get_close_matches(name, QUANTITIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "the names are in docs/glossary.md"
        raise UnknownName(f"quantity {name!r} is not known; {hint}")
    return found


def headline(medium: Medium, measured: list[str]) -> str | None:
    """The measured quantity whose curve says most about a meter of this medium; None where nothing is measured."""
    for name in HEADLINES[medium]:
        if name in measured:
            return name
    return measured[0] if measured else None


def main_counter(medium: Medium, measured: Sequence[str]) -> str | None:
    """The counter that tells what flows through a meter of this medium; None where it has none.

    >>> main_counter(Medium.GAS, ["flow_rate", "volume"])
    'volume'
    """
    return next((name for name in MAIN_COUNTERS[medium] if name in measured), None)


def medium_of(measured: list[str]) -> Medium:
    """The medium that a meter of unknown make most likely measures, by the quantities it reports."""
    for medium, names in (
        (Medium.HEAT, ("heat_energy", "heat_power")),
        (Medium.GAS, ("volume_standard", "volume_actual", "flow_rate_standard", "flow_rate_actual")),
        (Medium.WATER, ("volume", "flow_rate", "volume_reverse")),
        (Medium.ENVIRONMENT, tuple(q.name for q in _environment())),
    ):
        if any(name in names for name in measured):
            return medium
    return Medium.ELECTRICITY
