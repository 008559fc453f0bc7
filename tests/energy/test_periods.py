"""Periods of a local zone tile the time line, whatever the clocks of the zone do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from energy.periods import Period, Span, period, periods

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")

# Zones whose clocks have done odd things: at midnight, by half an hour, over a whole day.
ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # changes by half an hour
    "America/St_Johns",  # changed back at 00:01, so that the date fell back
    "Pacific/Apia",  # left out the 30th of December 2011
    "America/Sao_Paulo",  # had days without a midnight
    "Asia/Pyongyang",  # moved by half an hour, twice
    "America/Caracas",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Pacific/Chatham",  # +12:45 and +13:45
    "Antarctica/Troll",  # changes by two hours
    "UTC",
]

instants = st.datetimes(datetime(1985, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_a_day_of_shanghai_begins_at_sixteen_hours_utc() -> None:
    assert period(Span.DAY, utc(2026, 1, 1, 15, 59, 59), SHANGHAI) == Period(utc(2025, 12, 31, 16), utc(2026, 1, 1, 16))
    assert period(Span.DAY, utc(2026, 1, 1, 16), SHANGHAI) == Period(utc(2026, 1, 1, 16), utc(2026, 1, 2, 16))


def test_a_week_of_shanghai_begins_on_monday() -> None:
    # The 1st of January 2026 is a Thursday.
    assert period(Span.WEEK, utc(2026, 1, 1), SHANGHAI) == Period(utc(2025, 12, 28, 16), utc(2026, 1, 4, 16))


def test_a_month_and_a_year_of_shanghai() -> None:
    instant = utc(2026, 2, 14)

    assert period(Span.MONTH, instant, SHANGHAI) == Period(utc(2026, 1, 31, 16), utc(2026, 2, 28, 16))
    assert period(Span.YEAR, instant, SHANGHAI) == Period(utc(2025, 12, 31, 16), utc(2026, 12, 31, 16))


def test_december_ends_where_january_begins() -> None:
    assert period(Span.MONTH, utc(2026, 12, 15), SHANGHAI).end == utc(2026, 12, 31, 16)


def test_a_leap_year_has_a_29th_of_february() -> None:
    assert period(Span.MONTH, utc(2028, 2, 10), SHANGHAI).hours == 29 * 24
    assert period(Span.DAY, utc(2028, 2, 29), SHANGHAI) == Period(utc(2028, 2, 28, 16), utc(2028, 2, 29, 16))
    assert period(Span.YEAR, utc(2028, 2, 29), SHANGHAI).hours == 366 * 24
    assert period(Span.YEAR, utc(2027, 2, 28), SHANGHAI).hours == 365 * 24


@pytest.mark.parametrize(
    ("noon", "hours"), [(utc(2026, 3, 29, 12), 23.0), (utc(2026, 10, 25, 12), 25.0), (utc(2026, 6, 1, 12), 24.0)]
)
def test_a_day_of_berlin_has_as_many_hours_as_pass(noon: datetime, hours: float) -> None:
    day = period(Span.DAY, noon, BERLIN)

    assert day.hours == hours
    assert len(list(periods(Span.HOUR, day.start, day.end, BERLIN))) == hours


def test_the_hour_that_comes_twice_in_autumn_is_two_periods() -> None:
    first, second = utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)
    assert first.astimezone(BERLIN).hour == second.astimezone(BERLIN).hour == 2

    assert period(Span.HOUR, first, BERLIN) == Period(utc(2026, 10, 25, 0), utc(2026, 10, 25, 1))
    assert period(Span.HOUR, second, BERLIN) == Period(utc(2026, 10, 25, 1), utc(2026, 10, 25, 2))


def test_an_hour_of_kathmandu_begins_at_a_quarter_past() -> None:
    # +05:45: 12:00 there is 06:15 UTC.
    assert period(Span.HOUR, utc(2026, 1, 1, 6, 20), KATHMANDU) == Period(
        utc(2026, 1, 1, 6, 15), utc(2026, 1, 1, 7, 15)
    )
    assert period(Span.DAY, utc(2026, 1, 1, 6, 20), KATHMANDU).start == utc(2025, 12, 31, 18, 15)


def test_hours_do_not_overlap_where_the_clock_is_changed_by_half_an_hour() -> None:
    # 2026-04-05 at 02:00 (+11:00) the clocks of Lord Howe go back to 01:30 (+10:30), at 15:00 UTC.
    found = list(periods(Span.HOUR, utc(2026, 4, 4, 14), utc(2026, 4, 4, 16), LORD_HOWE))

    assert found == [
        Period(utc(2026, 4, 4, 14), utc(2026, 4, 4, 15)),
        Period(utc(2026, 4, 4, 15), utc(2026, 4, 4, 15, 30)),
        Period(utc(2026, 4, 4, 15, 30), utc(2026, 4, 4, 16, 30)),
    ]


def test_the_day_of_a_change_by_half_an_hour_has_half_an_hour_more() -> None:
    assert period(Span.DAY, utc(2026, 4, 4, 20), LORD_HOWE).hours == 24.5
    assert period(Span.DAY, utc(2026, 10, 3, 20), LORD_HOWE).hours == 23.5


def test_a_day_without_a_midnight_begins_when_its_clock_does() -> None:
    # Sao Paulo went from 2018-11-04 00:00 straight to 01:00.
    zone = ZoneInfo("America/Sao_Paulo")

    assert period(Span.DAY, utc(2018, 11, 4, 12), zone) == Period(utc(2018, 11, 4, 3), utc(2018, 11, 5, 2))


def test_a_day_that_a_zone_left_out_is_no_period() -> None:
    # Samoa went from the 29th to the 31st of December 2011.
    zone = ZoneInfo("Pacific/Apia")

    found = list(periods(Span.DAY, utc(2011, 12, 29, 12), utc(2011, 12, 31), zone))

    assert [p.start.astimezone(zone).day for p in found] == [29, 31]
    assert [p.hours for p in found] == [24, 24]


def test_an_instant_belongs_to_the_period_that_begins_with_it() -> None:
    start = period(Span.DAY, utc(2026, 1, 1), SHANGHAI).start

    assert period(Span.DAY, start, SHANGHAI).start == start
    assert period(Span.DAY, start - timedelta(microseconds=1), SHANGHAI).end == start


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        period(Span.DAY, datetime(2026, 1, 1), SHANGHAI)


def test_an_empty_range_touches_no_period() -> None:
    start = utc(2025, 12, 31, 16)

    assert list(periods(Span.DAY, start, start, SHANGHAI)) == []


@pytest.mark.parametrize("span", list(Span))
@settings(max_examples=150)
@given(instant=instants, zone=st.sampled_from(ZONES).map(ZoneInfo))
@example(instant=utc(2026, 4, 4, 15), zone=LORD_HOWE)
@example(instant=utc(2026, 10, 3, 15, 45), zone=LORD_HOWE)
@example(instant=utc(2006, 10, 29, 3), zone=ZoneInfo("America/St_Johns"))
@example(instant=utc(2011, 12, 30, 10), zone=ZoneInfo("Pacific/Apia"))
@example(instant=utc(2018, 5, 4, 15, 10), zone=ZoneInfo("Asia/Pyongyang"))
@example(instant=utc(2018, 2, 18, 2, 30), zone=ZoneInfo("America/Sao_Paulo"))
def test_periods_tile_time_without_gap_or_overlap(span: Span, instant: datetime, zone: ZoneInfo) -> None:
    found = period(span, instant, zone)

    assert found.start <= instant < found.end
    # Whichever instant of it one asks for, the period is the same, and its neighbours touch it.
    assert period(span, found.start, zone) == found
    assert period(span, found.end - timedelta(microseconds=1), zone) == found
    assert period(span, found.end, zone).start == found.end
    assert period(span, found.start - timedelta(microseconds=1), zone).end == found.start


@pytest.mark.parametrize("span", list(Span))
@settings(max_examples=40)
@given(start=instants, hours=st.integers(1, 400), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_the_periods_of_a_range_cover_it_and_no_more(span: Span, start: datetime, hours: int, zone: ZoneInfo) -> None:
    end = start + timedelta(hours=hours)

    found = list(periods(span, start, end, zone))

    assert found[0].start <= start < found[0].end
    assert found[-1].start < end <= found[-1].end
    assert all(a.end == b.start for a, b in pairwise(found))


@settings(max_examples=60)
@given(instant=instants, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_a_longer_span_is_made_of_whole_shorter_ones(instant: datetime, zone: ZoneInfo) -> None:
    year = period(Span.YEAR, instant, zone)
    months = list(periods(Span.MONTH, year.start, year.end, zone))
    month = period(Span.MONTH, instant, zone)
    days = list(periods(Span.DAY, month.start, month.end, zone))

    assert (months[0].start, months[-1].end) == (year.start, year.end)
    assert (days[0].start, days[-1].end) == (month.start, month.end)
    assert len(months) == 12
