"""How many alarms are open and how many messages did not arrive."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from analytics.alarms.rules import Level
from gateway.alerts.outbox import REFUSED, WAITING
from gateway.alerts.tables import AlarmMessageRow, AlarmRow
from gateway.records.base import table_of
from gateway.records.database import Records

_ALARMS, _MESSAGES = table_of(AlarmRow), table_of(AlarmMessageRow)


@dataclass(frozen=True, slots=True)
class AlarmCounts:
    """Alarms by level; messages that wait, and those that ever were refused for good."""

    open: dict[str, int]
    unacknowledged: dict[str, int]
    notices_waiting: int
    notices_refused: int


async def alarm_counts(records: Records) -> AlarmCounts:
    """Count; StoreError where the records cannot be read. An alarm that is over by itself needs nobody any more."""
    level, still = _ALARMS.c.level, _ALARMS.c.closed_ms.is_(None)
    alarms = select(level, func.count()).where(still).group_by(level)
    untaken = alarms.where(_ALARMS.c.acknowledged_ms.is_(None), _ALARMS.c.recovered_ms.is_(None))
    state = _MESSAGES.c.state
    messages = select(state, func.count()).where(state.in_([WAITING, REFUSED])).group_by(state)
    async with records.reading() as connection:
        by_level = {str(name): int(n) for name, n in await connection.execute(alarms)}
        waiting = {str(name): int(n) for name, n in await connection.execute(untaken)}
        sent = {str(name): int(n) for name, n in await connection.execute(messages)}
    levels = [one.value for one in Level]
    return AlarmCounts(
        {one: by_level.get(one, 0) for one in levels},
        {one: waiting.get(one, 0) for one in levels},
        sent.get(WAITING, 0),
        sent.get(REFUSED, 0),
    )
