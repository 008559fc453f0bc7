"""What hostile payloads say, read a second time and in another way: json of the standard library and explicit rules.

Nothing of the gateway is used but the table of quantities. A row that the gateway stores must be one of these.
"""

from __future__ import annotations

import json
import math
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from energy.quantities import QUANTITIES

METERS = ("canteen-main", "canteen-water")
GOOD, UNCERTAIN, BAD = 0, 1, 2
_FIRST_MS, _LAST_MS, _AHEAD_MS = 946_684_800_000, 253_402_300_799_999, 300_000
MOST_BYTES = 1_048_576


class Row(NamedTuple):
    """A reading that may be stored; NaN stands as None."""

    meter: str
    quantity: str
    t_ms: int
    value: float | None
    quality: int


class Broken(Exception):
    """The payload says nothing that can be understood."""


@dataclass
class Strict:
    """Reads messages in their order; `born` is what nodes of Sparkplug said of themselves."""

    born: dict[str, _Node] = field(default_factory=dict)

    def rows(self, topic: str, payload: bytes, now_ms: int) -> list[Row]:
        """What may be stored of a message; Broken where all of it must be refused."""
        if len(payload) > MOST_BYTES:
            raise Broken("too large")
        levels = topic.split("/")
        if levels[:1] == ["spBv1.0"]:
            found = self._sparkplug(levels, payload, now_ms)
        else:
            found = list(_of_topic(levels, payload, now_ms))
        return [row for row in found if _possible(row, now_ms)]

    def _sparkplug(self, levels: list[str], payload: bytes, now_ms: int) -> list[Row]:
        if levels[1:2] != ["plant"] or len(levels) < 4:
            raise Broken("topic")
        kind, node_id = levels[2], levels[3]
        if (
            len(levels) != (5 if kind[:1] == "D" else 4)
            or kind[1:] not in ("BIRTH", "DATA", "DEATH")
            or kind[0] not in "ND"
        ):
            raise Broken("topic")
        device = levels[4] if len(levels) == 5 else ""
        _must(max(len(node_id), len(device)) <= 256, "ids")
        node = self.born.setdefault(node_id, _Node())
        return node.hear(kind, device, _payload(payload), now_ms)


def _possible(row: Row, now_ms: int) -> bool:
    if row.meter not in METERS or row.quantity not in QUANTITIES:
        return False
    if not _FIRST_MS <= row.t_ms <= now_ms + _AHEAD_MS:
        return False
    if row.quality == BAD:
        return True
    bounds = QUANTITIES[row.quantity]
    return row.value is not None and bounds.low <= row.value <= bounds.high


# -- JSON ----------------------------------------------------------------------------------------------------------


