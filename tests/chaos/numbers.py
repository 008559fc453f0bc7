"""Which numbers were served, taken and stored, and what that says: lost, double, false, not recorded."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import duckdb

from adapters.wire import Batch, decode_batch
from tests.chaos.meters import QUANTITIES, Served, export_of


class Reading(NamedTuple):
    """A number that a meter showed, and the instant that the edge gave it."""

    meter: str
    number: int
    at_ms: int


def readings_of(batch: Batch) -> Iterator[Reading]:
    """The numbers in a batch; what has no number is no reading of these meters."""
    for readings in batch.readings:
        value = readings.values.get(QUANTITIES[0])
        if value is not None:
            yield Reading(readings.meter, round(value * 1000), readings.taken_at_ms())


def in_outbox(file: Path, aside: Path) -> set[Reading]:
    """What the outbox of an edge holds that is not running; it is looked at in a copy."""
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for each in file.parent.glob(f"{file.name}*"):
        shutil.copy(each, aside / each.name)
    # Killed before it had made the tables: nothing was taken.
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(aside / file.name)) as outbox:
        payloads = outbox.execute("SELECT payload FROM batches").fetchall()
        return {r for (payload,) in payloads for r in readings_of(decode_batch(payload))}
    return set()


def in_store(file: Path) -> list[tuple[str, str, int, float]]:
    """Every row of the readings of a gateway that is not running: meter, quantity, instant, value."""
    with closing(duckdb.connect(str(file), read_only=False)) as store:
        return store.execute(
            "SELECT meter, quantity, taken_at_ms, value FROM readings JOIN points ON readings.point = points.id"
        ).fetchall()


def refused(file: Path) -> dict[str, int]:
    """What went into quarantine, by reason; repeated readings are counted there, too."""
    with closing(sqlite3.connect(file)) as quarantine:
        return dict(quarantine.execute("SELECT reason, n FROM counts").fetchall())


def set_aside(file: Path) -> dict[tuple[str, int], str]:
    """Meter and number of what is in quarantine, and why; repeated readings are not kept there."""
    with closing(sqlite3.connect(file)) as quarantine:
        found = quarantine.execute("SELECT meter, value, reason FROM refused WHERE quantity = ?", (QUANTITIES[0],))
        return {(meter, round(value * 1000)): reason for meter, value, reason in found}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the readings.

    served : answers of the simulated meters. taken : of these, what the edge had put on its disk.
    lost : taken, and not in the store. double : in the store more than once. false : in the store and never served, at
    another instant than it was taken, or with half of another reading.
    unrecorded : served and not taken, without those that came so late that the edge had asked again.
    holes : of these, those after which the same edge took another one.
    """

    served: int
    taken: int
    stored: int
    lost: list[Reading]
    double: list[tuple[str, int]]
    false: list[str]
    unrecorded: int
    holes: list[Served]

    @property
    def faults(self) -> dict[str, Sequence[object]]:
        """All that may not be, the first of each; nothing where every reading that was taken is stored once."""
        found: dict[str, Sequence[object]] = {
            "lost": self.lost,
            "double": self.double,
            "false": self.false,
            "holes": self.holes,
        }
        return {name: of[:5] for name, of in found.items() if of}

    @property
    def figures(self) -> dict[str, int]:
        return {
            "served": self.served,
            "taken": self.taken,
            "stored": self.stored,
            "lost": len(self.lost),
            "double": len(self.double),
            "false": len(self.false),
            "unrecorded": self.unrecorded,
            "holes": len(self.holes),
        }


