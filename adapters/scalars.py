"""Single words of the operator's files: ids, codes, durations, numbers, each refused with what would be right."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from energy.errors import UnknownName
from energy.quantities import quantity
from energy.sites import ID_PATTERN

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def seconds(text: Any) -> float:
    """Seconds from a number with its unit.

    >>> seconds("15 min")
    900.0
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h)\s*", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("must be a number with its unit, such as 5s, 15min or 1h")
    return float(found[1]) * _SECONDS[found[2]]


def _known_quantity(name: str) -> str:
    try:
        return quantity(name).name
    except UnknownName as error:
        raise ValueError(str(error)) from error


def rated(text: str) -> tuple[str, float | None]:
    """A quantity and, behind an `@`, the interval at which it is read [s].

    >>> rated("active_power@5s")
    ('active_power', 5.0)
    """
    name, at, every = text.partition("@")
    return _known_quantity(name.strip()), seconds(every) if at else None


def _rated(text: str) -> str:
    rated(text)
    return text


def _well_formed(text: str) -> str:
    if not re.fullmatch(ID_PATTERN, text):
        raise ValueError("must be of letters, digits, '-', '_' and '.', 64 at most, beginning with a letter or digit")
    return text


def _quoted(given: Any) -> Any:
    """YAML reads a bare 01100 as an octal number: codes and account numbers must not become other ones."""
    if isinstance(given, int | float):
        raise ValueError("must stand in quotes, such as '0123': without them YAML reads a number")  # noqa: TRY004
    return given


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] < bounds[1]:
        raise ValueError(f"must be [low, high] with low below high; did you mean [{bounds[1]:g}, {bounds[0]:g}]?")
    return bounds


def _not_falling(bounds: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"must be [low, high] with low not above high; did you mean [{bounds[1]}, {bounds[0]}]?")
    return bounds


def known_zone(text: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("must be a zone of the IANA database, such as Asia/Shanghai") from error


Id = Annotated[str, BeforeValidator(_quoted), AfterValidator(_well_formed)]
Code = Annotated[str, BeforeValidator(_quoted), Field(min_length=1)]
QuantityName = Annotated[str, AfterValidator(_known_quantity)]
# A quantity, perhaps with an interval of its own.
RatedQuantity = Annotated[str, AfterValidator(_rated)]
Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0)]
Bounds = Annotated[tuple[float, float], AfterValidator(_ordered)]
Exact = Annotated[Decimal, Field(allow_inf_nan=False)]
Between = Annotated[tuple[Exact, Exact], AfterValidator(_not_falling)]
Ratio = Annotated[float, Field(gt=0, le=1e6)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
