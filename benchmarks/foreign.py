"""Messages of other people's gateways, from bytes to columns, against Jieneng's own with the same values."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from adapters.mapping_files import MappingFile, read_mapping
from adapters.sparkplug_payload import Metric, SparkplugPayload, encode_sparkplug
from energy.ports import Message
from energy.quantities import Medium
from energy.sites import Meter, Text
from gateway.foreign.service import Foreign
from gateway.ingest.judge import Judge

_T_MS = 1_795_140_000_000
_METERS, _MESSAGES, _ROUNDS = 32, 640, 7
_NAMES = ("active_power", "active_energy_import", *(f"{q}_l{n}" for q in ("voltage", "current") for n in (1, 2, 3)))
_UNITS = {"active_power": "W", "active_energy_import": "Wh"}

_USUAL = "payload: json\nmeter: {from: meter}\ntime: {at: at, unit: ms}\n"
_MAPPINGS = {
    "json": _USUAL + "topics: [json]\nvalues: {of: data}\n",
    "json_scaled": _USUAL + "topics: [json_scaled]\nvalues: {of: data}\n",
    "json_list": "payload: json\ntopics: [json_list]\nrows: 'data[]'\nmeter: {from: ^.meter}\n"
    "time: {at: ^.at, unit: ms}\nvalues: {name: n, value: v}\n",
    "sparkplug": "payload: sparkplug\ngroup: g\nmeter: {from: '{device}'}\n",
}


def run() -> dict[str, Any]:
    """Readings (8 values) a second of each form, and each as a share of what our own reach in the same run."""
    with tempfile.TemporaryDirectory() as name:
        mappings = [_mapping(Path(name), form) for form in _MAPPINGS]
    forms: dict[str, list[Message]] = {"own": _own()} | {form: _theirs(form) for form in _MAPPINGS}
    spent: dict[str, list[float]] = {form: [] for form in forms}
    for _ in range(_ROUNDS):
        for form, messages in forms.items():
            spent[form].append(_judged(messages, mappings))
    rates = {form: _MESSAGES / median(times) for form, times in spent.items()}
    return {f"{form}_readings_per_s": rate for form, rate in rates.items()} | {
        f"{form}_over_own": rates[form] / rates["own"] for form in _MAPPINGS
    }


def _mapping(folder: Path, form: str) -> MappingFile:
    units = _UNITS if form == "json_scaled" else {}
    quantities = "".join(
        f"  {name}: {{is: {name}, unit: {units[name]}}}\n" if name in units else f"  {name}: {name}\n"
        for name in _NAMES
    )
    file = folder / f"{form}.yaml"
    file.write_text(f"mapping: {form}\n{_MAPPINGS[form]}quantities:\n{quantities}others: ignore\n", encoding="utf-8")
    return read_mapping(file)


def _judged(messages: Sequence[Message], mappings: Sequence[MappingFile]) -> float:
    """Seconds for all of them, in the batches that a bus brings."""
    judge = Judge([Meter(f"m{i}", Text("", ""), Medium.ELECTRICITY) for i in range(_METERS)], foreign=Foreign(mappings))
    if messages[0].topic.startswith("spBv1.0"):
        for birth in _births():
            judge.judge([birth], _T_MS)
    began = time.perf_counter()
    rows = sum(len(judge.judge(messages[i : i + 64], 2 * _T_MS).columns) for i in range(0, len(messages), 64))
    spent = time.perf_counter() - began
    assert rows == _MESSAGES * len(_NAMES), rows
    return spent


def _values(i: int) -> dict[str, float]:
    return {name: round(10.0 + (i * 7 + k) % 9000 / 1000, 3) for k, name in enumerate(_NAMES)}


def _own() -> list[Message]:
    """One reading in a message, as others send them: what is compared is the form."""
    made = []
    for i in range(_MESSAGES):
        reading = {"meter": f"m{i % _METERS}", "taken_at": _T_MS + i, "values": _values(i)}
        made.append(Message("jieneng/v1/e/readings", json.dumps({"readings": [reading]}).encode()))
    return made


def _theirs(form: str) -> list[Message]:
    if form == "sparkplug":
        return [_data(i) for i in range(_MESSAGES)]
    made = []
    for i in range(_MESSAGES):
        values: Any = _values(i)
        if form == "json_list":
            values = [{"n": name, "v": value} for name, value in values.items()]
        payload = {"meter": f"m{i % _METERS}", "at": _T_MS + i, "data": values}
        made.append(Message(form, json.dumps(payload).encode()))
    return made


def _births() -> list[Message]:
    node = _payload("NBIRTH/n", 0, [])
    return [node, *(_payload(f"DBIRTH/n/m{i}", i + 1, _metrics(0, named=True)) for i in range(_METERS))]


def _data(i: int) -> Message:
    return _payload(f"DDATA/n/m{i % _METERS}", (i + _METERS + 1) % 256, _metrics(i, named=False))


def _metrics(i: int, *, named: bool) -> list[Metric]:
    return [
        Metric(name if named else None, k, _T_MS + i, 10 if named else None, False, False, "double_value", value, None)
        for k, (name, value) in enumerate(_values(i).items())
    ]


def _payload(of: str, seq: int, metrics: list[Metric]) -> Message:
    kind, _, rest = of.partition("/")
    return Message(f"spBv1.0/g/{kind}/{rest}", encode_sparkplug(SparkplugPayload(_T_MS, seq, metrics)))
