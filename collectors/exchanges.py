"""What was asked on a line and what came back, byte by byte, as a file that a simulated bus can play.

YAML: `recording: 1`, the address of the line, and a list of exchanges. `asked` and `came` are bytes as they travelled,
in hexadecimal; `at` is when it was asked, in seconds since the recording began, `took_ms` how long that took.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError, EnergyError


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what came.

    line : the address of the line with its speed. station : whom it was put to. came : empty where nothing came.
    outcome : `answered`, `declined`, `strange` (something came that is no answer) or `nothing`.
    """

    line: str
    station: str
    at_s: float
    asked: bytes
    came: bytes
    took_s: float
    outcome: str


class _ExchangeWords(Words):
    line: str
    station: str
    at: Annotated[float, Field(ge=0)]
    asked: str
    came: str | None = None
    took_ms: Annotated[float, Field(ge=0)] = 0.0
    outcome: Literal["answered", "declined", "strange", "nothing"] = "answered"


class _RecordingWords(Words):
    recording: Literal[1]
    recorded_at: str
    exchanges: list[_ExchangeWords]


def write_exchanges(path: Path, exchanges: Iterable[Exchange], recorded_at: datetime) -> None:
    """Write a recording; EnergyError says why it cannot be."""
    lines = [
        "# What was asked on a line and what came back. `jieneng simulate bus --recording FILE` plays it.",
        "recording: 1",
        f'recorded_at: "{recorded_at.isoformat(timespec="seconds")}"',
        "exchanges:",
    ]
    told = [f"  - {json.dumps(_spelled(exchange))}" for exchange in exchanges]
    if not told:
        lines[-1] += " []"
    try:
        path.write_text("\n".join([*lines, *told]) + "\n", encoding="utf-8")
    except OSError as error:
        raise EnergyError(f"{path}: cannot be written: {error.strerror}") from error


def _spelled(of: Exchange) -> dict[str, str | float | None]:
    return {
        "line": of.line,
        "station": of.station,
        "at": round(of.at_s, 3),
        "asked": of.asked.hex(" "),
        "came": of.came.hex(" ") or None,
        "took_ms": round(of.took_s * 1000, 1),
        "outcome": of.outcome,
    }


def read_exchanges(path: Path) -> list[Exchange]:
    """The exchanges of a recording; ConfigurationError lists all that is wrong in it."""
    document = open_document(path)
    words = checked(document, _RecordingWords)
    found: list[Exchange] = []
    faults: list[str] = []
    for i, one in enumerate(words.exchanges):
        try:
            asked, came = bytes.fromhex(one.asked), bytes.fromhex(one.came or "")
        except ValueError:
            faults.append(document.fault(("exchanges", i), "asked and came must be bytes, such as 01 03 00 00 00 01"))
            continue
        found.append(Exchange(one.line, one.station, one.at, asked, came, one.took_ms / 1000, one.outcome))
    if faults:
        raise ConfigurationError(faults)
    return found
