"""SQL over the ledger in PostgreSQL: what flowed, and how it is known, as the gateway's API says it.

Grafana puts the time that is shown in place of `$__unixEpochFrom()` and `$__unixEpochTo()` [s].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from analytics.consumption.allocation import WHOLE
from gateway.dashboards.panels import Words
from gateway.dashboards.parts import ALWAYS, Made, Part

_NOW = "extract(epoch FROM now())::bigint"
FROM, TO = "$__unixEpochFrom()", "$__unixEpochTo()"
_AMOUNTS = ("amount", "estimated")
_TIMES = ("measured_ms", "estimated_ms", "manual_ms", "disputed_ms")
Step = Literal["hour", "day"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The steps that are asked for: those of which any of [since, until) is shown, in seconds since the epoch."""

    step: Step
    zone: str
    since: str = FROM
    until: str = f"least({TO}, {_NOW})"

    @property
    def ledger_days(self) -> bool:
        """Whether local days are the days of the ledger, which begin at midnight of UTC+8."""
        return all(self._offset(month) == timedelta(hours=8) for month in (1, 7))

    def _offset(self, month: int) -> timedelta | None:
        return datetime(2026, month, 1, tzinfo=ZoneInfo(self.zone)).utcoffset()

    @property
    def steps(self) -> str:
        """Rows of hours since the epoch [start, stop); the one that runs stops now: what is to come is not missing."""
        if self.step == "hour":
            return (
                f"SELECT s AS start, s + 1 AS stop FROM generate_series({self.since} / 3600, "
                f"({self.until} + 3599) / 3600 - 1) AS s"
            )
        first = f"date_trunc('day', to_timestamp({self.since}) AT TIME ZONE '{self.zone}')"
        last = f"to_timestamp({self.until} - 1) AT TIME ZONE '{self.zone}'"
        start, stop = (_hour_of(f"d + interval '{n} day'", self.zone) for n in (0, 1))
        return (
            f"SELECT {start} AS start, least({stop}, ({_NOW} + 3599) / 3600) AS stop "
            f"FROM generate_series({first}, {last}, interval '1 day') AS d"
        )

    @property
    def start(self) -> str:
        """The first hour of the step in which the hour `h.hour` lies."""
        if self.step == "hour":
            return "h.hour"
        if self.ledger_days:
            return "(h.hour + 8) / 24 * 24 - 8"
        local = f"date_trunc('day', to_timestamp(h.hour * 3600.0) AT TIME ZONE '{self.zone}')"
        return _hour_of(local, self.zone)


def _hour_of(local: str, zone: str) -> str:
    return f"floor(extract(epoch FROM ({local}) AT TIME ZONE '{zone}') / 3600)::bigint"


def by_time(made: Made, asked: Asked, words: Words) -> str:
    """Of each step what was measured, and what of it was spread over gaps; nothing where nothing is known."""
    return f"""{_summed({"": made}, asked)}
SELECT to_timestamp(start * 3600) AS time,
  {_known("amount - estimated")} AS "{words("计量", "measured")}",
  {_known("estimated")} AS "{words("估算", "estimated")}"
FROM summed ORDER BY start"""


def shares_by_time(made: Made, asked: Asked, words: Words) -> str:
    """Of each step which share of the time, of all counters, is known in which way; together 1."""
    names = {
        "measured_ms": words("计量", "measured"), "estimated_ms": words("估算", "estimated"),
        "manual_ms": words("人工抄表", "by hand"), "disputed_ms": words("存疑", "disputed"),
    }  # fmt: skip
    columns = ",\n  ".join(f'{c} / expected_ms AS "{name}"' for c, name in names.items())
    return f"""{_summed({"": made}, asked)}
SELECT to_timestamp(start * 3600) AS time,
  {columns},
  {_MISSING} AS "{words("缺失", "missing")}"
FROM summed ORDER BY start"""


def by_node(nodes: Mapping[str, Made], asked: Asked, words: Words, unit: str) -> str:
    """Of each node what flowed in the steps that are shown, the greatest first."""
    sums = ", ".join(f"sum({c}) AS {c}" for c in (*_AMOUNTS, *_TIMES, "expected_ms"))
    return f"""{_summed(nodes, asked)},
total AS (SELECT node, {sums} FROM summed GROUP BY node)
SELECT node AS "{words("节点", "node")}",
  {_known("amount")} AS "{words("用量", "used")} {unit}",
  {_known("estimated")} AS "{words("其中估算", "of it estimated")} {unit}",
  {_MISSING} AS "{words("缺失比例", "share missing")}"
FROM total ORDER BY 2 DESC NULLS LAST LIMIT 50"""


def cumulated(made: Made, asked: Asked, words: Words) -> str:
    """What flowed since the first step, at each step."""
    return f"""{_summed({"": made}, asked)}
SELECT to_timestamp(start * 3600) AS time,
  sum(amount) OVER (ORDER BY start)::float8 / 1e6 AS "{words("累计用量", "used so far")}"
FROM summed ORDER BY start"""


