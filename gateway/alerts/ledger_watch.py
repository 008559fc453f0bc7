"""What the ledger shows in the morning: nights in which something flowed all the time, and mains that lose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.alarms.rules import Gather, Imbalance, NightMinimum, Rule, points_of, roots
from energy.errors import UnitError
from energy.names import Text
from energy.periods import Span, period
from energy.quantities import quantity
from energy.readings import Point, to_ms
from energy.series import MICRO
from energy.units import factor
from gateway.alerts.alarm import Member, Raised
from gateway.ledger.balance import balance
from gateway.ledger.books import Books
from gateway.ledger.service import Range
from gateway.ledger.words import BalanceRow

_HOUR_MS = 3_600_000
# The ledger of an hour is looked at when it has had time to come.
_SETTLED = timedelta(hours=1)
_READ = 0.95


class LedgerRules:
    """Looks at the last night and the last day that are over, each once."""

    def __init__(self, books: Books) -> None:
        self._books = books
        # Up to when each rule was looked at, and of it what was not kept yet.
        self._looked: dict[str, int] = {}
        self._unkept: dict[str, int] = {}

    async def keep(self) -> None:
        """What was found is raised: it is not looked at again, here or elsewhere."""
        if self._unkept:
            await self._books.ledger.reach({_job(rule): until for rule, until in self._unkept.items()})
            self._unkept.clear()

    async def _is_done(self, rule: Rule, until: int) -> bool:
        """Whether the rule was looked at up to then."""
        before = self._looked.get(rule.head.id)
        if before is None:
            before = await self._books.ledger.reached(_job(rule.head.id))
        return before == until

    def _done(self, rule: Rule, until: int) -> None:
        self._looked[rule.head.id] = self._unkept[rule.head.id] = until

    async def look(self, rules: Sequence[Rule], now: datetime) -> tuple[list[Raised], dict[str, dict[str, int]]]:
        """What rings by the ledger; and what no longer does, by the same figures of the next night or day."""
        raised: list[Raised] = []
        over: dict[str, dict[str, int]] = {}
        for rule in rules:
            if isinstance(rule, NightMinimum):
                found, fine = await self._night(rule, now)
            elif isinstance(rule, Imbalance):
                found, fine = await self._balance(rule, now)
            else:
                continue
            raised += found
            for cause, members in fine.items():
                over.setdefault(cause, {}).update(members)
        return raised, over

    async def _night(self, rule: NightMinimum, now: datetime) -> tuple[list[Raised], dict[str, dict[str, int]]]:
        site = self._books.kept.site
        start, end = _last_night(rule, now - _SETTLED, site.zone)
        if await self._is_done(rule, end):
            return [], {}
        points = points_of(rule, site)
        numbers = {n: p for p in points if (n := self._books.ledger.number(p)) is not None}
        hours = await self._books.ledger.hours(sorted(numbers), start // _HOUR_MS, end // _HOUR_MS)
        self._done(rule, end)
        above, meters = roots(site.meters), {m.id: m for m in site.meters}
        raised, over = [], {}
        for number, point in numbers.items():
            own = hours.point == number
            # A night of which hours are missing or guessed shows no least hour.
            known = own & (hours.measured_ms >= _READ * _HOUR_MS)
            if known.sum() < (end - start) // _HOUR_MS:
                continue
            least = float(np.min(hours.amount[known])) / MICRO
            cause = f"night_flow/{above[point.meter] if rule.head.gather is Gather.TREE else point}"
            if least > rule.beyond:
                name = meters[point.meter].name
                raised.append(_of_night(rule, cause, point, name, least, start, end))
            else:
                over[cause] = {str(point): to_ms(now)}
        return raised, over

    async def _balance(self, rule: Imbalance, now: datetime) -> tuple[list[Raised], dict[str, dict[str, int]]]:
        zone = self._books.kept.site.zone_info
        day = period(Span.DAY, now - 2 * _SETTLED - timedelta(days=1), zone)
        if await self._is_done(rule, to_ms(day.end)):
            return [], {}
        answer = await balance(self._books, Range(day.start, day.end, None, zone), rule.share)
        self._done(rule, to_ms(day.end))
        raised, over = [], {}
        for row in answer.rows:
            if (rule.meters and row.meter not in rule.meters) or not _is_read(row):
                continue
            if row.beyond and _is_much(row, rule):
                raised.append(_of_balance(rule, row, to_ms(day.start)))
            else:
                over[f"balance/{row.meter}"] = {row.meter: to_ms(now)}
        return raised, over


def _job(rule: str) -> str:
    return f"alarm rule {rule}"


def _last_night(rule: NightMinimum, now: datetime, zone: str) -> tuple[int, int]:
    """The whole hours of the last night that is over [ms]."""
    from zoneinfo import ZoneInfo

    local = now.astimezone(ZoneInfo(zone))
    end = local.replace(hour=rule.hours.end.hour, minute=0, second=0, microsecond=0)
    if end > local:
        end -= timedelta(days=1)
    start = end.replace(hour=rule.hours.start.hour)
    if start >= end:
        start -= timedelta(days=1)
    return to_ms(start.astimezone(UTC)), to_ms(end.astimezone(UTC))


def _of_night(rule: NightMinimum, cause: str, point: Point, name: Text, least: float, start: int, end: int) -> Raised:
    unit = quantity(point.quantity).unit
    head, hours = rule.head, (end - start) // _HOUR_MS
    usual = rule.usual or 0.0
    return Raised(
        cause,
        "night_minimum",
        head.level,
        point.meter,
        Text(f"{name.zh}：{head.name.zh}", f"{name.en}: {head.name.en}"),
        start,
        (Member(str(point), start),),
        Text(f"昨夜每小时至少 {least:.3g} {unit}。", f"Last night at least {least:.3g} {unit} in every hour."),
        head.first,
        head.id,
        None,
        least,
        rule.beyond,
        unit,
        {"amount": (least - usual) * hours, "unit": unit, "since": start},
    )


def _of_balance(rule: Imbalance, row: BalanceRow, start: int) -> Raised:
    head, share = rule.head, f"{abs(row.rest_share or 0):.0%}"
    return Raised(
        f"balance/{row.meter}",
        "imbalance",
        head.level,
        row.meter,
        Text(f"{row.name.zh}：{head.name.zh}", f"{row.name.en}: {head.name.en}"),
        start,
        (Member(row.meter, start),),
        Text(
            f"昨日与下级表合计相差 {share}（{abs(row.rest or 0):.4g} {row.unit}）。",
            f"Yesterday its sub-meters left {share} unaccounted for ({abs(row.rest or 0):.4g} {row.unit}).",
        ),
        head.first,
        head.id,
        unit=row.unit,
    )


def _is_read(row: BalanceRow) -> bool:
    return min(row.main.shares.measured, row.subs.shares.measured) >= _READ


def _is_much(row: BalanceRow, rule: Imbalance) -> bool:
    if rule.unit is None:
        return True
    try:
        least = rule.least * float(factor(rule.unit, row.unit))
    except UnitError:
        return False
    return abs(row.rest or 0.0) >= least
