"""Meters of a site file as they are read now, straight from their lines, for whoever stands before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from collectors.asked import Plan, ask
from collectors.lines.line import Line, Unreachable
from collectors.lines.opening import open_line
from collectors.makes import compile_make
from edge.schedule import Patience
from energy.errors import ConfigurationError, LineError
from energy.ports import Clock
from energy.quantities import headline, main_counter, quantity
from energy.sites import Meter
from jieneng.composition import Installed

_SHOWN = ("voltage_l1", "current_l1", "power_factor", "frequency", "temperature_supply", "temperature_return")


@dataclass(frozen=True, slots=True)
class Seen:
    """A value as it was last read."""

    value: float | None
    unit: str
    quality: str
    reason: str
    taken_at: datetime


@dataclass(slots=True)
class Watched:
    """A meter and what was last seen of it."""

    meter: Meter
    quantities: tuple[str, ...]
    patience: Patience
    values: dict[str, Seen] = field(default_factory=dict)
    error: str | None = None
    plans: Sequence[Plan] = ()
    next_at: float = 0.0

    @property
    def state(self) -> str:
        """`healthy`, `suspect` or `silent`, as the edge calls it; `not asked yet` before."""
        if not self.values and self.error is None:
            return "not asked yet"
        return self.patience.standing.name.lower()


Shown = Callable[[Watched], None]


def watched_meters(
    installed: Installed, ids: Sequence[str], quantities: Sequence[str], every_s: float
) -> list[Watched]:
    """The meters named, or all that hang on a line; ConfigurationError where there are none, or they lack what is
    asked for."""
    site = installed.site
    meters = [site.meter(one) for one in ids] or [meter for meter in site.meters if meter.line]
    wrong = [f"meter {meter.id!r} hangs on no line" for meter in meters if meter.line is None]
    if not meters:
        wrong.append("no meter of the site hangs on a line: there is nothing to watch")
    made: list[Watched] = []
    for meter in meters:
        chosen = tuple(name for name in quantities if name in meter.quantities) if quantities else _usual(meter)
        if not chosen:
            wrong.append(
                f"meter {meter.id!r} has none of {', '.join(quantities)}; it has {', '.join(meter.quantities)}"
            )
        made.append(Watched(meter, chosen, Patience(every_s)))
    if wrong:
        raise ConfigurationError(wrong)
    return made


def _usual(meter: Meter) -> tuple[str, ...]:
    """What one looks at first."""
    names = list(meter.quantities)
    first = (headline(meter.medium, names), main_counter(meter.medium, names))
    usual = [name for name in (*first, *_SHOWN) if name in names]
    return tuple(dict.fromkeys(name for name in usual if name is not None))


async def watch(
    installed: Installed, watched: Sequence[Watched], clock: Clock, shown: Shown, *, every_s: float, rounds: int | None
) -> None:
    """Read all again and again, each line on its own; `rounds` times, or until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for line in installed.site.lines:
            own = [one for one in watched if one.meter.line == line.id]
            if own:
                opened = open_line(line.address, now=clock.now, timeout_s=line.timeout_s)
                tasks.create_task(_watch_line(opened, own, installed, clock, shown, every_s, rounds))


async def _watch_line(
    line: Line,
    watched: Sequence[Watched],
    installed: Installed,
    clock: Clock,
    shown: Shown,
    every_s: float,
    rounds: int | None,
) -> None:
    async with line:
        done = 0
        while rounds is None or done < rounds:
            began = monotonic()
            for one in watched:
                if monotonic() >= one.next_at:
                    await _read(line, one, installed, clock)
                    shown(one)
            done += 1
            if rounds is None or done < rounds:
                await asyncio.sleep(max(0.0, began + every_s - monotonic()))


async def _read(line: Line, one: Watched, installed: Installed, clock: Clock) -> None:
    """One meter once; one that is silent is left alone for longer and longer, as the edge does."""
    assert one.meter.profile is not None
    if not one.plans:
        narrowed = replace(one.meter, quantities=one.quantities)
        one.plans = compile_make(narrowed, installed.profiles[one.meter.profile], line.cost, clock.now)
    one.error = None
    answered = False
    for plan in one.plans:
        try:
            reply = await ask(plan, line, one.meter.unit)
        except LineError as error:
            one.error = str(error)
            if isinstance(error, Unreachable):
                break
            continue
        answered = True
        for found in plan.decode(reply.payload):
            unit = quantity(found.quantity).unit
            one.values[found.quantity] = Seen(found.value, unit, found.quality.word, found.reason.value, reply.taken_at)
    if answered:
        one.patience.answered()
    else:
        one.patience.failed()
    one.next_at = monotonic() + one.patience.pause_s()