def of_counter(asked: Asked, words: Words) -> str:
    """`by_time` of the counter that is chosen above the dashboard."""
    of = (
        f"SELECT '' AS node, id AS point, 1 AS sign, 0 AS low, {WHOLE} AS high, {ALWAYS[0]} AS first, "
        f"{ALWAYS[1]} AS stop FROM ledger.points WHERE meter = ${{meter:sqlstring}} "
        "AND quantity = ${counter:sqlstring}"
    )
    eras = f"VALUES ('', {ALWAYS[0]}, {ALWAYS[1]}, 1)"
    return f"""{_with(of, eras, asked, whole=True)}
SELECT to_timestamp(start * 3600) AS time,
  {_known("amount - estimated")} AS "{words("计量", "measured")}",
  {_known("estimated")} AS "{words("估算", "estimated")}",
  {_MISSING} AS "{words("缺失比例", "share missing")}"
FROM summed ORDER BY start"""


def literal(text: str) -> str:
    """Text as SQL writes it; a `$` would be a variable to Grafana."""
    return "'" + text.replace("'", "''").replace("$", "＄") + "'"


def _known(amount: str) -> str:
    return f"CASE WHEN measured_ms + estimated_ms + manual_ms > 0 THEN ({amount})::float8 / 1e6 END"


_MISSING = "greatest(0, 1 - (measured_ms + estimated_ms + manual_ms + disputed_ms) / expected_ms)"


def _summed(nodes: Mapping[str, Made], asked: Asked) -> str:
    parts = [(name, part) for name, made in nodes.items() for part in made.parts]
    eras = [(name, *era) for name, made in nodes.items() for era in made.eras]
    of = (
        "SELECT node, p.id AS point, sign, low, high, first, stop FROM (VALUES\n  "
        + ",\n  ".join(_row(name, part) for name, part in parts)
        + "\n) AS v (node, meter, quantity, sign, low, high, first, stop) JOIN ledger.points p USING (meter, quantity)"
    )
    listed = ", ".join(f"({literal(name)}, {first}, {stop}, {n})" for name, first, stop, n in eras)
    return _with(of, f"VALUES {listed}", asked, whole=all(made.whole for made in nodes.values()))


def _row(name: str, part: Part) -> str:
    c = part.component
    told = ", ".join(literal(text) for text in (name, c.point.meter, c.point.quantity))
    return f"({told}, {c.sign}, {c.low}, {c.high}, {part.first}, {part.stop})"


def _with(of: str, eras: str, asked: Asked, *, whole: bool) -> str:
    """Counters by their numbers, steps, and `summed`: a row of each node and step, whatever is known of it."""
    sums = ", ".join(f"sum(sign * {c}) AS {c}" for c in _AMOUNTS)
    sums += ", " + ", ".join(f"sum({c})::float8 AS {c}" for c in _TIMES)
    filled = ", ".join(f"coalesce(r.{c}, 0) AS {c}" for c in (*_AMOUNTS, *_TIMES))
    return f"""WITH own AS ({of}),
eras (node, first, stop, counters) AS ({eras}),
steps AS ({asked.steps}),
flowed AS ({_flowed(asked, whole=whole)}),
known AS (SELECT node, start, {sums} FROM flowed GROUP BY node, start),
expected AS (SELECT node, start, sum(counters * greatest(0, least(s.stop, e.stop) - greatest(s.start, e.first)))
    * 3600000.0::float8 AS expected_ms FROM steps s CROSS JOIN eras e GROUP BY node, start),
summed AS (SELECT e.node, e.start, nullif(expected_ms, 0) AS expected_ms, {filled}
    FROM expected e LEFT JOIN known r USING (node, start))"""


def _flowed(asked: Asked, *, whole: bool) -> str:
    """Rows of the ledger of the counters; days where local days are whole ones of the ledger, else hours."""
    if asked.step == "day" and asked.ledger_days and whole:
        columns = ", ".join((*_AMOUNTS, *_TIMES))
        return (
            f"SELECT node, d.day * 24 - 8 AS start, sign, {columns} FROM own JOIN ledger.days d "
            "ON d.point = own.point AND d.day * 24 - 8 >= own.first AND d.day * 24 - 8 < own.stop "
            f"WHERE d.day >= ({asked.since} + 28800) / 86400 AND d.day <= ({asked.until} + 28799) / 86400"
        )
    margin = 0 if asked.step == "hour" else 25
    amount, estimated = "h.amount", "h.estimated"
    if not whole:
        amount = f"{_own('h.first_half')} + {_own('(h.amount - h.first_half)')}"
        estimated = _own("h.estimated")
    columns = f"{amount} AS amount, {estimated} AS estimated, {', '.join(_TIMES)}"
    return (
        f"SELECT node, {asked.start} AS start, sign, {columns} FROM own JOIN ledger.hours h "
        "ON h.point = own.point AND h.hour >= own.first AND h.hour < own.stop "
        f"WHERE h.hour >= {asked.since} / 3600 - {margin} AND h.hour <= ({asked.until} + 3599) / 3600 + {margin}"
    )


def _own(amount: str) -> str:
    """What of whole millionths falls to [low, high), as `allocation.part` divides; it fits in 64 bits."""

    def up_to(edge: str) -> str:
        size = f"abs({amount})"
        return (
            f"sign({amount})::bigint * ({size} / {WHOLE} * {edge} "
            f"+ ({size} % {WHOLE} * {edge} + {WHOLE // 2}) / {WHOLE})"
        )

    return f"({up_to('high')} - {up_to('low')})"
