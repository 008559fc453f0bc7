"""The clock of a DL/T 645 meter: date and time are two data items (annex A: 04000101, 04000102)."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple

from collectors.dlt645.questions import ReadItem
from collectors.lines.line import Line, Untrusted
from collectors.packed_decimal import NoNumber, Unmeasured, unpacked

DATE, TIME = bytes.fromhex("04000101"), bytes.fromhex("04000102")


class Shown(NamedTuple):
    """What a clock shows, local time without a zone, in whole seconds; and the instant of its answer."""

    local: datetime
    taken_at: datetime


async def read_clock(line: Line, address: str) -> Shown:
    """What the clock of a meter shows; a LineError where it shows nothing.

    The date is read before and after the time, so that midnight does not come between them.
    """
    day = (await line.ask(_question(address, DATE, 4))).payload
    for _ in range(2):
        hour = await line.ask(_question(address, TIME, 3))
        before, day = day, (await line.ask(_question(address, DATE, 4))).payload
        if before == day:
            return Shown(shown_clock(day[1:], hour.payload[1:]), hour.taken_at)
    raise Untrusted(f"meter {address}: its date changes all the time")


def _question(address: str, identifier: bytes, length: int) -> ReadItem:
    return ReadItem(address, identifier, frozenset((length,)))


def shown_clock(day: bytes, hour: bytes) -> datetime:
    """The instant of a date (day of the week, day, month, year of this century) and a time (seconds, minutes, hours).

    >>> shown_clock(bytes.fromhex("06101526"), bytes.fromhex("530012"))
    Traceback (most recent call last):
    collectors.lines.line.Untrusted: its clock shows 26-15-10 12:00:53, which is none
    """
    try:
        _, dd, mm, yy = (unpacked(day[i : i + 1]) for i in range(4))
        ss, minutes, hh = (unpacked(hour[i : i + 1]) for i in range(3))
        return datetime.combine(date(2000 + yy, mm, dd), time(hh, minutes, ss))
    except (ValueError, NoNumber, Unmeasured) as error:
        shown = f"{day[:0:-1].hex('-')} {hour[::-1].hex(':')}"
        raise Untrusted(f"its clock shows {shown}, which is none") from error
