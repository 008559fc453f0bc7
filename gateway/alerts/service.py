"""The alarms in the records: each step is one transaction, with its row of history, its messages and its audit row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.alarms.escalation import plan
from analytics.alarms.life import Life, StepKind
from analytics.alarms.rule_file import RuleBook
from energy.duty import Roster
from energy.errors import UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Site
from gateway.alerts.alarm import Alarm, Member, Raised, Standing, Step, alarm_of, life_row
from gateway.alerts.outbox import Outbox
from gateway.alerts.tables import AlarmMemberRow, AlarmRow, AlarmStepRow
from gateway.audit.append import append
from gateway.audit.asking import asking
from gateway.audit.chain import Action, Deed
from gateway.records.base import LARGEST_ID, table_of
from gateway.records.database import Records

_ALARMS, _MEMBERS, _STEPS = table_of(AlarmRow), table_of(AlarmMemberRow), table_of(AlarmStepRow)
# So many names fit into one question to any database.
_NAMES = 500
PROGRAM = "jieneng"
_BY_PEOPLE = (StepKind.READ, StepKind.ACKNOWLEDGED, StepKind.HANDLED, StepKind.CLOSED)


class Alarms:
    """All alarms. `book` and `roster` are those that hold; who opens the records keeps them fresh."""

    def __init__(self, records: Records, clock: Clock, outbox: Outbox, site: Callable[[], Site]) -> None:
        self._records, self._clock, self._outbox, self._site = records, clock, outbox, site
        self.book, self.roster = RuleBook(), Roster()

    # -- looking ----------------------------------------------------------------------------------------------------

    async def alarms(self, *, open_only: bool = False, before: int | None = None, limit: int = 100) -> list[Alarm]:
        """Newest first, with their members."""
        wanted = select(_ALARMS).order_by(_ALARMS.c.id.desc()).limit(limit)
        if open_only:
            wanted = wanted.where(_ALARMS.c.closed_ms.is_(None))
        if before is not None:
            wanted = wanted.where(_ALARMS.c.id < before)
        async with self._records.reading() as connection:
            return await self._found(connection, wanted)

    async def alarm(self, alarm_id: int) -> Alarm:
        """One alarm; UnknownName where there is none."""
        async with self._records.reading() as connection:
            return await self._one(connection, alarm_id)

    async def steps(self, alarm_id: int) -> list[Step]:
        """What happened to it, oldest first."""
        async with self._records.reading() as connection:
            wanted = select(_STEPS).where(_STEPS.c.alarm == alarm_id).order_by(_STEPS.c.id)
            found = (await connection.execute(wanted)).all()
        return [Step(row.at_ms, row.kind, row.who, row.how, row.note) for row in found]

    async def standing(self, ended_since_ms: int) -> list[Standing]:
        """All that was told of and is not over, and what was over since an instant, by the time at which it was."""
        member = (_MEMBERS.c.name, _MEMBERS.c.since_ms, _MEMBERS.c.until_ms)
        wanted = select(_ALARMS.c.cause, _ALARMS.c.kind, *member).join(_MEMBERS, _MEMBERS.c.alarm == _ALARMS.c.id)
        wanted = wanted.where(or_(_MEMBERS.c.until_ms.is_(None), _MEMBERS.c.until_ms >= ended_since_ms))
        async with self._records.reading() as connection:
            rows = (await connection.execute(wanted.order_by(_MEMBERS.c.until_ms))).all()
        return [Standing(row.cause, row.kind, Member(row.name, row.since_ms, row.until_ms)) for row in rows]

    async def known_causes(self, causes: Sequence[str]) -> set[str]:
        """Those of which there is an alarm, or ever was one."""
        found: set[str] = set()
        async with self._records.reading() as connection:
            for i in range(0, len(causes), _NAMES):
                wanted = select(_ALARMS.c.cause).where(_ALARMS.c.cause.in_(causes[i : i + _NAMES])).distinct()
                found |= set((await connection.execute(wanted)).scalars())
        return found

    async def known_members(self, names: Sequence[str]) -> set[str]:
        """Those that an alarm is about, or ever was."""
        found: set[str] = set()
        async with self._records.reading() as connection:
            for i in range(0, len(names), _NAMES):
                wanted = select(_MEMBERS.c.name).where(_MEMBERS.c.name.in_(names[i : i + _NAMES])).distinct()
                found |= set((await connection.execute(wanted)).scalars())
        return found

    async def of_kind(self, kind: str) -> list[Alarm]:
        """All that ever were of a kind."""
        async with self._records.reading() as connection:
            return await self._found(connection, select(_ALARMS).where(_ALARMS.c.kind == kind).order_by(_ALARMS.c.id))

    # -- what the program does --------------------------------------------------------------------------------------

    async def raise_all(self, raised: Sequence[Raised]) -> list[int]:
        """Raise or join, each; the ids of the alarms. Who is to be told at once is told by messages made with them."""
        if not raised:
            return []
        now_ms = to_ms(self._clock.now())
        async with self._records.writing() as connection:
            ids = [await self._raise(connection, one, now_ms) for one in raised]
        self._outbox.wake()
        return ids

    async def recover(self, over: Mapping[str, Mapping[str, int]]) -> None:
        """What is over: cause -> member -> since when. An alarm recovers when nothing of it is left."""
        async with self._records.writing() as connection:
            for cause, members in over.items():
                alarm = await self._open(connection, cause)
                if alarm is not None:
                    await self._over(connection, alarm, members)
                closed = select(_ALARMS.c.id).where(_ALARMS.c.cause == cause, _ALARMS.c.closed_ms.is_not(None))
                await self._end(connection, _MEMBERS.c.alarm.in_(closed), members)
        self._outbox.wake()

    async def call(self) -> None:
        """Make the messages that are due by now; those that were made are not made again."""
        now_ms = to_ms(self._clock.now())
        calling = (_ALARMS.c.closed_ms, _ALARMS.c.recovered_ms, _ALARMS.c.acknowledged_ms)
        wanted = select(_ALARMS).where(*(column.is_(None) for column in calling))
        async with self._records.reading() as connection:
            found = await self._found(connection, wanted)
            made = await self._outbox.keys(connection, [alarm.id for alarm in found])
            silent = await self._nobody(connection, [alarm.id for alarm in found])
        due = [alarm for alarm in found if self._is_due(alarm, made, silent, now_ms)]
        if due:
            async with self._records.writing() as connection:
                for one in due:
                    alarm = await self._one(connection, one.id)
                    if alarm.life.calls:
                        await self._call(connection, alarm, now_ms)
            self._outbox.wake()

    async def take_together(self, cause: str, members: Mapping[int, Member]) -> None:
        """Alarms that were raised one by one become those of one cause, each about its member; of those that are open
        the first stays, the others are closed. Nobody is told: nothing has happened."""
        now_ms = to_ms(self._clock.now())
        async with self._records.writing() as connection:
            for i, (alarm_id, member) in enumerate(members.items()):
                alarm = await self._one(connection, alarm_id)
                renamed = update(_MEMBERS).where(_MEMBERS.c.alarm == alarm_id)
                await connection.execute(renamed.values(name=member.name))
                await self._live(connection, alarm_id, alarm.life, cause=cause)
                if i > 0 and alarm.life.closed_ms is None:
                    await self._end(connection, _MEMBERS.c.alarm == alarm_id, {member.name: now_ms})
                    await self._live(connection, alarm_id, replace(alarm.life, closed_ms=now_ms))
                    await self._outbox.let_be(connection, alarm_id, now_ms)
                    await self._step(connection, alarm_id, Step(now_ms, StepKind.CLOSED, note=cause))

    async def tell_figures(self, alarm_id: int, figures: Mapping[str, Any]) -> None:
        """What has flowed since it was raised."""
        async with self._records.writing() as connection:
            told = update(_ALARMS).where(_ALARMS.c.id == alarm_id)
            await connection.execute(told.values(figures=dict(figures)))

    # -- what people do ---------------------------------------------------------------------------------------------

    async def read(self, alarm_id: int, who: str, how: str) -> Alarm:
        return await self._done(alarm_id, StepKind.READ, who, how, lambda life, ms: life.read(ms), once=True)

    async def acknowledge(self, alarm_id: int, who: str, how: str, note: str = "") -> Alarm:
        """Take it on; LifeError where somebody has."""
        return await self._done(alarm_id, StepKind.ACKNOWLEDGED, who, how, lambda life, ms: life.acknowledged(ms), note)

    async def handle(self, alarm_id: int, who: str, how: str, note: str) -> Alarm:
        """Note what was done."""
        return await self._done(alarm_id, StepKind.HANDLED, who, how, lambda life, _ms: life, note)

    async def close(self, alarm_id: int, who: str, how: str, note: str = "") -> Alarm:
        """Be done with it; LifeError while nobody has acknowledged what is still there."""
        return await self._done(alarm_id, StepKind.CLOSED, who, how, lambda life, ms: life.closed(ms), note)

    async def _done(
        self,
        alarm_id: int,
        kind: StepKind,
        who: str,
        how: str,
        live: Callable[[Life, int], Life],
        note: str = "",
        *,
        once: bool = False,
    ) -> Alarm:
        now_ms = to_ms(self._clock.now())
        async with self._records.writing() as connection:
            alarm = await self._one(connection, alarm_id)
            life = live(alarm.life, now_ms)
            if once and life == alarm.life:
                return alarm
            by = {"acknowledged_by": who, "acknowledged_how": how} if kind is StepKind.ACKNOWLEDGED else {}
            await self._live(connection, alarm.id, life, **by)
            await self._step(connection, alarm.id, Step(now_ms, kind, who, how, note))
            if not life.calls:
                await self._outbox.let_be(connection, alarm.id, now_ms)
            return await self._one(connection, alarm_id)

    # -- within a transaction ---------------------------------------------------------------------------------------

    async def _raise(self, connection: AsyncConnection, raised: Raised, now_ms: int) -> int:
        alarm = await self._open(connection, raised.cause)
        if alarm is None:
            life = Life.raised(raised.level, now_ms)
            made = insert(_ALARMS).values(**raised.row, **life_row(life)).returning(_ALARMS.c.id)
            alarm_id = int((await connection.execute(made)).scalar_one())
            await self._add_members(connection, alarm_id, raised.members)
            await self._step(connection, alarm_id, Step(now_ms, StepKind.RAISED, note=raised.rule or raised.kind))
        elif raised.further:
            alarm_id = alarm.id
            await self._go_further(connection, alarm, raised, now_ms)
        else:
            alarm_id = alarm.id
            await self._join(connection, alarm, raised, now_ms)
        alarm = await self._one(connection, alarm_id)
        if alarm.life.calls:
            await self._call(connection, alarm, now_ms)
        return alarm_id

    async def _join(self, connection: AsyncConnection, alarm: Alarm, raised: Raised, now_ms: int) -> None:
        left = {member.name for member in alarm.members if member.until_ms is None}
        new = [member for member in raised.members if member.name not in left]
        await self._add_members(connection, alarm.id, new)
        damped_ms = round(self.book.damped_s * 1000)
        life = alarm.life.returned(now_ms, damped_ms)
        if life != alarm.life:
            kind = StepKind.RETURNED if life.round == alarm.life.round else StepKind.RANG_AGAIN
            await self._step(connection, alarm.id, Step(now_ms, kind))
        if (worse := life.worse(raised.level, now_ms)) != life:
            await self._step(connection, alarm.id, Step(now_ms, StepKind.WORSE, note=str(raised.level)))
        elif new and life == alarm.life:
            names = ", ".join(member.name for member in new[:3]) + (f" +{len(new) - 3}" if len(new) > 3 else "")
            await self._step(connection, alarm.id, Step(now_ms, StepKind.JOINED, note=names))
        nobody = {"acknowledged_by": None, "acknowledged_how": None} if worse.acknowledged_ms is None else {}
        await self._live(connection, alarm.id, worse, **nobody)

    async def _go_further(self, connection: AsyncConnection, alarm: Alarm, raised: Raised, now_ms: int) -> None:
        """What was told before is not told beside it; whoever has acknowledged that has not acknowledged this."""
        left = {member.name: now_ms for member in alarm.members if member.until_ms is None}
        await self._end(connection, _MEMBERS.c.alarm == alarm.id, left)
        await self._add_members(connection, alarm.id, raised.members)
        await self._outbox.let_be(connection, alarm.id, now_ms)
        kind = StepKind.WORSE if alarm.life.recovered_ms is None else StepKind.RANG_AGAIN
        note = str(raised.level) if raised.beyond is None else f"{raised.beyond:g} {raised.unit}"
        await self._step(connection, alarm.id, Step(now_ms, kind, note=note))
        told = {**raised.row, "acknowledged_by": None, "acknowledged_how": None}
        await self._live(connection, alarm.id, alarm.life.further(raised.level, now_ms), **told)

    async def _over(self, connection: AsyncConnection, alarm: Alarm, members: Mapping[str, int]) -> None:
        await self._end(connection, _MEMBERS.c.alarm == alarm.id, members)
        left = select(func.count()).where(_MEMBERS.c.alarm == alarm.id, _MEMBERS.c.until_ms.is_(None))
        if (await connection.execute(left)).scalar_one() or alarm.life.recovered_ms is not None:
            return
        now_ms = to_ms(self._clock.now())
        await self._live(connection, alarm.id, alarm.life.recovered(now_ms))
        await self._step(connection, alarm.id, Step(now_ms, StepKind.RECOVERED))
        await self._outbox.let_be(connection, alarm.id, now_ms)
        await self._outbox.tell_over(connection, await self._one(connection, alarm.id), self.roster, now_ms)

    async def _end(self, connection: AsyncConnection, of: ColumnElement[bool], members: Mapping[str, int]) -> None:
        """These members are over, each since its instant, in the alarms of which they are."""
        gone = update(_MEMBERS).where(of, _MEMBERS.c.until_ms.is_(None))
        for at_ms in sorted(set(members.values())):
            names = [name for name, at in members.items() if at == at_ms]
            for i in range(0, len(names), _NAMES):
                some = gone.where(_MEMBERS.c.name.in_(names[i : i + _NAMES]))
                await connection.execute(some.values(until_ms=at_ms))

    def named(self, person: str) -> str:
        """A person of the roster by name and id."""
        found = self.roster.person(person)
        return person if found is None else f"{found.name} ({found.id})"

    def _is_due(self, alarm: Alarm, made: Set[str], silent: Set[tuple[int, str]], now_ms: int) -> bool:
        """Whether there is a call that was not made, or nobody to call where that was not told."""
        due = plan(self.book.chains[alarm.life.level], self.roster, alarm.life.began_ms, now_ms)
        uncalled = any(self._outbox.key(alarm, call) not in made for call in due.calls)
        return uncalled or any((alarm.id, f"{alarm.life.round}/{rung}") not in silent for rung in due.nobody)

    async def _nobody(self, connection: AsyncConnection, ids: Sequence[int]) -> set[tuple[int, str]]:
        found: set[tuple[int, str]] = set()
        for i in range(0, len(ids), _NAMES):
            wanted = select(_STEPS.c.alarm, _STEPS.c.note).where(_STEPS.c.alarm.in_(ids[i : i + _NAMES]))
            rows = await connection.execute(wanted.where(_STEPS.c.kind == str(StepKind.NOBODY)))
            found |= {(row.alarm, row.note) for row in rows}
        return found

    async def _call(self, connection: AsyncConnection, alarm: Alarm, now_ms: int) -> None:
        due = plan(self.book.chains[alarm.life.level], self.roster, alarm.life.began_ms, now_ms)
        for call in await self._outbox.call(connection, alarm, due.calls, self.roster, now_ms):
            post = "" if call.post is None else str(call.post)
            await self._step(connection, alarm.id, Step(now_ms, StepKind.CALLED, self.named(call.person), note=post))
        told = await self._nobody(connection, [alarm.id]) if due.nobody else set()
        for rung in due.nobody:
            if (alarm.id, (note := f"{alarm.life.round}/{rung}")) not in told:
                await self._step(connection, alarm.id, Step(now_ms, StepKind.NOBODY, note=note))

    async def pushed(self, connection: AsyncConnection, alarm_id: int, call: Step) -> None:
        """A message of it has arrived, or could not be delivered."""
        alarm = await self._one(connection, alarm_id)
        if call.kind == StepKind.PUSHED:
            await self._live(connection, alarm_id, alarm.life.pushed(call.at_ms))
        await self._step(connection, alarm_id, call)

    async def _step(self, connection: AsyncConnection, alarm_id: int, step: Step) -> None:
        said = {"at_ms": step.at_ms, "kind": str(step.kind), "who": step.who, "how": step.how, "note": step.note}
        await connection.execute(insert(_STEPS).values(alarm=alarm_id, **said))
        asked = asking()
        detail = {name: value for name, value in said.items() if name != "at_ms" and value}
        who = asked.account or (step.who if step.kind in _BY_PEOPLE else PROGRAM)
        deed = Deed(step.at_ms, Action.CHANGE, f"alarm/{alarm_id}", who, asked.address, detail=detail)
        await append(connection, [deed])

    async def _live(self, connection: AsyncConnection, alarm_id: int, life: Life, **also: Any) -> None:
        changed = update(_ALARMS).where(_ALARMS.c.id == alarm_id)
        await connection.execute(changed.values(**life_row(life), **also))

    async def _add_members(self, connection: AsyncConnection, alarm_id: int, members: Iterable[Member]) -> None:
        rows = [{"alarm": alarm_id, "name": m.name, "since_ms": m.since_ms, "until_ms": m.until_ms} for m in members]
        if rows:
            await connection.execute(insert(_MEMBERS), rows)

    async def _open(self, connection: AsyncConnection, cause: str) -> Alarm | None:
        wanted = select(_ALARMS).where(_ALARMS.c.cause == cause, _ALARMS.c.closed_ms.is_(None))
        return next(iter(await self._found(connection, wanted)), None)

    async def _one(self, connection: AsyncConnection, alarm_id: int) -> Alarm:
        if 0 < alarm_id <= LARGEST_ID:
            for alarm in await self._found(connection, select(_ALARMS).where(_ALARMS.c.id == alarm_id)):
                return alarm
        raise UnknownName(f"alarm {alarm_id} is not known")

    async def _found(self, connection: AsyncConnection, wanted: Any) -> list[Alarm]:
        rows = (await connection.execute(wanted)).mappings().all()
        members = await self._members(connection, [row["id"] for row in rows])
        return [alarm_of(row, tuple(members[row["id"]])) for row in rows]

    async def _members(self, connection: AsyncConnection, ids: Sequence[int]) -> dict[int, list[Member]]:
        found: dict[int, list[Member]] = defaultdict(list)
        for i in range(0, len(ids), _NAMES):
            wanted = select(_MEMBERS).where(_MEMBERS.c.alarm.in_(ids[i : i + _NAMES])).order_by(_MEMBERS.c.id)
            for row in (await connection.execute(wanted)).all():
                found[row.alarm].append(Member(row.name, row.since_ms, row.until_ms))
        return found
