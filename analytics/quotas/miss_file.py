"""Reading how much forecasts missed before: what intervals are told by until an installation has its own."""

from __future__ import annotations

from pathlib import Path

from analytics.quotas.intervals import LEAST_MISSES, STAGES, Calibration, Horizon, Misses
from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError


class MissWords(Words):
    """The misses of a stage, as quantiles of what came to what was expected."""

    of: str
    horizon: Horizon
    stage: int
    forecasts: int
    ratios: list[float]


class FileWords(Words):
    """A file of misses; `borrowed` names what is taken to behave like something measured."""

    version: str
    source: str
    borrowed: dict[str, str] = {}
    misses: list[MissWords]


def read_misses(path: Path) -> Calibration:
    """The misses of a file; a stage of which nothing is told has those of the one before it.

    ConfigurationError lists what is wrong, by line.
    """
    document = open_document(path)
    words = checked(document, FileWords)
    faults, made = [], Calibration()
    for i, one in enumerate(words.misses):
        if len(one.ratios) < LEAST_MISSES or min(one.ratios) <= 0:
            text = f"needs {LEAST_MISSES} ratios or more, all above 0; there are {len(one.ratios)}"
            faults.append(document.fault(("misses", i, "ratios"), text))
            continue
        made.misses[one.of, one.horizon, one.stage] = Misses.of(one.ratios, words.source)
    known = {one.of for one in words.misses}
    for name, like in words.borrowed.items():
        if like not in known:
            faults.append(document.fault(("borrowed", name), f"has no misses; known are {', '.join(sorted(known))}"))
    if faults:
        raise ConfigurationError(faults)
    for of in sorted(known | words.borrowed.keys()):
        _fill(made, of, words.borrowed.get(of, of))
    return made


def _fill(made: Calibration, of: str, like: str) -> None:
    for horizon, stages in STAGES.items():
        last = None
        for stage in range(len(stages)):
            last = made.misses.get((like, horizon, stage), last)
            if last is not None:
                made.misses[of, horizon, stage] = last
