"""Payloads that are looked for by coverage: `python -m benchmarks.delivering.guided -max_total_time=60 [CORPUS]`.

Needs atheris (of the extra `bench`); its arguments are those of libFuzzer. It ends with a crash and the payload where
the judge lets pass what a strict reading of the same payload does not say.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from random import Random

import atheris
import structlog

with atheris.instrument_imports(include=["adapters", "gateway.foreign", "gateway.ingest"]):
    from benchmarks.delivering.hostile import NOW_MS, judge_of_all
    from benchmarks.delivering.hostile_corpus import EDGE_TOPIC, Seeds
    from benchmarks.delivering.strict_reading import Broken, Row, Strict
    from energy.ports import Message

TOPICS = (
    EDGE_TOPIC,
    "/neuron/app/canteen-main/g",
    "telegraf/pi/modbus",
    "v1/gateway/telemetry",
    "properties/g",
    "meters/canteen-main/power",
    "spBv1.0/plant/NBIRTH/n1",
    "spBv1.0/plant/DBIRTH/n1/canteen-main",
    "spBv1.0/plant/DDATA/n1/canteen-main",
    "spBv1.0/plant/NDEATH/n1",
)
_JUDGE, _STRICT = judge_of_all(), Strict()


def try_one(data: bytes) -> None:
    """The first byte chooses the topic, the rest is the payload."""
    if not data:
        return
    topic, payload = TOPICS[data[0] % len(TOPICS)], data[1:]
    try:
        said = set(_STRICT.rows(topic, payload, NOW_MS))
    except Broken:
        said = set()
    judged = _JUDGE.judge([Message(topic, payload)], NOW_MS)
    c = judged.columns
    for i in range(len(c)):
        point, value = c.points[c.index[i]], float(c.value[i])
        known = None if value != value else value
        row = Row(point.meter, point.quantity, int(c.taken_at_ms[i]), known, int(c.quality[i]))
        near = {r for r in said if r[:3] == row[:3] and r.quality == row.quality and _near(r.value, row.value)}
        if not near:
            raise AssertionError(f"{topic}: {row} is not among {said}")


def _near(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) <= 1e-13 * abs(one))


def seeds(folder: Path) -> None:
    """Good messages to begin with."""
    folder.mkdir(parents=True, exist_ok=True)
    made, chance = Seeds(), Random(1)
    for i, sent in enumerate([*made.births(), *(made.some(chance) for _ in range(200))]):
        if sent.topic in TOPICS:
            (folder / f"{i}").write_bytes(bytes([TOPICS.index(sent.topic)]) + sent.payload)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            seeds(Path(argument))
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