def _json(payload: bytes) -> Any:
    def refuse(word: str) -> None:
        raise Broken(word)

    try:
        found = json.loads(payload.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Broken(str(error)) from error
    return found


def _of_topic(levels: list[str], payload: bytes, now_ms: int) -> Iterator[Row]:
    match levels:
        case ["jieneng", "v1", edge, "readings"] if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", edge):
            yield from _own(_json(payload))
        case ["", "neuron", _, _, _]:
            yield from _neuron(_json(payload))
        case ["telegraf", _, "modbus"]:
            yield from _telegraf(_json(payload))
        case ["v1", "gateway", "telemetry"]:
            yield from _thingsboard(_json(payload))
        case ["properties", _]:
            yield from _properties(_json(payload))
        case ["meters", meter, name]:
            given = _json(payload)
            entry = {"power": ("active_power", Fraction(1, 1000)), "total": ("active_energy_import", Fraction(1))}
            if name in entry:
                yield from _valued(meter, *entry[name], now_ms, given, text=True, quality=UNCERTAIN)
        case _:
            raise Broken("topic")


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _own(given: Any) -> Iterator[Row]:
    _must(isinstance(given, dict) and isinstance(given.get("readings"), list), "no readings")
    _must(given.get("boot") is None or isinstance(given["boot"], str), "boot")
    _must(given.get("sequence") is None or _whole(given["sequence"]) is not None, "sequence")
    rows: list[Row] = []
    for reading in given["readings"]:
        _must(isinstance(reading, dict) and isinstance(reading.get("meter"), str), "meter")
        taken_at, values, flags = reading.get("taken_at"), reading.get("values"), reading.get("flags", {})
        _must(isinstance(taken_at, str) or _whole(taken_at) is not None, "taken_at")
        _must(isinstance(values, dict) and isinstance(flags, dict), "values")
        for value in values.values():
            _must(value is None or (_is_number(value) and abs(value) <= sys.float_info.max), "value")
        for flag in flags.values():
            _must(isinstance(flag, dict) and flag.get("quality") in ("uncertain", "bad"), "flag")
            _must(set(flag) <= {"quality", "reason"} and isinstance(flag.get("reason", ""), str), "flag")
        t_ms = _whole(taken_at) if not isinstance(taken_at, str) else _iso(taken_at)
        if t_ms is None or not 0 <= t_ms <= _LAST_MS:
            continue
        for name, value in values.items():
            quality = {"uncertain": UNCERTAIN, "bad": BAD}[flags[name]["quality"]] if name in flags else GOOD
            rows.append(Row(reading["meter"], name, t_ms, None if value is None else float(value), quality))
    yield from rows


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or (math.isfinite(value) and value.is_integer()) else None


def _iso(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _ms(value: Any) -> int | None:
    if not _is_number(value) or not abs(value) < 1e30:
        return None
    t_ms = math.floor(Fraction(value) + Fraction(1, 2))
    return t_ms if 0 <= t_ms <= _LAST_MS else None


def _valued(
    meter: str,
    quantity: str,
    factor: Fraction,
    t_ms: int,
    given: Any,
    *,
    text: bool = False,
    missing: tuple[float, ...] = (),
    quality: int = GOOD,
) -> Iterator[Row]:
    if given is None or (_is_number(given) and given in missing):
        yield Row(meter, quantity, t_ms, None, BAD)
    elif _is_number(given) and abs(given) < 1e300:
        yield Row(meter, quantity, t_ms, float(Fraction(given) * factor), quality)
    elif text and isinstance(given, str) and re.fullmatch(r"[+-]?[0-9.]{1,62}([eE][+-]?[0-9]{1,2})?", given):
        try:
            yield Row(meter, quantity, t_ms, float(Fraction(given) * factor), quality)
        except ValueError:
            return


_NEURON = {
    "P": ("active_power", Fraction(1)),
    "EP": ("active_energy_import", Fraction(1)),
    "Ua": ("voltage_l1", Fraction(1, 10)),
}


def _neuron(given: Any) -> Iterator[Row]:
    _must(isinstance(given, dict), "no object")
    t_ms, node = _ms(given.get("timestamp")), _name(given.get("node"))
    if t_ms is None or node is None:
        return
    values = given.get("values", {})
    if isinstance(values, dict):
        for name, value in values.items():
            if name in _NEURON:
                yield from _valued(node, *_NEURON[name], t_ms, value)
    errors = given.get("errors", {})
    for name in errors if isinstance(errors, dict) else ():
        if name in _NEURON and not (isinstance(values, dict) and name in values):
            yield Row(node, _NEURON[name][0], t_ms, None, BAD)


def _name(given: Any) -> str | None:
    return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else None


def _telegraf(given: Any) -> Iterator[Row]:
    _must(isinstance(given, dict), "no object")
    several = given.get("metrics")
    meters = {"plant/1": "canteen-main", "plant/2": "canteen-water"}
    for metric in several if isinstance(several, list) else [given]:
        if not isinstance(metric, dict):
            continue
        t_ms, tags, fields = _ms(metric.get("timestamp")), metric.get("tags"), metric.get("fields")
        if t_ms is None or not isinstance(tags, dict) or not isinstance(fields, dict):
            continue
        meter = meters.get(f"{_name(tags.get('name'))}/{_name(tags.get('slave_id'))}")
        if meter is None:
            continue
        for name, value in fields.items():
            if name in ("power", "energy"):
                quantity = {"power": "active_power", "energy": "active_energy_import"}[name]
                yield from _valued(meter, quantity, Fraction(1, 1000), t_ms, value)
            elif name == "volume":
                yield from _valued(meter, "volume", Fraction(1, 1000), t_ms, value, missing=(-1,))


def _thingsboard(given: Any) -> Iterator[Row]:
    _must(isinstance(given, dict) and all(isinstance(items, list) for items in given.values()), "no lists")
    names = {"power": "active_power", "energy": "active_energy_import"}
    for device, items in given.items():
        for item in items:
            if isinstance(item, dict) and isinstance(item.get("values"), dict):
                t_ms = _ms(item.get("ts"))
                for name, value in item["values"].items():
                    if name in names and t_ms is not None:
                        yield from _valued(device, names[name], Fraction(1), t_ms, value)


def _properties(given: Any) -> Iterator[Row]:
    _must(isinstance(given, list), "no list")
    _must(all(isinstance(d, dict) and isinstance(d.get("properties"), list) for d in given), "no properties")
    names = {"Pt": "active_power", "EPI": "active_energy_import", "Ua": "voltage_l1"}
    for device in given:
        if _name(device.get("deviceId")) != "202311060017":
            continue
        for item in device["properties"]:
            if not isinstance(item, dict) or "value" not in item or item.get("key") not in tuple(names):
                continue
            t_ms = _ms(item.get("time"))
            if t_ms is not None:
                yield from _valued("canteen-main", names[item["key"]], Fraction(1), t_ms, item["value"], text=True)


# -- Sparkplug B ---------------------------------------------------------------------------------------------------

_SPARKPLUG = {
    "Power/Active": ("active_power", Fraction(1, 1000)),
    "Energy/Import": ("active_energy_import", Fraction(1)),
}
_WIDTHS = {1: (8, True), 2: (16, True), 3: (32, True), 4: (64, True), 5: (8, False), 6: (16, False), 7: (32, False)}
_WIDTHS |= {8: (64, False), 13: (64, False)}


class _Metric(dict[str, Any]):
    """Fields of a metric by name; `value` is (field, what stands there)."""


@dataclass
class _Node:
    online: bool = False
    sound: bool = False
    seq: int = 0
    aliases: dict[str, dict[int, str]] = field(default_factory=dict)
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    bd_seq: int | None = None

    def hear(self, kind: str, device: str, payload: _Metric, now_ms: int) -> list[Row]:
        metrics: list[_Metric] = payload["metrics"]
        if kind == "NDEATH":
            bd_seq = _bd_seq(metrics)
            _must(bd_seq is not None, "bdSeq")
            if self.online and self.bd_seq in (bd_seq, None):
                self.online = self.sound = False
            return []
        seq = payload.get("seq")
        _must(seq is not None and seq <= 255, "seq")
        if kind == "NBIRTH":
            self.online = self.sound = True
            self.aliases, self.types, self.bd_seq = {}, {}, _bd_seq(metrics)
        elif seq != (self.seq + 1) % 256:
            self.sound = False
        self.seq = seq or 0
        if kind == "DDEATH":
            self.aliases.pop(device, None)
            self.types.pop(device, None)
            return []
        if kind.endswith("BIRTH"):
            self.aliases[device] = {m["alias"]: m["name"] for m in metrics if "alias" in m and "name" in m}
            self.types[device] = {m["name"]: m["datatype"] for m in metrics if "name" in m and "datatype" in m}
        return [row for m in metrics for row in self._rows(m, device, payload.get("timestamp"), now_ms)]

    def _rows(self, metric: _Metric, device: str, sent_ms: int | None, now_ms: int) -> Iterator[Row]:
        name, datatype = metric.get("name") or None, metric.get("datatype")
        if name is None or datatype is None:
            if not self.sound or device not in self.types:
                return
            name = name or self.aliases[device].get(metric.get("alias", -1))
            datatype = self.types[device].get(name or "") if datatype is None else datatype
        if name not in _SPARKPLUG or datatype is None:
            return
        t_ms = metric.get("timestamp", sent_ms)
        quality = GOOD if t_ms is not None else UNCERTAIN
        if "quality" in metric and metric["quality"] != 192:
            quality = BAD
        t_ms = now_ms if t_ms is None else t_ms
        quantity, factor = _SPARKPLUG[name]
        value = None if metric.get("null") else _typed(metric.get("value"), datatype)
        if value is None and not metric.get("null"):
            return
        if value is None or not math.isfinite(value):
            yield Row(device, quantity, t_ms, None, BAD)
        else:
            yield Row(device, quantity, t_ms, float(Fraction(value) * factor), quality)


def _bd_seq(metrics: list[_Metric]) -> int | None:
    for metric in metrics:
        field_, value = metric.get("value", (0, None))
        if metric.get("name") == "bdSeq" and field_ in (10, 11):
            return int(value)
    return None


def _typed(given: tuple[int, Any] | None, datatype: int) -> int | float | None:
    if given is None:
        return None
    number, value = given
    if datatype in (9, 10):
        return float(value) if number in (12, 13) else None
    if datatype not in _WIDTHS or number not in (10, 11):
        return None
    bits, signed = _WIDTHS[datatype]
    if bits == 64 and number == 10:
        return None
    field_bits = 32 if number == 10 else 64
    candidates = [value, value - (1 << bits), value - (1 << field_bits)] if signed else [value]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    fitting = {c for c in candidates if low <= c <= high}
    return int(min(fitting, key=lambda c: abs(c - value))) if fitting else None


def _payload(data: bytes) -> _Metric:
    found = _Metric(metrics=[])
    for number, wire, value in _fields(data):
        if number == 1 and wire == 0:
            found["timestamp"] = value
        elif number == 3 and wire == 0:
            found["seq"] = value
        elif number == 2 and wire == 2:
            found["metrics"].append(_metric(value))
    return found


def _metric(data: bytes) -> _Metric:
    found = _Metric()
    properties = b""
    for number, wire, value in _fields(data):
        match number, wire:
            case 1, 2:
                found["name"] = _text(value)
            case ((2 | 3), 0):
                found["alias" if number == 2 else "timestamp"] = value
            case 4, 0:
                found["datatype"] = value & 0xFFFFFFFF
            case 7, 0:
                found["null"] = value != 0
            case 9, 2:
                properties += value
                found["properties"] = True
            case 10, 0:
                found["value"] = (10, value & 0xFFFFFFFF)
            case 11, 0:
                found["value"] = (11, value)
            case 12, 5:
                found["value"] = (12, struct.unpack("<f", value)[0])
            case 13, 1:
                found["value"] = (13, struct.unpack("<d", value)[0])
            case 14, 0:
                found["value"] = (14, value != 0)
            case 15, 2:
                found["value"] = (15, _text(value))
            case ((16 | 17 | 18 | 19), 2):
                found["value"] = (number, value)
    if found.get("properties"):
        _quality(properties, found)
    return found


# Of a property: int, long, float, double, bool, text.
_VALUE_WIRES = {3: 0, 4: 0, 5: 5, 6: 1, 7: 0, 8: 2}


def _quality(data: bytes, metric: _Metric) -> None:
    keys, values = [], []
    for number, wire, value in _fields(data):
        if (number, wire) == (1, 2):
            keys.append(value)
        elif (number, wire) == (2, 2):
            # A field of another type on the wire is one that nobody knows.
            values.append({n: v for n, w, v in _fields(value) if _VALUE_WIRES.get(n) == w})
    for key, value in zip(keys, values, strict=False):
        if key.lower() == b"quality":
            metric["quality"] = next(((v & 0xFFFFFFFF if n == 3 else v) for n, v in value.items() if n in (3, 4)), -1)
            return


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Broken("not UTF-8") from error


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Fields of a message of Protocol Buffers: number, type on the wire, and what stands there."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        _must(0 < number < 1 << 29, "number")
        if wire == 0:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise Broken("group")
        _must(at + length <= len(data), "cut off")
        yield number, wire, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(10):
        _must(at + i < len(data), "cut off")
        value |= (data[at + i] & 0x7F) << (7 * i)
        if not data[at + i] & 0x80:
            return value & (1 << 64) - 1, at + i + 1
    raise Broken("varint")
