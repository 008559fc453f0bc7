"""Events of meters are added once and withdrawn, never deleted; what contradicts is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from energy.errors import EnergyError, UnknownName
from energy.life import EventKind, MeterEvent
from energy.readings import to_ms
from gateway.life.service import Lives
from gateway.records.changes import logged_changes
from gateway.records.database import Records

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)


@pytest.fixture
def lives(records: Records) -> Lives:
    return Lives(records, SteppedClock(NOW))


def exchanged(meter: str = "main", at_ms: int = 1000, final: float = 184260.0, **given: Any) -> MeterEvent:
    return MeterEvent(meter, EventKind.EXCHANGED, at_ms, final_register=final, initial_register=0.0, **given)


async def test_an_event_is_kept_with_who_and_why_and_when(lives: Lives) -> None:
    added = await lives.add([exchanged(note="new meter")], "li", "work order 7")

    [kept] = await lives.events(["main"])
    assert added.ids == [kept.id]
    assert kept.event == exchanged(note="new meter")
    assert (kept.who, kept.why, kept.entered_at_ms) == ("li", "work order 7", to_ms(NOW))


async def test_the_same_event_twice_is_kept_once_whatever_was_noted_beside_it(lives: Lives) -> None:
    await lives.add([exchanged()], "li")

    added = await lives.add([exchanged(note="as told"), exchanged()], "wang")

    assert (added.ids, added.known, added.contradicting) == ([], 2, [])
    assert len(await lives.events()) == 1


async def test_an_event_that_says_otherwise_is_told_and_not_added_and_the_others_are(lives: Lives) -> None:
    await lives.add([exchanged()], "li")

    added = await lives.add([exchanged(final=9.0), exchanged(at_ms=2000)], "wang")

    [one] = added.contradicting
    assert (one.event.final_register, one.kept.event.final_register) == (9.0, 184260.0)
    assert [kept.event.at_ms for kept in await lives.events()] == [1000, 2000]


async def test_two_events_of_one_file_that_contradict_are_told(lives: Lives) -> None:
    added = await lives.add([exchanged(), exchanged(final=9.0)], "li")

    assert (len(added.ids), len(added.contradicting), added.contradicting[0].kept.id) == (1, 1, 0)


async def test_other_quantities_and_kinds_at_the_same_instant_are_other_events(lives: Lives) -> None:
    export = exchanged(quantity="active_energy_export")
    added = await lives.add([exchanged(), export, MeterEvent("main", EventKind.CALIBRATED, 1000)], "li")

    assert len(added.ids) == 3


async def test_a_withdrawn_event_is_kept_and_holds_no_longer(lives: Lives) -> None:
    [event_id] = (await lives.add([exchanged()], "li")).ids

    await lives.withdraw(event_id, "wang", "the wrong meter")

    assert await lives.events() == []
    [kept] = await lives.events(withdrawn=True)
    assert (kept.withdrawn_by, kept.withdrawn_why, kept.withdrawn_at_ms) == ("wang", "the wrong meter", to_ms(NOW))


async def test_what_was_withdrawn_does_not_come_back_by_itself(lives: Lives) -> None:
    for _ in range(2):
        [event_id] = (await lives.add([exchanged()], "li", again=True)).ids
        await lives.withdraw(event_id, "li", "wrong")

    added = await lives.add([exchanged()], "li")

    assert (added.ids, [kept.id for kept in added.withdrawn]) == ([], [event_id])
    assert len((await lives.add([exchanged()], "li", again=True)).ids) == 1


async def test_a_correction_is_a_withdrawal_and_another_event(lives: Lives) -> None:
    [event_id] = (await lives.add([exchanged()], "li")).ids
    await lives.withdraw(event_id, "li", "read wrong")
    await lives.add([exchanged(final=184261.0)], "li", "read again")

    assert [kept.event.final_register for kept in await lives.events()] == [184261.0]


async def test_what_cannot_be_withdrawn_is_told(lives: Lives) -> None:
    [event_id] = (await lives.add([exchanged()], "li")).ids
    await lives.withdraw(event_id, "li", "wrong")

    with pytest.raises(EnergyError, match="was withdrawn already, by li"):
        await lives.withdraw(event_id, "li", "wrong")
    with pytest.raises(UnknownName, match="event 99 is not known"):
        await lives.withdraw(99, "li", "wrong")
    with pytest.raises(UnknownName, match="is not known"):
        await lives.withdraw(10**20, "li", "wrong")


async def test_events_are_told_by_meter_and_time(lives: Lives) -> None:
    await lives.add([exchanged("b"), exchanged("a", 2000), exchanged("a", 1000), exchanged("c")], "li")

    assert [(k.event.meter, k.event.at_ms) for k in await lives.events(["a", "b"])] == [
        ("a", 1000),
        ("a", 2000),
        ("b", 1000),
    ]
    assert await lives.events([]) == []


async def test_every_entry_stands_in_the_log_of_changes(lives: Lives, records: Records) -> None:
    [event_id] = (await lives.add([exchanged()], "li", "order 7")).ids
    await lives.withdraw(event_id, "wang", "wrong")

    entered, gone = await logged_changes(records, kinds=["meter_event"])
    assert (entered.who, entered.why, entered.change.key) == ("li", "order 7", str(event_id))
    assert entered.change.after == gone.change.before
    assert (entered.change.before, gone.change.after, gone.who) == (None, None, "wang")


async def test_an_id_that_no_meter_can_have_is_refused(lives: Lives) -> None:
    with pytest.raises(ValueError, match="meter id 'a/b'"):
        await lives.add([exchanged("a/b")], "li")
