"""A quota rings as one alarm, which goes from bound to bound: which of those that were crossed is news."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from analytics.alarms.rules import Level
from analytics.quotas.pace import gravity, is_exceeding
from energy.quotas import Quota
from energy.sites import Site, Text
from gateway.alerts.alarm import Alarm, Member, Raised
from gateway.quotas.service import Crossing
from gateway.quotas.telling import LIMITED

KIND = "quota"
_MEMBER = "crossing/"


def cause_of(quota: Quota) -> str:
    """One for each organisation, medium and year, whichever document holds."""
    return f"{KIND}/{quota.of}/{quota.limited}/{quota.year}"


def former(alarm: Alarm) -> int | None:
    """The crossing of an alarm from when each crossing rang by itself; None for others."""
    number = alarm.raised.cause.removeprefix(f"{KIND}/")
    return int(number) if alarm.raised.kind == KIND and number.isdecimal() else None


def member(crossing: Crossing) -> Member:
    return Member(f"{_MEMBER}{crossing.id}", crossing.raised_at_ms)


@dataclass(frozen=True, slots=True)
class Steps:
    """What was crossed of one quota, ever."""

    quota: Quota
    crossings: tuple[Crossing, ...]

    @property
    def gravest(self) -> Crossing | None:
        """Of what stands."""
        standing = [c for c in self.crossings if c.cleared_at_ms is None]
        return max(standing, key=lambda c: (gravity(c.mark), c.id), default=None)

    def news(self, told: Collection[str], since_ms: int) -> Crossing | None:
        """What rings: the gravest, where it was crossed since an instant and nothing as grave was told of meanwhile."""
        gravest = self.gravest
        if gravest is None or gravest.raised_at_ms < since_ms or member(gravest).name in told:
            return None
        before = [c for c in self.crossings if member(c).name in told]
        return None if any(_covers(one, gravest) for one in before) else gravest


def _covers(told: Crossing, new: Crossing) -> bool:
    """Whether who was told of one need not be told of the other."""
    stood = told.cleared_at_ms is None or told.cleared_at_ms > new.raised_at_ms
    return stood and gravity(told.mark) >= gravity(new.mark)


def over(alarm: Alarm, crossings: Mapping[int, Crossing], now_ms: int) -> dict[str, int]:
    """The steps of an alarm that stand no more, and since when."""
    ended: dict[str, int] = {}
    for one in alarm.members:
        number = one.name.removeprefix(_MEMBER)
        crossing = crossings.get(int(number)) if number.isdecimal() else None
        if one.until_ms is None and (crossing is None or crossing.cleared_at_ms is not None):
            ended[one.name] = now_ms if crossing is None else crossing.cleared_at_ms or now_ms
    return ended


def raised(crossing: Crossing, quota: Quota, site: Site) -> Raised:
    """The alarm that tells of a step; of the steps before it nothing is left."""
    of = crossing.of.removeprefix("organisation/")
    name = next((o.name for o in site.organisations if o.id == of), Text(of, of))
    what = LIMITED[quota.limited]
    title = Text(f"{name.zh}：{quota.year} 年{what.zh}定额预警", f"{name.en}: quota of {what.en} {quota.year}")
    level = Level.WARNING if is_exceeding(crossing.mark) else Level.NOTICE
    return Raised(
        cause_of(quota),
        KIND,
        level,
        crossing.of,
        title,
        crossing.raised_at_ms,
        (member(crossing),),
        crossing.text,
        value=round(crossing.share * 100, 1),
        beyond=round(crossing.mark[1] * 100, 1),
        unit="%",
        further=True,
    )


def together(
    alarms: Iterable[Alarm], steps: Mapping[int, Steps], crossings: Mapping[int, Crossing]
) -> dict[str, dict[int, Member]]:
    """Alarms of before by the cause that they have now, each with its step; the one that stays comes first: of what is
    not closed, the gravest."""
    found: dict[str, list[tuple[Alarm, Crossing]]] = {}
    for alarm in alarms:
        number = former(alarm)
        if number is not None and number in crossings and crossings[number].quota_id in steps:
            crossing = crossings[number]
            found.setdefault(cause_of(steps[crossing.quota_id].quota), []).append((alarm, crossing))
    return {
        cause: {alarm.id: member(crossing) for alarm, crossing in sorted(own, key=_first, reverse=True)}
        for cause, own in found.items()
    }


def _first(one: tuple[Alarm, Crossing]) -> tuple[bool, bool, tuple[bool, int, float], int]:
    alarm, crossing = one
    standing = crossing.cleared_at_ms is None
    return alarm.life.closed_ms is None, standing, gravity(crossing.mark), crossing.id
