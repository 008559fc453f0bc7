"""Thinning: of old readings the last of each hour stays, so that of what counters have counted nothing is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from adapters.wire import MeterReadings, decode_batch, encode
from energy.quantities import QUANTITIES, Kind

_HOUR_MS = 3_600_000
_COUNTERS = frozenset(name for name, quantity in QUANTITIES.items() if quantity.kind is Kind.COUNTER)


def readings_of(payload: object) -> list[MeterReadings]:
    """What a batch holds; nothing where it is none."""
    if not isinstance(payload, bytes):
        return []
    try:
        return decode_batch(payload).readings
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def span_ms(readings: Iterable[MeterReadings]) -> tuple[int, int] | None:
    """The first and the last instant of some readings."""
    instants = [_instant(one) for one in readings]
    return (min(instants), max(instants)) if instants else None


def thinned(readings: Sequence[MeterReadings]) -> list[MeterReadings]:
    """The readings that stay, by instant.

    Of each meter and hour the last one of each set of quantities; and both sides of every fall of a counter, by which
    an exchange or a rollover is known. Maxima, minima and means within the hour go.
    """
    alike: dict[tuple[str, tuple[str, ...]], list[MeterReadings]] = defaultdict(list)
    for one in readings:
        alike[one.meter, tuple(one.values)].append(one)
    stay: list[MeterReadings] = []
    for series in alike.values():
        series.sort(key=_instant)
        for i, one in enumerate(series):
            after = series[i + 1] if i + 1 < len(series) else None
            before = series[i - 1] if i else None
            if after is None or _hour(after) != _hour(one) or _falls(one, after) or (before and _falls(before, one)):
                stay.append(one)
    return sorted(stay, key=_instant)


def packed(readings: Sequence[MeterReadings], most: int) -> list[bytes]:
    """The readings as payloads of at most so many each."""
    return [encode({"readings": readings[i : i + most]}) for i in range(0, len(readings), most)]


def _instant(one: MeterReadings) -> int:
    try:
        return one.taken_at_ms()
    except ValueError:
        return 0


def _hour(one: MeterReadings) -> int:
    return _instant(one) // _HOUR_MS


def _falls(before: MeterReadings, after: MeterReadings) -> bool:
    return any(
        name in _COUNTERS and value is not None and (next_ := after.values.get(name)) is not None and next_ < value
        for name, value in before.values.items()
    )
