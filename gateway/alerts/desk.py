"""The alarm desk: rules over the stream and the ledger on one side, people on the other, kept going by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import structlog

from analytics.alarms.flowed import flowed
from analytics.alarms.ringing_hours import Working, weekdays
from analytics.alarms.rules import Limit
from energy.errors import ConfigurationError, EnergyError, StoreError
from energy.ports import Clock, RegisterStore
from energy.quantities import main_counter
from energy.readings import Point, Quality, ReadingColumns, to_ms
from energy.series import MICRO
from gateway.alerts.alarm import Raised
from gateway.alerts.ledger_watch import LedgerRules
from gateway.alerts.limit_watch import LimitWatch
from gateway.alerts.rules import Rules
from gateway.alerts.service import Alarms
from gateway.alerts.silence_watch import SilenceWatch
from gateway.duty.service import Duty
from gateway.edges.service import Edges
from gateway.ledger.books import Books

log = structlog.get_logger()

_TICK_S = 5.0
_FIGURES_EVERY_S, _AGAIN_S = 60.0, 1.0
_LEDGER_EVERY_MS = 600_000
_HOUR_MS, _PRICE_DAYS = 3_600_000, 31
_GAP_MS, _WARM_MS = 3_600_000, 600_000
# What nobody watched for longer than this is not looked through any more.
_UNWATCHED_MOST_MS = 86_400_000
# A desk that took over within this time goes on; one that begins later gives each meter its time anew.
_TAKEN_OVER_MS = 120_000
_WATCHED, _BEGAN = "alarm desk", "alarm desk began"
# Of so many that ring at once it is reckoned before they are told what has flowed.
_FIGURED = 20
# Money is told to the cent, half to even: an estimate, and said to be one.
_CENT = Decimal("0.01")


@dataclass
class Desk:
    """`take` is given every reading that was stored; `tick` is done every few seconds.

    several : whether it is one of several, of which one is at work at a time: it begins where the last one ended, with
    what was stored meanwhile by whoever took it. hears : whether it is told of what others take just now.
    """

    alarms: Alarms
    rules: Rules
    duty: Duty
    books: Books
    store: RegisterStore
    edges: Edges
    clock: Clock
    days: Working = weekdays
    several: bool = False
    hears: Callable[[], bool] = lambda: True
    limits: LimitWatch = field(init=False)
    silence: SilenceWatch = field(init=False)
    ledger: LedgerRules = field(init=False)
    _found: list[Raised] = field(default_factory=list)
    _over: list[Mapping[str, Mapping[str, int]]] = field(default_factory=list)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _of: tuple[int, int, object] | None = None
    _ledger_ms: int = 0
    # What came while it was looked through what had come before; None when that is done.
    _meanwhile: list[ReadingColumns] | None = None
    _at_work: bool = False

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        """Know nothing yet."""
        self.limits, self.silence = LimitWatch(self.days), SilenceWatch(self.edges)
        self.ledger = LedgerRules(self.books)
        self._found, self._over, self._of, self._ledger_ms = [], [], None, 0
        self._meanwhile = []

    def take(self, columns: ReadingColumns) -> None:
        """Readings that were just stored. Quick, and never waits: what it finds is written by `run`.

        A fault of ours here must not keep readings from being taken.
        """
        if self._meanwhile is not None:
            if self._at_work:
                self._meanwhile.append(columns)
            return
        try:
            self.silence.take(columns)
            raised, over = self.limits.take(columns)
        except Exception:
            log.exception("alarms.blind", readings=len(columns))
            return
        if raised or over:
            self._found += raised
            self._over.append(over)
            self._woken.set()

    async def run(self) -> None:
        """Go on for ever: what rings is written at once, whatever else takes its time."""
        self._begin()
        self._at_work = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ever(self.tick, _TICK_S))
                tasks.create_task(self._ever(self._written, 0.0))
                tasks.create_task(self._ever(self.tell_figures, _FIGURES_EVERY_S))
        finally:
            self._at_work = False
            self._begin()

    def heard_again(self) -> None:
        """Readings may have been stored of which it was not told: what is stored is looked through anew."""
        if self._at_work and self.several and self._meanwhile is None:
            self._meanwhile = []

    async def _ever(self, do: Callable[[], Awaitable[None]], rest_s: float) -> None:
        """What fails is told once, and tried again."""
        failing = False
        while True:
            try:
                await do()
                failing = False
            except (EnergyError, OSError) as error:
                if not failing:
                    log.error("alarms.failed", cause=str(error))
                failing = True
            await asyncio.sleep(max(rest_s, _AGAIN_S if failing else 0.0))

    async def _written(self) -> None:
        await self._woken.wait()
        await self.write()

    async def tick(self) -> None:
        """Everything that is done by the clock."""
        await self.refresh()
        now_ms = to_ms(self.clock.now())
        if self._meanwhile is not None and self._of is not None:
            await self._look_through(now_ms)
        raised, over = self.silence.look(now_ms)
        self._found += raised
        self._over.append(over)
        if now_ms - self._ledger_ms >= _LEDGER_EVERY_MS:
            self._ledger_ms = now_ms
            raised, over = await self.ledger.look(self.alarms.book.rules, self.clock.now())
            self._found += raised
            self._over.append(over)
        await self.write()
        await self.ledger.keep()
        if self.several and self.hears() and self._meanwhile is None:
            await self.books.ledger.reach({_WATCHED: now_ms, _BEGAN: self.silence.began_ms or now_ms})
        await self.alarms.call()

    async def write(self) -> None:
        """Raise what was found, and let recover what is over; what cannot be written stays to be."""
        self._woken.clear()
        found, self._found = self._found, []
        over, self._over = self._over, []
        try:
            found = [await self._with_figures(one) for one in found[:_FIGURED]] + found[_FIGURED:]
            await self.alarms.raise_all(found)
            found = []
            for one in list(over):
                if one:
                    await self.alarms.recover(one)
                over = over[1:]
        except StoreError:
            self._found, self._over = [*found, *self._found], [*over, *self._over]
            self._woken.set()
            raise

    async def refresh(self) -> None:
        """Take over rules, roster and site where they are others."""
        kept = await self.duty.roster()
        self.alarms.roster = kept.roster
        try:
            number, book = await self.rules.book()
        except ConfigurationError as error:
            log.error("rules.unread", cause=str(error))
            if self._meanwhile is not None:
                self._meanwhile.clear()
            return
        site = self.books.kept.site
        if self._of is not None and self._of[0] == number and self._of[2] is site:
            return
        self.alarms.book = book
        standing = await self.alarms.standing(to_ms(self.clock.now()) - _UNWATCHED_MOST_MS)
        self.limits.learn(book.rules, site, standing)
        self.silence.learn(book.rules, site, standing)
        self._of = number, kept.kept.number, site

    async def _look_through(self, now_ms: int) -> None:
        """What was read while nobody watched: it may have lasted already."""
        watched = await self._watched(now_ms)
        if self.several:
            # What others took is found after this; what they take from now on, we are told.
            meters = {point.meter for point in self.limits.points} | set(self.silence.meters)
            await self.store.learn(sorted(meters))
        newest = await self.store.latest()
        since = watched - round(self.limits.longest_s * 1000) - _WARM_MS
        points = self.limits.points
        read = await self.store.readings(points, since, now_ms + 1) if points else newest
        meanwhile, self._meanwhile = self._meanwhile or [], None
        self.silence.take(newest)
        for columns in (read, *meanwhile):
            self.take(columns)

    async def _watched(self, now_ms: int) -> int:
        """Until when all that was stored had been looked at."""
        if not self.several:
            return now_ms
        ledger = self.books.ledger
        watched, began = await ledger.reached(_WATCHED), await ledger.reached(_BEGAN)
        if watched is None:
            return now_ms
        if self.silence.began_ms is None and now_ms - watched < _TAKEN_OVER_MS:
            self.silence.began_ms = began
        return min(max(watched, now_ms - _UNWATCHED_MOST_MS), now_ms)

    # -- figures ----------------------------------------------------------------------------------------------------

    async def _with_figures(self, raised: Raised) -> Raised:
        """With what has flowed already: the first message says it, too."""
        rule = self.alarms.book.rule(raised.rule or "")
        if raised.figures is not None or not isinstance(rule, Limit):
            return raised
        return replace(raised, figures=await self.flowed_since(raised, rule, to_ms(self.clock.now())))

    async def tell_figures(self) -> None:
        """What has flowed since each alarm that is still there, and what that costs."""
        now_ms = to_ms(self.clock.now())
        for alarm in await self.alarms.alarms(open_only=True, limit=1000):
            rule = self.alarms.book.rule(alarm.raised.rule or "")
            if isinstance(rule, Limit) and alarm.raised.point is not None and alarm.life.recovered_ms is None:
                figures = await self.flowed_since(alarm.raised, rule, now_ms)
                if figures is not None:
                    await self.alarms.tell_figures(alarm.id, figures)

    async def flowed_since(self, raised: Raised, rule: Limit, now_ms: int) -> dict[str, Any] | None:
        """Cubic metres or kilowatt-hours since the alarm, beyond what is usual there; None for what does not flow."""
        point = Point.parse(raised.point or "")
        unit = {"m3/h": "m3", "kW": "kWh"}.get(raised.unit)
        if unit is None:
            return None
        found = await self.store.readings([point], raised.crossed_ms, now_ms + 1)
        good = found.quality < Quality.BAD
        amount, unknown_h = flowed(found.taken_at_ms[good], found.value[good], usual=rule.usual or 0.0, gap_ms=_GAP_MS)
        price = await self._price(point, now_ms)
        yuan = {} if price is None else {"yuan": str((Decimal(str(amount)) * price).quantize(_CENT))}
        told = {"amount": round(amount, 3), "unit": unit, "since": raised.crossed_ms, "until": now_ms}
        return {**told, **yuan, "usual": rule.usual, "unknown_hours": round(unknown_h, 2)}

    async def _price(self, point: Point, now_ms: int) -> Decimal | None:
        """What a unit cost there on the mean of the last weeks [yuan], by the ledger; None where nothing is priced."""
        meter = next((m for m in self.books.kept.site.meters if m.id == point.meter), None)
        counter = None if meter is None else main_counter(meter.medium, meter.quantities)
        number = None if counter is None else self.books.ledger.number(Point(point.meter, counter))
        if number is None:
            return None
        hour = now_ms // _HOUR_MS
        sums = await self.books.ledger.totals([number], hour - _PRICE_DAYS * 24, hour + 1)
        priced = int(sums.amount.sum() - sums.unpriced.sum())
        return Decimal(int(sums.cost.sum())) / priced if priced > MICRO else None
