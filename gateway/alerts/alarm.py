"""An alarm as it is kept, what raises one, and how both are written as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.alarms.life import Life
from analytics.alarms.rules import NO_TEXT, Level
from energy.names import Text

_LIFE = (
    "opened_ms",
    "began_ms",
    "round",
    "flaps",
    "pushed_ms",
    "read_ms",
    "acknowledged_ms",
    "recovered_ms",
    "closed_ms",
)


@dataclass(frozen=True, slots=True)
class Member:
    """What an alarm is about: METER:QUANTITY, METER, or KIND/ID of something else; until it was over."""

    name: str
    since_ms: int
    until_ms: int | None = None

    @property
    def meter(self) -> str | None:
        """The meter that it is of; None where it is of none."""
        return None if "/" in self.name else self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Raised:
    """Something that is to ring. What has the cause of an open alarm joins it.

    cause : one word for what happened, such as water/dorm-main. kind : limit, silence, finding and so on.
    subject : METER, or KIND/ID. further : it is a further step of what may ring already: it takes the place of what was
    told, and calls anew. point, value, beyond, unit : what was read, and the limit, where there is one.
    """

    cause: str
    kind: str
    level: Level
    subject: str
    title: Text
    crossed_ms: int
    members: tuple[Member, ...]
    detail: Text = NO_TEXT
    first: Text = NO_TEXT
    rule: str | None = None
    point: str | None = None
    value: float | None = None
    beyond: float | None = None
    unit: str = ""
    figures: Mapping[str, Any] | None = None
    further: bool = False

    @property
    def row(self) -> dict[str, Any]:
        """Its columns, without those of its life."""
        texts = {f"{n}_{z}": getattr(getattr(self, n), z) for n in ("title", "detail", "first") for z in ("zh", "en")}
        same = ("cause", "kind", "rule", "subject", "point", "value", "beyond", "unit", "crossed_ms")
        figures = None if self.figures is None else dict(self.figures)
        return {**{n: getattr(self, n) for n in same}, **texts, "figures": figures}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it is kept."""

    id: int
    raised: Raised
    life: Life
    acknowledged_by: str | None = None
    acknowledged_how: str | None = None
    members: tuple[Member, ...] = field(default=())

    @property
    def meters(self) -> frozenset[str]:
        """The meters that it is about."""
        return frozenset(meter for member in self.members if (meter := member.meter) is not None)


@dataclass(frozen=True, slots=True)
class Standing:
    """A member of an alarm that was told of and is not over, or was over lately; be the alarm closed or not."""

    cause: str
    kind: str
    member: Member

    @property
    def still(self) -> bool:
        return self.member.until_ms is None


@dataclass(frozen=True, slots=True)
class Step:
    """A step in the life of an alarm."""

    at_ms: int
    kind: str
    who: str = ""
    how: str = ""
    note: str = ""


def life_row(life: Life) -> dict[str, Any]:
    return {"level": str(life.level), **{name: getattr(life, name) for name in _LIFE}}


def alarm_of(row: Mapping[Any, Any], members: tuple[Member, ...] = ()) -> Alarm:
    raised = Raised(
        row["cause"],
        row["kind"],
        Level(row["level"]),
        row["subject"],
        Text(row["title_zh"], row["title_en"]),
        row["crossed_ms"],
        (),
        Text(row["detail_zh"], row["detail_en"]),
        Text(row["first_zh"], row["first_en"]),
        **{name: row[name] for name in ("rule", "point", "value", "beyond", "unit", "figures")},
    )
    life = Life(Level(row["level"]), **{name: row[name] for name in _LIFE})
    return Alarm(row["id"], raised, life, row["acknowledged_by"], row["acknowledged_how"], members)
