"""Mappings and messages for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from adapters.mapping_files import MappingFile, read_mapping
from energy.ports import Message
from energy.quantities import Medium
from energy.readings import Quality, Reason
from energy.sites import Meter, Text
from gateway.foreign.service import Foreign
from gateway.ingest.judge import Judge, Judged

SHIPPED = Path(__file__).parents[3] / "config" / "mappings"
NOW_MS = 1_795_140_060_000
T_MS = 1_795_140_000_000

METERS = [
    Meter("canteen-main", Text("食堂总表", "Canteen main"), Medium.ELECTRICITY),
    Meter("canteen-water", Text("食堂水表", "Canteen water"), Medium.WATER),
]


def shipped(name: str) -> MappingFile:
    return read_mapping(SHIPPED / f"{name}.yaml")


def written(folder: Path, text: str) -> MappingFile:
    """A mapping of JSON of one's own; what it does not say is as usual."""
    usual = {
        "mapping": "own",
        "payload": "json",
        "topics": "['own/{sn}']",
        "meter": "{from: sn}",
        "time": "{at: ts, unit: ms}",
        "values": "{of: data}",
        "quantities": "{P: active_power}",
    }
    given = {line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()}
    head = "".join(f"{key}: {value}\n" for key, value in usual.items() if key not in given)
    file = folder / "own.yaml"
    file.write_text(head + text, encoding="utf-8")
    return read_mapping(file)


class Taking:
    """A judge with mappings; it remembers what gateways said before."""

    def __init__(self, *mappings: MappingFile) -> None:
        self.judge = Judge(METERS, foreign=Foreign(mappings))

    def take(self, topic: str, payload: Any, *, now_ms: int = NOW_MS, retained: bool = False) -> Judged:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.judge.judge([Message(topic, body, retained)], now_ms)


def rows(judged: Judged) -> list[tuple[str, int, float | None, str]]:
    """What would be stored: point, instant, value, and why it is not good."""
    c = judged.columns
    return [
        (
            str(c.points[c.index[i]]),
            int(c.taken_at_ms[i]),
            None if np.isnan(c.value[i]) else float(c.value[i]),
            f"{Quality(int(c.quality[i])).word}: {Reason.of(int(c.reason[i])).value}" if c.quality[i] else "",
        )
        for i in range(len(c))
    ]


def reasons(judged: Judged) -> list[str]:
    return [refusal.reason for refusal in judged.refusals]
