"""Misbehaviours as one writes them, in a file or in a word: what goes wrong, at which meters, how often, since when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError


class Kind(StrEnum):
    """What can go wrong.

    silent : nothing is said. slow, late : the answer comes `by` so much later; late is later than anybody waits.
    garble : `bytes` of the answer are other ones. cut : so many `bytes` at its end are missing.
    short, long : so many `registers` fewer or more than asked, in a frame that is whole.
    wrong_unit, wrong_function, wrong_transaction : a whole frame that says it is of another one.
    wrong_echo : the answer to a write repeats another value or count than was written.
    glued : the answer before follows without silence. dribble : `gap` between any two characters.
    reset : the connection is reset after `bytes`; on a serial line the frame just ends there.
    noise : `bytes` that are none of the answer's, before it, or with `by` so long after it.
    exception : the `code` instead of the answer. reboot : silent for `by`, then all counters begin at 0.
    rollover : counters roll over at `at`, and begin `steps` before it. hole : `addresses` that cannot be read, answered
    by the `code`.
    """

    SILENT = "silent"
    SLOW = "slow"
    LATE = "late"
    GARBLE = "garble"
    CUT = "cut"
    SHORT = "short"
    LONG = "long"
    WRONG_UNIT = "wrong_unit"
    WRONG_FUNCTION = "wrong_function"
    WRONG_TRANSACTION = "wrong_transaction"
    WRONG_ECHO = "wrong_echo"
    GLUED = "glued"
    DRIBBLE = "dribble"
    RESET = "reset"
    NOISE = "noise"
    EXCEPTION = "exception"
    REBOOT = "reboot"
    ROLLOVER = "rollover"
    HOLE = "hole"


# What a kind is told beside when and where; its own default if it has one.
_DETAILS: dict[Kind, dict[str, Any]] = {
    Kind.SLOW: {"by": 0.1},
    Kind.LATE: {"by": 0.35},
    Kind.GARBLE: {"bytes": 1},
    Kind.CUT: {"bytes": 3},
    Kind.SHORT: {"registers": 1},
    Kind.LONG: {"registers": 1},
    Kind.DRIBBLE: {"gap": 0.002},
    Kind.RESET: {"bytes": 4},
    Kind.NOISE: {"bytes": 3, "by": None},
    Kind.EXCEPTION: {"code": 4},
    Kind.REBOOT: {"by": 2.0},
    Kind.ROLLOVER: {"at": 2**32, "steps": 10},
    Kind.HOLE: {"addresses": None, "code": 2},
}
# These are what a meter is, not what it does now and then.
LASTING = frozenset({Kind.ROLLOVER, Kind.HOLE})
_WHEN = ("every", "rate", "after", "times", "from", "until")
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min)?")
_NUMBER = re.compile(r"(?P<base>\d+)(?:\^(?P<power>\d{1,2}))?")


def seconds(value: object) -> object:
    """A duration as one writes it, in seconds: 350ms, 2s, 1.5min, 0.35.

    >>> seconds("350ms")
    0.35
    """
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError("must be a duration, such as 350ms, 2s or 1min")
    number = float(found["number"])
    return number / 1000 if found["unit"] == "ms" else number * 60 if found["unit"] == "min" else number


def numbers(value: object) -> object:
    """Numbers as one writes them: 3, 1-4, 1-4+9.

    >>> sorted(numbers("1-3+9"))
    [1, 2, 3, 9]
    """
    if isinstance(value, int):
        return {value}
    if not isinstance(value, str):
        return value
    found: set[int] = set()
    for part in re.split(r"[+,]", value):
        ends = part.strip().split("-")
        if len(ends) > 2 or not all(end.isdigit() and len(end) < 6 for end in ends) or int(ends[0]) > int(ends[-1]):
            raise ValueError("must be numbers and ranges, such as 3, 1-4 or 1-4+9")
        found.update(range(int(ends[0]), int(ends[-1]) + 1))
    return found


def _whole(value: object) -> object:
    """A whole number that may be written as a power, 2^32."""
    if not isinstance(value, str):
        return value
    found = _NUMBER.fullmatch(value.strip())
    if found is None:
        raise ValueError("must be a whole number, such as 100000000 or 2^32")
    return int(found["base"]) ** int(found["power"] or 1)


Seconds = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Units = Annotated[frozenset[Annotated[int, Field(ge=0, le=255)]], BeforeValidator(numbers), Field(min_length=1)]
Addresses = Annotated[frozenset[Annotated[int, Field(ge=0, le=65535)]], BeforeValidator(numbers), Field(min_length=1)]


class Misbehaviour(Words):
    """One of them. Without `unit` it is of all meters; without any of when, of each request.

    every : of each n-th request to a meter. rate : by chance. after : not before so many requests. times : so often per
    meter. from, until : seconds since the bus began.
    """

    kind: Kind
    unit: Units | None = None
    every: Count | None = None
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    after: Annotated[int, Field(ge=0)] | None = None
    times: Count | None = None
    from_: Annotated[Seconds | None, Field(alias="from")] = None
    until: Seconds | None = None
    by: Seconds | None = None
    gap: Seconds | None = None
    bytes: Annotated[int, Field(ge=1, le=4096)] | None = None
    registers: Annotated[int, Field(ge=1, le=125)] | None = None
    code: Annotated[int, Field(ge=1, le=255)] | None = None
    at: Annotated[int, BeforeValidator(_whole), Field(ge=2)] | None = None
    steps: Annotated[int, Field(ge=0)] | None = None
    addresses: Addresses | None = None

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        """Details that are not given are those of the kind."""
        if not isinstance(given, dict) or given.get("kind") not in set(Kind):
            return given
        own = _DETAILS.get(Kind(given["kind"]), {})
        return {**{key: value for key, value in own.items() if value is not None}, **given}

    @model_validator(mode="after")
    def _of_kind(self) -> Misbehaviour:
        own = _DETAILS.get(self.kind, {})
        known = {"kind", "unit", *own} | (set() if self.kind in LASTING else {*_WHEN, "from_"})
        if strange := sorted(key.rstrip("_") for key in self.model_fields_set - known):
            raise ValueError(
                f"{self.kind} has no {', '.join(strange)}; it has {', '.join(sorted(known - {'kind', 'from_'}))}"
            )
        if self.kind is Kind.HOLE and self.addresses is None:
            raise ValueError("a hole needs addresses, such as 100-103")
        if self.every is not None and self.rate is not None:
            raise ValueError("every and rate exclude each other; give one")
        return self

    def concerns(self, unit: int) -> bool:
        return self.unit is None or unit in self.unit


class _File(Words):
    misbehave: list[Misbehaviour]


def read_misbehaviours(path: Path) -> list[Misbehaviour]:
    """Those of a file; ConfigurationError lists all that is wrong in it."""
    return checked(open_document(path), _File).misbehave


def spelled_misbehaviour(text: str) -> Misbehaviour:
    """As it is written in a word, KIND:KEY=VALUE,KEY=VALUE; ConfigurationError says what is wrong.

    >>> spelled_misbehaviour("late:unit=3,every=3,by=400ms").by
    0.4
    """
    kind, _, rest = text.partition(":")
    given: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key in given:
            raise ConfigurationError([f"misbehave {text}: {part!r} must be KEY=VALUE, each key once"])
        given[key.strip()] = value.strip()
    try:
        return Misbehaviour.model_validate({"kind": kind.replace("-", "_"), **given})
    except ValidationError as error:
        raise ConfigurationError([f"misbehave {text}: {_sentence(e)}" for e in error.errors()]) from error


def _sentence(error: Any) -> str:
    where = ".".join(str(step) for step in error["loc"] if not isinstance(step, int))
    if error["type"] == "extra_forbidden":
        return f"{where} is no key of a misbehaviour"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{where}: {message}" if where else message


def of_unit(misbehaviours: Iterable[Misbehaviour], unit: int, *kinds: Kind) -> list[Misbehaviour]:
    """Those of some kinds that a meter has."""
    return [m for m in misbehaviours if m.kind in kinds and m.concerns(unit)]