def judged(
    served: list[Served],
    taken: set[Reading],
    rows: list[tuple[str, str, int, float]],
    by_edge: Callable[[float], float] | None = lambda at_ms: at_ms,
) -> Verdict:
    """Compare, reading by reading, what was served, what the edge took and what is stored.

    by_edge : what the clock of the edge shows when that of the machine does; None where it jumps.
    """
    taken_numbers = {(r.meter, r.number) for r in taken}
    stored, double, false = _stored(rows)
    said = {(s.meter, s.number) for s in served}
    late = _late(served)
    false += [f"{meter} never said {number}" for meter, number in stored if (meter, number) not in said]
    false += [
        f"{r.meter} said {r.number} at {r.at_ms}, stored at {stored[r.meter, r.number]}"
        for r in taken
        if (r.meter, r.number) in stored and stored[r.meter, r.number] != r.at_ms
    ]
    if by_edge is not None:
        false += _misdated(served, stored, by_edge)
    return Verdict(
        served=len(said),
        taken=len(taken_numbers),
        stored=len(stored),
        lost=sorted(r for r in taken if (r.meter, r.number) not in stored),
        double=double,
        false=false,
        unrecorded=len(said - taken_numbers - late),
        holes=_holes(served, taken_numbers | late),
    )


def _stored(
    rows: Iterable[tuple[str, str, int, float]],
) -> tuple[dict[tuple[str, int], int], list[tuple[str, int]], list[str]]:
    """The instant of each stored number, the numbers that are stored twice, and those with half of another reading."""
    rows = list(rows)
    imports = [(meter, round(v * 1000), t) for meter, name, t, v in rows if name == QUANTITIES[0]]
    exports = Counter((meter, round(v * 1000), t) for meter, name, t, v in rows if name == QUANTITIES[1])
    counted = Counter((meter, number) for meter, number, _ in imports)
    double = [key for key, n in counted.items() if n > 1]
    double += [(meter, number) for (meter, number, _), n in exports.items() if n > 1]
    halves = {(meter, export_of(number), t) for meter, number, t in imports} ^ set(exports)
    false = [f"{meter} at {t}: half of a reading, {number}" for meter, number, t in sorted(halves)]
    return {(meter, number): t for meter, number, t in imports}, double, false


def _by_connection(served: list[Served]) -> Iterator[list[Served]]:
    """The answers of each connection, in their order."""
    found: dict[tuple[int, int], list[Served]] = defaultdict(list)
    for each in served:
        found[each.connection].append(each)
    yield from found.values()


def _late(served: list[Served]) -> set[tuple[str, int]]:
    """Answers that came after whoever asked had given up, and had asked again.

    An edge asks the meters of a line in turn; the same one is asked twice running only where it did not answer in time.
    """
    return {
        (each.meter, each.number)
        for answers in _by_connection(served)
        for each, after in pairwise(answers)
        if each.meter == after.meter
    }


def _misdated(
    served: list[Served], stored: dict[tuple[str, int], int], by_edge: Callable[[float], float]
) -> Iterator[str]:
    """A reading was taken after the answer before it on its connection was given, and before the answer after it."""
    for answers in _by_connection(served):
        for before, each, after in zip(answers, answers[1:], answers[2:], strict=False):
            t = stored.get((each.meter, each.number))
            # What was asked again was asked before the answer before it came.
            first = -math.inf if before.meter == each.meter else by_edge(before.at_ms)
            last = by_edge(after.at_ms)
            # Instants are stored in whole milliseconds. Where the clock was set back in between, nothing is between.
            if t is not None and first <= last and not first - 1 <= t <= last + 1:
                yield f"{each.meter} said {each.number} between {first:.1f} and {last:.1f}, and is stored at {t}"


def _holes(served: list[Served], taken: set[tuple[str, int]]) -> list[Served]:
    """Answers that were not taken although a later one over the same connection was: lost without anybody's death."""
    holes: list[Served] = []
    for answers in _by_connection(served):
        not_taken = [each for each in answers if (each.meter, each.number) not in taken]
        last = next((each for each in reversed(answers) if (each.meter, each.number) in taken), None)
        holes += [] if last is None else [each for each in not_taken if each.at_ms < last.at_ms]
    return holes
