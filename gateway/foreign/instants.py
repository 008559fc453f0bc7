"""Instants as others write them, exact to the millisecond."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from adapters.mapping_files import TimeWords
from energy.readings import LAST_MS, to_ms

# A millisecond in each unit, as numerator and denominator: ms = count · n / d.
_UNITS = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}


def reader(words: TimeWords) -> Callable[[object], int]:
    """What makes milliseconds of what stands for an instant; ValueError says why it cannot."""
    if words.unit == "iso":
        return _texts(ZoneInfo(words.zone) if words.zone else None, words.format)
    n, d = _UNITS[words.unit]
    return lambda given: _counted(given, n, d)


def within(t_ms: int) -> int:
    """The instant, if a calendar has it."""
    if not 0 <= t_ms <= LAST_MS:
        raise ValueError("not within the years 1970 to 9999")
    return t_ms


def _counted(given: object, n: int, d: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError("is no number")
    if isinstance(given, int):
        return within(given * n if d == 1 else _nearest(given * n, d))
    # Far beyond any instant: not worth an exact number of hundreds of digits.
    if not abs(given) < 1e30:
        raise ValueError("not within the years 1970 to 9999")
    over, under = Decimal(repr(given)).as_integer_ratio()
    return within(_nearest(over * n, under * d))


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _texts(zone: ZoneInfo | None, form: str | None) -> Callable[[object], int]:
    def read(given: object) -> int:
        if not isinstance(given, str):
            raise TypeError("is no text")
        at = datetime.strptime(given, form) if form else datetime.fromisoformat(given)  # noqa: DTZ007
        if at.tzinfo is None:
            if zone is None:
                raise ValueError("has no offset; say `zone` in the mapping if it is local time")
            at = _placed(at, zone)
        return within(to_ms(at))

    return read


def _placed(at: datetime, zone: ZoneInfo) -> datetime:
    """A local time as the instant that it is; ValueError where there is none, or two."""
    early, late = at.replace(tzinfo=zone, fold=0), at.replace(tzinfo=zone, fold=1)
    if early.utcoffset() != late.utcoffset():
        raise ValueError(f"is no instant, or two, in {zone.key}")
    return early.astimezone(UTC)
